/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* …/campaigns/{campaign}/start, /pause, /resume, /cancel, /approve, /retarget, /copy */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/body.h"
#include "server/admin/campaign_forecast.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/campaign/gate.h"

struct action {
    struct admin_call *call;
    enum campaign_event event;
    const char *text; /* a reason, a name; NULL: none */
    const char *target;
    struct campaign_path path;
    uint64_t stage;                        /* that is approved, from 1 */
    char forecast[CAMPAIGN_FORECAST_SIZE]; /* of a start and of a retarget */
    struct campaign_selection selection;   /* of the filter, for a start and a new target */
};

static bool answer(struct admin_call *call, const struct action *action, int status, struct error *err)
{
    return campaign_answer(call, status, &action->path.firmware, action->path.campaign.id, err);
}

static bool find(struct action *action, struct db *db, struct error *err)
{
    return campaign_path_find(action->call->request, db, &action->path, err);
}

/* The target of a firmware is changed by its own calls. */
static bool check_not_plain(const struct action *action, struct error *err)
{
    return !action->path.campaign.plain ||
           error_set(err, ERROR_CAMPAIGN_STATE,
                     "this campaign is the target of the firmware: use PUT or DELETE …/target");
}

/* A start and a resume lead devices to the target. */
static bool check_target(const struct action *action, struct db *db, struct error *err)
{
    const struct campaign *campaign = &action->path.campaign;
    char target[VERSION_TEXT_SIZE];
    bool leads = action->event == CAMPAIGN_START ||
                 (action->event == CAMPAIGN_RESUME && campaign->state == CAMPAIGN_PAUSED && !campaign->plain);
    return !leads || campaign_read_target(db, &action->path.firmware, campaign->target, target, err);
}

static bool run_event(void *cls, struct db *db, struct error *err)
{
    struct action *action = cls;
    struct campaign *campaign = &action->path.campaign;
    if (!find(action, db, err) || !check_target(action, db, err) ||
        (action->event == CAMPAIGN_CANCEL && !check_not_plain(action, err)))
        return false;
    if (action->event == CAMPAIGN_START && campaign->state == CAMPAIGN_DRAFT &&
        !campaign_filter_apply(db, campaign, &action->selection, err))
        return false;
    if (action->event == CAMPAIGN_START)
        snprintf(campaign->forecast, sizeof campaign->forecast, "%s", action->forecast);
    return campaign_run(db, campaign, action->event, action->text ? action->text : "",
                        event_by(action->call->request), clock_utc_ms(), err);
}

static bool run(struct admin_call *call, enum campaign_event event, const char *text, struct error *err)
{
    struct action action = {.call = call, .event = event, .text = text};
    return call_change(call, run_event, &action, err) && answer(call, &action, 200, err);
}

/* What reads the fleet is done before the writer is asked: the forecast plans a path for each version, and a filter
   looks at each device. `target` NULL: that of the campaign. */
static bool look_ahead(struct action *action, const char *target, struct error *err)
{
    struct admin_call *call = action->call;
    struct campaign_path path;
    const struct campaign *campaign = &path.campaign;
    if (!campaign_path_find(call->request, call->db, &path, err) ||
        (target && !campaign_read_target(call->db, &path.firmware, target, path.campaign.target, err)) ||
        !campaign_forecast(call, call->db, &path.firmware, campaign, 0, action->forecast, err))
        return false;
    bool selects = target ? campaign->audience == AUDIENCE_ALL : campaign->state == CAMPAIGN_DRAFT;
    return !selects || campaign_filter_select(call->db, &path.firmware, campaign, campaign->target,
                                              &action->selection, err);
}

static bool change_ahead(struct action *action, const char *target, writer_function *change,
                         struct error *err)
{
    bool ok = look_ahead(action, target, err) && call_change(action->call, change, action, err);
    free(action->selection.item);
    return ok && answer(action->call, action, 200, err);
}

