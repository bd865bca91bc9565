/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/campaign/gate.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "server/campaign/life.h"
#include "server/core/log.h"
#include "server/ledger/event.h"
#include "server/webhook/notify_campaign.h"

static bool is_last(const struct campaign *campaign, const struct stages *stages)
{
    return campaign->stage + 1 >= stages->count;
}

/* Every device of a list has an outcome, or will take no part again. A device that is held out may come back. */
static bool check_done(struct db *db, const struct campaign *campaign, const struct stages *stages, bool *ret,
                       struct error *err)
{
    bool held_out = false;
    int64_t waiting = campaign->devices - campaign->out - campaign->ahead, on_the_way = 0;
    for (unsigned i = 0; i < stages->count; i++) {
        waiting -= stage_admitted(&stages->stage[i]);
        on_the_way += stages->stage[i].count[OUTCOME_ADMITTED];
    }
    *ret = campaign->audience == AUDIENCE_LIST && waiting <= 0 && on_the_way == 0;
    if (*ret && campaign->out && !campaign_device_held_out(db, campaign, &held_out, err))
        return false;
    *ret = *ret && !held_out;
    return true;
}

/* Of all devices a share is one of the devices that have to be led to the target now, and of those that the campaign has led
   there. The devices that a filter selects were counted before the start (campaign_run() in gate.h). */
static bool count_open(struct db *db, struct campaign *campaign, const struct stages *stages,
                       struct error *err)
{
    _cleanup_(cleanup_free) struct campaign_group *group = NULL;
    size_t count;
    if (campaign->audience == AUDIENCE_LIST || campaign->filter[0])
        return true;
    if (!campaign_device_groups(db, campaign, &group, &count, err))
        return false;
    campaign->devices = 0;
    for (size_t i = 0; i < count; i++)
        if (!group[i].out && strcmp(group[i].version, campaign->target) != 0)
            campaign->devices += group[i].devices;
    for (unsigned i = 0; i < stages->count; i++)
        campaign->devices += stages->stage[i].count[OUTCOME_CONFIRMED];
    return true;
}

/* The current stage reaches devices that came to run the target before. */
static bool fold(struct db *db, struct campaign *campaign, int64_t now_ms, struct error *err)
{
    int64_t folded;
    if (!campaign->ahead)
        return true;
    if (!campaign_device_fold(db, campaign->id, campaign->reach, campaign->stage, &folded, err))
        return false;
    campaign->ahead -= folded;
    return campaign_stage_move(db, campaign->id, (unsigned)campaign->stage, OUTCOME_WAITING,
                               OUTCOME_CONFIRMED, folded, now_ms, err);
}

bool campaign_reach(struct db *db, struct campaign *campaign, const struct stages *stages, int64_t now_ms,
                    struct error *err)
{
    const struct stage *stage = &stages->stage[campaign->stage];
    const struct stage_place audience = campaign_place(campaign, 0);
    int64_t wanted = stage_reach(stage, &audience);
    if (campaign->audience != AUDIENCE_LIST)
        return true;
    if (stage->kind == STAGE_ALL) {
        campaign->reach = INT32_MAX;
        campaign->reached = wanted;
    } else if (wanted > campaign->reached) {
        if (!campaign_device_reach(db, campaign, wanted, &campaign->reach, err))
            return false;
        campaign->reached = wanted;
    }
    return fold(db, campaign, now_ms, err);
}

bool campaign_begin_stage(struct db *db, struct campaign *campaign, const struct stages *stages,
                          int64_t stage, int64_t now_ms, struct error *err)
{
    char reason[REASON_SIZE], text[REASON_TEXT_SIZE];
    campaign->stage = stage;
    campaign->stage_started_ms = now_ms;
    stage_reason(stages->stage, stages->count, (unsigned)stage, reason);
    log_line(LOG_LEVEL_INFO, "campaign-stage-began", "campaign", campaign->name, "stage",
             reason_text(reason, REASON_ENGLISH, text), NULL);
    if (!count_open(db, campaign, stages, err) || !campaign_reach(db, campaign, stages, now_ms, err) ||
        !campaign_update(db, campaign, err))
        return false;
    json_t *detail = json_pack("{s:I}", "stage", (json_int_t)stage + 1);
    event_reason(detail, "admits", reason);
    return campaign_note(db, campaign, LEDGER_CAMPAIGN_STAGE_BEGAN, now_ms, detail, err);
}

