/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/campaign/life.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "server/campaign/breach.h"
#include "server/core/log.h"
#include "server/ledger/event.h"
#include "server/webhook/notify_campaign.h"
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

bool campaign_refuse_conflict(const struct campaign *campaign, const struct campaign *other,
                              struct error *err)
{
    return error_set(
        err, ERROR_CAMPAIGN_CONFLICT,
        "%s%s (to %s) and %s%s (to %s) have devices in common, and lead them to different versions",
        campaign->plain ? "the " : "campaign ", campaign->name, campaign->target,
        other->plain ? "the " : "campaign ", other->name, other->target);
}

bool campaign_check_conflict(struct db *db, const struct campaign *campaign, int64_t besides,
                             struct error *err)
{
    struct campaign other;
    bool found;
    if (!campaign_conflict(db, campaign, besides, &other, &found, err))
        return false;
    return !found || campaign_refuse_conflict(campaign, &other, err);
}

/* ---- events ---- */

/* Devices that run the target already are confirmed; those that take no part are out. */
static bool start(struct db *db, struct campaign *campaign, int64_t now_ms, struct error *err)
{
    struct stages stages;
    if (!campaign_check_conflict(db, campaign, 0, err) ||
        !campaign_stages_load(db, campaign->id, &stages, err))
        return false;
    campaign->started_ms = now_ms;
    campaign->ahead = campaign->out = campaign->reach = campaign->reached = campaign->asked_stage = 0;
    campaign->breach = BREACH_NONE;
    campaign->last_done = false;
    if (campaign->audience == AUDIENCE_LIST &&
        (!campaign_device_out_all(db, campaign->id, now_ms, &campaign->out, err) ||
         !campaign_device_confirm_all(db, campaign->id, campaign->target, now_ms, &campaign->ahead, err)))
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
        unsigned failed = stage_breached_by(stage, BREACH_FAILED);
        unsigned silent = stage_breached_by(stage, BREACH_SILENT);
        if (stage_breach(stage) == BREACH_NONE)
            continue;
        if (failed > stage_allowed(stage, BREACH_FAILED))
            stage->accepted_failed = failed;
        if (silent > stage_allowed(stage, BREACH_SILENT))
            stage->accepted_silent = silent;
        if (!campaign_stage_accept(db, campaign->id, i, stage, err))
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

static void tell(const struct campaign *campaign, enum campaign_event event, const char *why,
                 const struct campaign_breach *breach)
{
    char reason[REASON_TEXT_SIZE];
    reason_text(why, REASON_ENGLISH, reason);
    log_line(event == CAMPAIGN_PAUSE ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, told[event].event, "campaign",
             campaign->name, "target", campaign->target, "reason", reason[0] ? reason : NULL, "devices",
             breach->text[0] ? breach->text : NULL, NULL);
}

static void add_breach(json_t *detail, const struct campaign *campaign, const struct campaign_breach *breach)
{
    if (!breach->devices)
        return;
    json_object_set_new(detail, "count", json_integer((json_int_t)breach->count));
    json_object_set(detail, "devices", breach->devices);
    json_object_set_new(detail, "gate", json_string(enum_name(&gate_breach_names, campaign->breach)));
    json_object_set_new(detail, "stage", json_integer((json_int_t)campaign->breach_stage + 1));
}

/* A pause by a gate waits for a person; an admin who pauses a campaign knows it. */
static bool notify_paused(struct db *db, const struct campaign *campaign,
                          const struct campaign_breach *breach, int64_t now_ms, struct error *err)
{
    const struct notify_breach known = {breach->devices, breach->count, breach->text};
    char why[REASON_TEXT_SIZE], notice[REASON_TEXT_SIZE + BREACH_TEXT_SIZE + 20];
    snprintf(notice, sizeof notice, "it is paused: %s: %s",
             reason_text(campaign->paused_why, REASON_ENGLISH, why), breach->text);
    return notify_campaign_paused(db, campaign, &known, now_ms, err) &&
           (!breach->devices || notify_campaign_person(db, campaign, "campaign-paused", notice, now_ms, err));
}

/* The row of the ledger, and what webhooks are told. Takes over `detail`. */
static bool note_event(struct db *db, const struct campaign *campaign, enum campaign_event event,
                       const struct campaign_breach *breach, json_t *detail, int64_t now_ms,
                       struct error *err)
{
    add_breach(detail, campaign, breach);
    if (!campaign_note(db, campaign, told[event].kind, now_ms, detail, err))
        return false;
    if (event == CAMPAIGN_PAUSE)
        return notify_paused(db, campaign, breach, now_ms, err);
    return event != CAMPAIGN_FINISH || notify_campaign_finished(db, campaign, now_ms, err);
}

/* The fields that an event sets besides the state. */
static void prepare(struct campaign *campaign, enum campaign_event event, const char *why, int64_t now_ms)
{
    snprintf(campaign->paused_why, sizeof campaign->paused_why, "%s", event == CAMPAIGN_PAUSE ? why : "");
    if (event != CAMPAIGN_PAUSE)
        campaign->breach = BREACH_NONE;
    if (!campaign_is_live(campaign->state))
        campaign->ended_ms = now_ms;
}

static bool store(struct db *db, struct campaign *campaign, enum campaign_event event, int64_t now_ms,
                  struct error *err)
{
    if (event == CAMPAIGN_START && campaign->audience == AUDIENCE_LIST && !campaign->devices)
        return error_set(err, ERROR_INVALID,
                         campaign->filter[0] ? "the filter selects no device now" : "the list has no device");
    if (event == CAMPAIGN_START)
        return start(db, campaign, now_ms, err);
    return (event != CAMPAIGN_RESUME || accept_failures(db, campaign, err)) &&
           campaign_update(db, campaign, err);
}

bool campaign_run(struct db *db, struct campaign *campaign, enum campaign_event event, const char *why,
                  json_t *by, int64_t now_ms, struct error *err)
{
    enum campaign_state before = campaign->state;
    struct campaign_breach breach = {.devices = NULL};
    json_t *detail = json_pack("{s:o*, s:s}", "by", by, "target", campaign->target);
    event_reason(detail, "reason", why);
    bool fits = campaign_apply(&campaign->state, event);
    if (!fits)
        error_set(err, ERROR_CAMPAIGN_STATE, "campaign %s is %s: %s is not possible", campaign->name,
                  campaign_state_name(before), campaign_event_name(event));
    else
        prepare(campaign, event, why, now_ms);
    if (!fits || !campaign_breach_load(db, campaign, &breach, err)) {
        json_decref(detail);
        return false;
    }
    bool ok = note_event(db, campaign, event, &breach, detail, now_ms, err) &&
              store(db, campaign, event, now_ms, err);
    if (ok)
        tell(campaign, event, why, &breach);
    campaign_breach_clear(&breach);
    return ok && campaign_evaluate(db, campaign, now_ms, err);
}

bool campaign_retarget(struct db *db, struct campaign *campaign, const char *target, json_t *by,
                       int64_t now_ms, struct error *err)
{
    struct stages stages;
    json_t *detail = json_pack("{s:s, s:o*, s:s}", "before", campaign->target, "by", by, "target", target);
    snprintf(campaign->target, sizeof campaign->target, "%s", target);
    if (campaign->state == CAMPAIGN_PAUSED)
        reason_write(campaign->paused_why, sizeof campaign->paused_why,
                     REASON(REASON_CAMPAIGN_RETARGETED, R_TEXT(target)));
    campaign->ahead = campaign->out = 0;
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
    char why[REASON_SIZE];
    reason_write(why, sizeof why, REASON(REASON_TARGET_WITHDRAWN, R_TEXT(version)));
    if (!campaign_list_leading(db, firmware_id, version, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (list[i].state == CAMPAIGN_RUNNING &&
            !campaign_run(db, &list[i], CAMPAIGN_PAUSE, why, NULL, now_ms, err))
            return false;
    return true;
}
