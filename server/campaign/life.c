/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/campaign/life.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "server/core/log.h"
#include "server/ledger/event.h"
#include "storage/product.h"

bool campaign_note(struct db *db, const struct campaign *campaign, enum ledger_kind kind, int64_t now_ms,
                   json_t *detail, struct error *err)
{
    struct firmware firmware = {.id = 0};
    struct product product = {.id = 0};
    bool found;
    if (!firmware_by_id(db, campaign->firmware_id, &firmware, &found, err) ||
        !product_by_id(db, firmware.product_id, &product, &found, err)) {
        json_decref(detail);
        return false;
    }
    const struct event event = {
        .kind = kind, .at_ms = now_ms, .product = product.product_key, .firmware = firmware.name};
    json_object_set_new(detail, "campaign", event_text(campaign->name));
    return event_add(db, &event, detail, err);
}

bool campaign_check_conflict(struct db *db, const struct campaign *campaign, int64_t besides,
                             struct error *err)
{
    struct campaign other;
    bool found;
    if (!campaign_conflict(db, campaign, besides, &other, &found, err))
        return false;
    return !found ||
           error_set(
               err, ERROR_CAMPAIGN_CONFLICT,
               "%s%s (to %s) and %s%s (to %s) have devices in common, and lead them to different versions",
               campaign->plain ? "the " : "campaign ", campaign->name, campaign->target,
               other.plain ? "the " : "campaign ", other.name, other.target);
}

/* ---- events ---- */

/* Devices that run the target already are confirmed. */
static bool start(struct db *db, struct campaign *campaign, int64_t now_ms, struct error *err)
{
    struct stages stages;
    if (!campaign_check_conflict(db, campaign, 0, err) ||
        !campaign_stages_load(db, campaign->id, &stages, err))
        return false;
    campaign->started_ms = now_ms;
    campaign->ahead = 0;
    if (campaign->audience == AUDIENCE_LIST &&
        !campaign_device_confirm_all(db, campaign->id, campaign->target, now_ms, &campaign->ahead, err))
        return false;
    return campaign_begin_stage(db, campaign, &stages, 0, now_ms, err);
}

static bool accept_failures(struct db *db, const struct campaign *campaign, struct error *err)
{
    struct stages stages;
    if (!campaign_stages_load(db, campaign->id, &stages, err))
        return false;
    for (unsigned i = 0; i <= campaign->stage && i < stages.count; i++) {
        struct stage *stage = &stages.stage[i];
        unsigned failed = stage->count[OUTCOME_NOT_APPLIED] + stage->count[OUTCOME_DIVERGED];
        unsigned silent = stage->count[OUTCOME_SILENT];
        if (failed <= stage->most_failed && silent <= stage->most_silent)
            continue;
        if (failed > stage->most_failed)
            stage->most_failed = failed;
        if (silent > stage->most_silent)
            stage->most_silent = silent;
        if (!campaign_stage_allow(db, campaign->id, i, stage, err))
            return false;
    }
    return true;
}

static const struct {
    enum ledger_kind kind;
    const char *event;
} told[CAMPAIGN_EVENT_COUNT] = {
    [CAMPAIGN_START] = {LEDGER_CAMPAIGN_STARTED, "campaign-started"},
    [CAMPAIGN_PAUSE] = {LEDGER_CAMPAIGN_PAUSED, "campaign-paused"},
    [CAMPAIGN_RESUME] = {LEDGER_CAMPAIGN_RESUMED, "campaign-resumed"},
    [CAMPAIGN_FINISH] = {LEDGER_CAMPAIGN_FINISHED, "campaign-finished"},
    [CAMPAIGN_CANCEL] = {LEDGER_CAMPAIGN_CANCELLED, "campaign-cancelled"},
};

static void tell(const struct campaign *campaign, enum campaign_event event, const char *why)
{
    log_line(event == CAMPAIGN_PAUSE ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, told[event].event, "campaign",
             campaign->name, "target", campaign->target, "reason", why[0] ? why : NULL, NULL);
}

/* What an event does besides the change of the state. */
static bool apply(struct db *db, struct campaign *campaign, enum campaign_event event, const char *why,
                  int64_t now_ms, struct error *err)
{
    if (event == CAMPAIGN_RESUME && strcmp(campaign->paused_why, CAMPAIGN_LAST_DONE) == 0)
        campaign->pause_when_done = false;
    snprintf(campaign->paused_why, sizeof campaign->paused_why, "%s", event == CAMPAIGN_PAUSE ? why : "");
    if (!campaign_is_live(campaign->state))
        campaign->ended_ms = now_ms;
    if (event == CAMPAIGN_START)
        return start(db, campaign, now_ms, err);
    return (event != CAMPAIGN_RESUME || accept_failures(db, campaign, err)) &&
           campaign_update(db, campaign, err);
}