bool admin_campaign_start(struct admin_call *call, struct error *err)
{
    struct action action = {.call = call, .event = CAMPAIGN_START};
    struct campaign_path path;
    json_t *json;
    bool dry;
    if (!campaign_is_dry_run(call->request, &dry, err))
        return false;
    if (!dry)
        return change_ahead(&action, NULL, run_event, err);
    if (!campaign_path_find(call->request, call->db, &path, err) ||
        !campaign_effect(call, call->db, &path.firmware, &path.campaign, 0, &json, err))
        return false;
    reply_json(&call->reply, 200, json);
    return true;
}

#define PAUSE_REASON_MAX 159 /* bytes */

bool admin_campaign_pause(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    const char *reason = NULL;
    char unnamed[REASON_SIZE];
    if (call->request->body.len && !call_body(call, &body, err))
        return false;
    if (body && !body_unpack(body, err, "{s?s}", "reason", &reason))
        return false;
    if (reason)
        return call_check_text("reason", reason, PAUSE_REASON_MAX, err) &&
               run(call, CAMPAIGN_PAUSE, reason, err);
    reason_write(unnamed, sizeof unnamed, REASON(REASON_PAUSED_BY_ADMIN));
    return run(call, CAMPAIGN_PAUSE, unnamed, err);
}

bool admin_campaign_resume(struct admin_call *call, struct error *err)
{
    return run(call, CAMPAIGN_RESUME, NULL, err);
}

bool admin_campaign_cancel(struct admin_call *call, struct error *err)
{
    return run(call, CAMPAIGN_CANCEL, NULL, err);
}

/* ---- approval ---- */

/* The admin names the stage: after a look at stage 1, its approval must not count for stage 2, which may have
   begun since. */
static bool check_stage(const struct action *action, struct db *db, struct error *err)
{
    const struct campaign *campaign = &action->path.campaign;
    unsigned long long named = action->stage, current = (unsigned long long)campaign->stage + 1;
    struct stages stages;
    if (!campaign_is_live(campaign->state))
        return error_set(err, ERROR_CAMPAIGN_STATE, "campaign %s is %s: there is no stage to approve",
                         campaign->name, campaign_state_name(campaign->state));
    if (named != current)
        return error_set(err, ERROR_CAMPAIGN_STATE, "the current stage is stage %llu, not stage %llu",
                         current, named);
    if (!campaign_stages_load(db, campaign->id, &stages, err))
        return false;
    const struct stage *stage = &stages.stage[campaign->stage];
    if (!stage->approvals)
        return error_set(err, ERROR_CAMPAIGN_STATE, "stage %llu needs no approval", current);
    return stage->approved < stage->approvals ||
           error_set(err, ERROR_CAMPAIGN_STATE, "stage %llu has all approvals: %u of %u", current,
                     stage->approved, stage->approvals);
}

static bool approve(void *cls, struct db *db, struct error *err)
{
    struct action *action = cls;
    struct campaign *campaign = &action->path.campaign;
    int64_t now_ms = clock_utc_ms();
    bool is_new;
    if (!find(action, db, err) || !check_not_plain(action, err) || !check_stage(action, db, err))
        return false;
    if (!campaign_approve(db, campaign->id, (unsigned)campaign->stage, action->text, now_ms, &is_new, err))
        return false;
    if (!is_new)
        return error_set(err, ERROR_ALREADY_APPROVED,
                         "%s has approved stage %lld already: another admin must approve it", action->text,
                         (long long)campaign->stage + 1);
    return campaign_note(db, campaign, LEDGER_CAMPAIGN_APPROVED, now_ms,
                         json_pack("{s:o, s:I}", "by", event_by(action->call->request), "stage",
                                   (json_int_t)campaign->stage + 1),
                         err) &&
           campaign_evaluate(db, campaign, now_ms, err);
}