static bool pause_itself(struct db *db, struct campaign *campaign, const char *why, int64_t now_ms,
                         struct error *err)
{
    return campaign_run(db, campaign, CAMPAIGN_PAUSE, why, NULL, now_ms, err);
}

static bool pause_when_done(struct db *db, struct campaign *campaign, int64_t now_ms, struct error *err)
{
    char why[REASON_SIZE], text[REASON_TEXT_SIZE], notice[REASON_TEXT_SIZE + 20];
    reason_write(why, sizeof why, REASON(REASON_LAST_STAGE_DONE));
    snprintf(notice, sizeof notice, "it is paused: %s", reason_text(why, REASON_ENGLISH, text));
    return pause_itself(db, campaign, why, now_ms, err) &&
           notify_campaign_person(db, campaign, "campaign-paused", notice, now_ms, err);
}

/* The gate of the current stage. The gates of earlier stages break too, when devices of them fail later. A broken gate
   is set in *campaign. */
static enum gate look(struct campaign *campaign, const struct stages *stages, int64_t now_ms,
                      char why[REASON_SIZE])
{
    const struct stage_place audience = campaign_place(campaign, 0);
    enum gate gate = GATE_WAITS;
    for (unsigned i = 0; i <= campaign->stage && gate != GATE_BROKEN; i++) {
        gate = stage_gate(stages->stage, i, &audience, now_ms, why);
        campaign->breach = stage_breach(&stages->stage[i]);
        campaign->breach_stage = i;
    }
    return gate;
}

static bool is_done(const struct campaign *campaign, const struct stages *stages, enum gate gate, bool all)
{
    return is_last(campaign, stages) &&
           (all || (gate == GATE_HOLDS && stages->stage[campaign->stage].kind != STAGE_ALL));
}

bool campaign_foresee(struct db *db, struct campaign *campaign, const struct stages *stages, int64_t now_ms,
                      enum campaign_event *ret, char why[REASON_SIZE], struct error *err)
{
    enum gate gate = look(campaign, stages, now_ms, why);
    bool all;
    *ret = CAMPAIGN_PAUSE;
    if (gate == GATE_BROKEN)
        return true;
    if (!check_done(db, campaign, stages, &all, err))
        return false;
    reason_write(why, REASON_SIZE, REASON(REASON_LAST_STAGE_DONE));
    if (!is_done(campaign, stages, gate, all))
        *ret = CAMPAIGN_EVENT_COUNT;
    else if (!campaign->pause_when_done || campaign->last_done)
        *ret = all ? CAMPAIGN_FINISH : CAMPAIGN_EVENT_COUNT;
    return true;
}

/* Once: webhooks are told that the last stage is done, and pause_when_done pauses the campaign. An open audience goes on
   after that, and a list is finished. */
static bool end_last(struct db *db, struct campaign *campaign, const struct stages *stages, enum gate gate,
                     int64_t now_ms, struct error *err)
{
    bool all;
    if (!check_done(db, campaign, stages, &all, err))
        return false;
    if (is_done(campaign, stages, gate, all) && !campaign->last_done) {
        campaign->last_done = true;
        if (!campaign_update(db, campaign, err) ||
            !notify_stage_done(db, campaign, stages, "It was the last stage", now_ms, err))
            return false;
        if (campaign->pause_when_done)
            return pause_when_done(db, campaign, now_ms, err);
    }
    return !all || campaign_run(db, campaign, CAMPAIGN_FINISH, "", NULL, now_ms, err);
}