bool campaign_run(struct db *db, struct campaign *campaign, enum campaign_event event, const char *why,
                  json_t *by, int64_t now_ms, struct error *err)
{
    enum campaign_state before = campaign->state;
    json_t *detail =
        json_pack("{s:o*, s:o*, s:s}", "by", by, "reason", event_text(why), "target", campaign->target);
    if (!campaign_apply(&campaign->state, event)) {
        json_decref(detail);
        return error_set(err, ERROR_CAMPAIGN_STATE, "campaign %s is %s: %s is not possible", campaign->name,
                         campaign_state_name(before), campaign_event_name(event));
    }
    if (!campaign_note(db, campaign, told[event].kind, now_ms, detail, err) ||
        !apply(db, campaign, event, why, now_ms, err))
        return false;
    tell(campaign, event, why);
    return campaign_evaluate(db, campaign, now_ms, err);
}

bool campaign_retarget(struct db *db, struct campaign *campaign, const char *target, json_t *by,
                       int64_t now_ms, struct error *err)
{
    struct stages stages;
    json_t *detail = json_pack("{s:s, s:o*, s:s}", "before", campaign->target, "by", by, "target", target);
    snprintf(campaign->target, sizeof campaign->target, "%s", target);
    campaign->ahead = 0;
    if (!campaign_note(db, campaign, LEDGER_CAMPAIGN_RETARGETED, now_ms, detail, err) ||
        !campaign_stages_load(db, campaign->id, &stages, err) ||
        !campaign_stages_set(db, campaign->id, &stages, err) ||
        !(campaign->audience == AUDIENCE_LIST ? campaign_device_reset_all(db, campaign->id, err)
                                              : campaign_device_drop_all(db, campaign->id, err)))
        return false;
    log_line(LOG_LEVEL_INFO, "campaign-retargeted", "campaign", campaign->name, "target", target, NULL);
    if (campaign->state == CAMPAIGN_DRAFT)
        return campaign_update(db, campaign, err);
    return start(db, campaign, now_ms, err) && campaign_evaluate(db, campaign, now_ms, err);
}

/* ---- the target of a firmware ---- */

/* Failures do not stop a plain campaign: package quarantine and the loop guard do. */
static const struct stages plain_stages = {
    .stage = {{.kind = STAGE_ALL, .most_failed = INT32_MAX, .most_silent = INT32_MAX}}, .count = 1};

static bool end_plain(struct db *db, const struct campaign *plain, int64_t now_ms, struct error *err)
{
    struct campaign ended = *plain;
    if (!campaign_apply(&ended.state, CAMPAIGN_CANCEL))
        return true;
    ended.ended_ms = now_ms;
    return campaign_update(db, &ended, err);
}

bool campaign_set_plain(struct db *db, struct firmware *firmware, const char *target, const char *by,
                        const char *forecast, int64_t now_ms, struct error *err)
{
    struct campaign plain = {.id = 0}, made = {.firmware_id = firmware->id,
                                               .name = CAMPAIGN_PLAIN_NAME,
                                               .plain = true,
                                               .state = CAMPAIGN_RUNNING,
                                               .audience = AUDIENCE_ALL,
                                               .finish_transfers = true,
                                               .stage_started_ms = now_ms,
                                               .created_ms = now_ms,
                                               .started_ms = now_ms};
    bool found;
    snprintf(made.target, sizeof made.target, "%s", target);
    snprintf(made.created_by, sizeof made.created_by, "%s", by);
    snprintf(made.forecast, sizeof made.forecast, "%s", forecast);
    snprintf(firmware->target, sizeof firmware->target, "%s", target);
    if (!campaign_plain_of(db, firmware->id, &plain, &found, err))
        return false;
    if (found && plain.state == CAMPAIGN_RUNNING && strcmp(plain.target, target) == 0)
        return true;
    if ((target[0] && !campaign_check_conflict(db, &made, plain.id, err)) ||
        (found && !end_plain(db, &plain, now_ms, err)))
        return false;
    return !target[0] ||
           (campaign_add(db, &made, err) && campaign_stages_set(db, made.id, &plain_stages, err));
}

bool campaign_withdraw(struct db *db, int64_t firmware_id, const char *version, int64_t now_ms,
                       struct error *err)
{
    _cleanup_(cleanup_free) struct campaign *list = NULL;
    size_t count;
    char why[GATE_WHY_SIZE];
    snprintf(why, sizeof why, "version %s is withdrawn", version);
    if (!campaign_list_leading(db, firmware_id, version, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (list[i].state == CAMPAIGN_RUNNING &&
            !campaign_run(db, &list[i], CAMPAIGN_PAUSE, why, NULL, now_ms, err))
            return false;
    return true;
}