bool admin_campaign_approve(struct admin_call *call, struct error *err)
{
    char name[ADMIN_NAME_SIZE];
    struct action action = {.call = call, .text = name};
    if (!call_query_number(call->request, "stage", 1, CAMPAIGN_STAGES_MAX, &action.stage, err))
        return false;
    if (!action.stage)
        return error_set(err, ERROR_BAD_REQUEST, "say which stage is approved: ?stage=N");
    event_by_text(call->request, name);
    if (!name[0])
        return error_set(err, ERROR_BAD_REQUEST, "say who approves the stage: ?by=NAME");
    return call_change(call, approve, &action, err) && answer(call, &action, 200, err);
}

/* ---- retarget and copy ---- */

static bool retarget(void *cls, struct db *db, struct error *err)
{
    struct action *action = cls;
    struct campaign *campaign = &action->path.campaign;
    char target[VERSION_TEXT_SIZE];
    if (!find(action, db, err) || !check_not_plain(action, err) ||
        !campaign_read_target(db, &action->path.firmware, action->target, target, err))
        return false;
    if (campaign->state != CAMPAIGN_DRAFT && !campaign_is_live(campaign->state))
        return error_set(err, ERROR_CAMPAIGN_STATE, "campaign %s is %s: copy it", campaign->name,
                         campaign_state_name(campaign->state));
    if (campaign_is_live(campaign->state))
        snprintf(campaign->forecast, sizeof campaign->forecast, "%s", action->forecast);
    if (campaign->audience == AUDIENCE_ALL && campaign->state != CAMPAIGN_DRAFT &&
        !campaign_filter_apply(db, campaign, &action->selection, err))
        return false;
    return campaign_retarget(db, campaign, target, event_by(action->call->request), clock_utc_ms(), err);
}

bool admin_campaign_retarget(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct action action = {.call = call};
    if (!call_body(call, &body, err))
        return false;
    if (!body_unpack(body, err, "{s:s}", "target", &action.target))
        return false;
    return change_ahead(&action, action.target, retarget, err);
}

/* What an admin wrote, without what came of it. */
static struct campaign draft_of(const struct campaign *from, const char *name)
{
    struct campaign made = {.firmware_id = from->firmware_id,
                            .state = CAMPAIGN_DRAFT,
                            .audience = from->audience,
                            .order = from->order,
                            .firsts = from->firsts,
                            .pause_when_done = from->pause_when_done,
                            .finish_transfers = from->finish_transfers,
                            .created_ms = clock_utc_ms()};
    snprintf(made.name, sizeof made.name, "%s", name);
    memcpy(made.target, from->target, sizeof made.target);
    memcpy(made.filter, from->filter, sizeof made.filter);
    return made;
}

static bool copy(void *cls, struct db *db, struct error *err)
{
    struct action *action = cls;
    struct campaign *campaign = &action->path.campaign;
    struct stages stages;
    if (!find(action, db, err) || !check_not_plain(action, err))
        return false;
    int64_t from = campaign->id;
    if (!campaign_stages_load(db, from, &stages, err) ||
        (action->target &&
         !campaign_read_target(db, &action->path.firmware, action->target, campaign->target, err)))
        return false;
    *campaign = draft_of(campaign, action->text);
    bool is_list = campaign->audience == AUDIENCE_LIST;
    int64_t below =
        campaign->filter[0] ? campaign->firsts : INT64_MAX; /* the start makes the rest of the list */
    event_by_text(action->call->request, campaign->created_by);
    return campaign_add(db, campaign, err) && campaign_stages_set(db, campaign->id, &stages, err) &&
           (!is_list || campaign_device_copy_all(db, from, campaign->id, below, &campaign->devices, err)) &&
           campaign_update(db, campaign, err) &&
           campaign_note(db, campaign, LEDGER_CAMPAIGN_ADDED, campaign->created_ms,
                         campaign_detail(campaign, stages.count, event_by(action->call->request)), err);
}

bool admin_campaign_copy(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct action action = {.call = call};
    if (!call_body(call, &body, err))
        return false;
    if (!body_unpack(body, err, "{s:s, s?s}", "name", &action.text, "target", &action.target))
        return false;
    return campaign_check_name(action.text, err) && call_change(call, copy, &action, err) &&
           answer(call, &action, 201, err);
}