/* Only admins keep the stage from being done: webhooks are told once. */
static bool ask_admins(struct db *db, struct campaign *campaign, const struct stages *stages, const char *why,
                       int64_t now_ms, struct error *err)
{
    const struct stage_place audience = campaign_place(campaign, 0);
    if (campaign->asked_stage == campaign->stage + 1 ||
        !stage_asks_admins(stages->stage, (unsigned)campaign->stage, &audience, now_ms))
        return true;
    campaign->asked_stage = campaign->stage + 1;
    char text[REASON_TEXT_SIZE];
    reason_text(why, REASON_ENGLISH, text);
    return campaign_update(db, campaign, err) &&
           notify_campaign_person(db, campaign, "approval", text, now_ms, err);
}

static bool go_on(struct db *db, struct campaign *campaign, const struct stages *stages, int64_t now_ms,
                  struct error *err)
{
    char reason[REASON_SIZE], text[REASON_TEXT_SIZE], next[REASON_TEXT_SIZE + 8];
    stage_reason(stages->stage, stages->count, (unsigned)campaign->stage + 1, reason);
    snprintf(next, sizeof next, "Next: %s", reason_text(reason, REASON_ENGLISH, text));
    return notify_stage_done(db, campaign, stages, next, now_ms, err) &&
           campaign_begin_stage(db, campaign, stages, campaign->stage + 1, now_ms, err);
}

/* A time in the future, of a clock that was wrong, counts as now. Else a stage would never settle. */
static bool clamp_times(struct db *db, struct campaign *campaign, struct stages *stages, int64_t now_ms,
                        struct error *err)
{
    struct stage *stage = &stages->stage[campaign->stage];
    if (campaign->stage_started_ms > now_ms) {
        campaign->stage_started_ms = now_ms;
        if (!campaign_update(db, campaign, err))
            return false;
    }
    if (stage->last_confirmed_ms <= now_ms)
        return true;
    stage->last_confirmed_ms = now_ms;
    return campaign_stages_clamp(db, campaign->id, now_ms, err);
}

bool campaign_evaluate(struct db *db, struct campaign *campaign, int64_t now_ms, struct error *err)
{
    struct stages stages;
    char why[REASON_SIZE];
    while (campaign->state == CAMPAIGN_RUNNING && !campaign->plain) {
        if (!campaign_stages_load(db, campaign->id, &stages, err) ||
            !clamp_times(db, campaign, &stages, now_ms, err))
            return false;
        enum gate gate = look(campaign, &stages, now_ms, why);
        if (gate == GATE_BROKEN)
            return pause_itself(db, campaign, why, now_ms, err);
        if (is_last(campaign, &stages))
            return end_last(db, campaign, &stages, gate, now_ms, err);
        if (gate == GATE_WAITS)
            return ask_admins(db, campaign, &stages, why, now_ms, err);
        if (!go_on(db, campaign, &stages, now_ms, err))
            return false;
    }
    return true;
}

/* A campaign that cannot be evaluated does not stop the others: what was changed for it is taken back. */
static bool evaluate_one(struct db *db, int64_t id, int64_t now_ms, struct error *err)
{
    struct campaign campaign;
    struct error why;
    char text[24];
    bool found;
    if (!db_savepoint(db, err))
        return false;
    if (campaign_by_id(db, id, &campaign, &found, &why) &&
        (!found || campaign_evaluate(db, &campaign, now_ms, &why)) && db_run_deferred(db, DEFERRED_ALL, &why))
        return db_release(db, err);
    db_rollback_savepoint(db);
    if (!db_in_transaction(db)) {
        *err = why;
        return false;
    }
    snprintf(text, sizeof text, "%lld", (long long)id);
    log_line(LOG_LEVEL_ERROR, "campaign-failed", "campaign", text, "error", why.text, NULL);
    return true;
}

bool campaign_evaluate_all(struct db *db, int64_t now_ms, struct error *err)
{
    _cleanup_(cleanup_free) int64_t *ids = NULL;
    size_t count;
    if (!campaign_running(db, &ids, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!evaluate_one(db, ids[i], now_ms, err))
            return false;
    return true;
}
