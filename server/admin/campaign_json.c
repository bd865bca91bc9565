/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Stages and campaigns as JSON. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/body.h"
#include "server/admin/campaign.h"
#include "server/admin/campaign_forecast.h"
#include "server/admin/path_params.h"
#include "server/admin/reason.h"
#include "server/campaign/breach.h"
#include "server/ledger/event.h"

#define SETTLE_MAX_MS (365 * DAY_MS)

/* ---- stages that an admin writes ---- */

static bool read_number(const json_t *object, const char *name, json_int_t most, json_int_t *value,
                        struct error *err)
{
    const json_t *given = json_object_get(object, name);
    if (!given)
        return true;
    *value = json_integer_value(given);
    return (json_is_integer(given) && *value >= 0 && *value <= most) ||
           error_set(err, ERROR_INVALID, "%s of a stage is a whole number from 0 to %lld", name,
                     (long long)most);
}

static bool read_kind(const json_t *object, struct stage *stage, struct error *err)
{
    json_int_t devices = 0, percent = 0;
    bool all = json_is_true(json_object_get(object, "all"));
    bool by_devices = json_object_get(object, "devices"), by_percent = json_object_get(object, "percent");
    if (all + by_devices + by_percent != 1)
        return error_set(err, ERROR_INVALID, "a stage has one of \"devices\", \"percent\" and \"all\": true");
    if (!read_number(object, "devices", INT32_MAX, &devices, err) ||
        !read_number(object, "percent", 100, &percent, err))
        return false;
    stage->kind = all ? STAGE_ALL : by_devices ? STAGE_DEVICES : STAGE_PERCENT;
    stage->size = (unsigned)(devices + percent);
    return true;
}

static bool check_names(const json_t *object, struct error *err)
{
    return (json_is_object(object) || error_set(err, ERROR_INVALID, "stages is a list of objects")) &&
           body_check_fields("a stage", object,
                             "devices percent all min_confirmed confirmed_percent max_failed max_silent "
                             "settle_ms approvals",
                             err);
}

/* A number of devices that must confirm takes the place of the share. */
static bool read_share(const json_t *object, json_int_t least, json_int_t *percent, struct error *err)
{
    *percent = least ? 0 : 100;
    return read_number(object, "confirmed_percent", 100, percent, err);
}

static bool read_stage(const json_t *object, struct stage *stage, struct error *err)
{
    json_int_t least = 0, percent, failed = 0, silent = 0, settle_ms = 0, approvals = 0;
    if (!check_names(object, err) || !read_kind(object, stage, err) ||
        !read_number(object, "min_confirmed", INT32_MAX, &least, err) ||
        !read_share(object, least, &percent, err) ||
        !read_number(object, "max_failed", INT32_MAX, &failed, err) ||
        !read_number(object, "max_silent", INT32_MAX, &silent, err) ||
        !read_number(object, "settle_ms", SETTLE_MAX_MS, &settle_ms, err) ||
        !read_number(object, "approvals", 2, &approvals, err))
        return false;
    stage->least_confirmed = (unsigned)least;
    stage->confirmed_percent = (unsigned)percent;
    stage->most_failed = (unsigned)failed;
    stage->most_silent = (unsigned)silent;
    stage->settle_ms = settle_ms;
    stage->approvals = (unsigned)approvals;
    return true;
}

bool campaign_read_stages(const json_t *list, struct stages *ret, struct error *err)
{
    unsigned number;
    *ret = (struct stages){.stage = {{.kind = STAGE_ALL, .confirmed_percent = 100}}, .count = 1};
    if (!list || json_is_null(list))
        return true;
    ret->count = (unsigned)json_array_size(list);
    for (unsigned i = 0; i < ret->count && i < CAMPAIGN_STAGES_MAX; i++) {
        ret->stage[i] = (struct stage){.size = 0};
        if (!read_stage(json_array_get(list, i), &ret->stage[i], err))
            return false;
    }
    const char *fault = stages_fault(ret->stage, ret->count, &number);
    return !fault || error_set(err, ERROR_INVALID, "stage %u: %s", number, fault);
}

/* ---- answers ---- */

static json_t *counts_to_json(const unsigned count[CAMPAIGN_OUTCOME_COUNT])
{
    json_t *json = json_object();
    for (int i = OUTCOME_ADMITTED; i < OUTCOME_OUT; i++)
        json_object_set_new(json, campaign_outcome_name((enum campaign_outcome)i), json_integer(count[i]));
    return json;
}

static json_t *stage_to_json(const struct stage *stage)
{
    return json_pack(
        "{s:o, s:o, s:b, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:o, s:o}", "devices",
        stage->kind == STAGE_DEVICES ? json_integer(stage->size) : json_null(), "percent",
        stage->kind == STAGE_PERCENT ? json_integer(stage->size) : json_null(), "all",
        stage->kind == STAGE_ALL, "min_confirmed", (int)stage->least_confirmed, "confirmed_percent",
        (int)stage->confirmed_percent, "max_failed", (json_int_t)stage->most_failed, "max_silent",
        (json_int_t)stage->most_silent, "accepted_failed", (json_int_t)stage->accepted_failed,
        "accepted_silent", (json_int_t)stage->accepted_silent, "settle_ms", (json_int_t)stage->settle_ms,
        "approvals", (int)stage->approvals, "approved", (int)stage->approved, "last_confirmed_at",
        field_number(stage->last_confirmed_ms), "counts", counts_to_json(stage->count));
}

/* Of all stages; with the devices that no stage has admitted. */
static json_t *sum_to_json(const struct campaign *campaign, const struct stages *stages)
{
    unsigned sum[CAMPAIGN_OUTCOME_COUNT] = {0};
    int64_t waiting = campaign->devices - campaign->out - campaign->ahead;
    for (unsigned s = 0; s < stages->count; s++) {
        waiting -= stage_admitted(&stages->stage[s]);
        for (int i = OUTCOME_ADMITTED; i < CAMPAIGN_OUTCOME_COUNT; i++)
            sum[i] += stages->stage[s].count[i];
    }
    sum[OUTCOME_CONFIRMED] += (unsigned)campaign->ahead;
    json_t *json = counts_to_json(sum);
    json_object_set_new(json, campaign_outcome_name(OUTCOME_OUT), json_integer((json_int_t)campaign->out));
    if (campaign->audience == AUDIENCE_LIST)
        json_object_set_new(json, campaign_outcome_name(OUTCOME_WAITING), json_integer(waiting));
    return json;
}

/* What the gate of the current stage waits for. */
static void add_gate(json_t *json, const struct campaign *campaign, const struct stages *stages)
{
    const struct stage_place place = campaign_place(campaign, 0);
    char why[REASON_SIZE];
    bool waits =
        campaign->state == CAMPAIGN_RUNNING && !campaign->plain && campaign->stage + 1 < stages->count;
    if (waits)
        stage_gate(stages->stage, (unsigned)campaign->stage, &place, clock_utc_ms(), why);
    reason_to_json(json, "gate", waits ? why : "");
}

/* The gate that paused the campaign, with the devices that fail now. */
static bool breach_to_json(struct db *db, const struct campaign *campaign, const struct stages *stages,
                           json_t **ret, struct error *err)
{
    _cleanup_(cleanup_free) struct campaign_device_listed *list = NULL;
    size_t count;
    if (!campaign->breach) {
        *ret = json_null();
        return true;
    }
    if (!campaign_device_breached(db, campaign->id, campaign->breach_stage, campaign->breach,
                                  BREACH_DEVICES_MAX, &list, &count, err))
        return false;
    json_t *devices = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(devices, campaign_device_to_json(&list[i]));
    *ret = json_pack("{s:s, s:I, s:I, s:o}", "gate", enum_name(&gate_breach_names, campaign->breach), "stage",
                     (json_int_t)campaign->breach_stage + 1, "count",
                     (json_int_t)stage_breached_by(&stages->stage[campaign->breach_stage], campaign->breach),
                     "devices", devices);
    return true;
}

static json_t *frozen_to_json(const struct campaign *campaign)
{
    return campaign->filter[0] ? json_boolean(campaign->audience == AUDIENCE_LIST) : json_null();
}

/* Only a list has an order. */
static json_t *order_to_json(const struct campaign *campaign)
{
    enum campaign_order order = campaign->order;
    if (campaign->audience != AUDIENCE_LIST)
        return json_null();
    if (order == ORDER_NONE)
        order = campaign->filter[0] ? ORDER_HASH : ORDER_GIVEN;
    return json_string(enum_name(&campaign_order_names, order));
}

/* Of a list. The list of a frozen filter is made by the start. */
static json_t *devices_to_json(const struct campaign *campaign)
{
    bool made = campaign->audience == AUDIENCE_LIST && !(campaign->filter[0] && !campaign->started_ms);
    return made ? json_integer((json_int_t)campaign->devices) : json_null();
}

json_t *campaign_detail(const struct campaign *campaign, unsigned stages, json_t *by)
{
    return json_pack(
        "{s:s, s:o, s:I, s:o*, s:o*, s:I, s:s}", "audience", campaign_audience_name(campaign), "by", by,
        "devices", (json_int_t)(campaign->audience == AUDIENCE_LIST ? campaign->devices : 0), "filter",
        event_text(campaign->filter), "frozen", campaign->filter[0] ? frozen_to_json(campaign) : NULL,
        "stages", (json_int_t)stages, "target", campaign->target);
}

static enum campaign_outcome outcome_of(const struct campaign_member *member, const struct device *device)
{
    const struct campaign *campaign = &member->campaign;
    bool is_here = device->firmware_id == campaign->firmware_id;
    if (device->state == DEVICE_RETIRED || device->held_out_ms)
        return OUTCOME_OUT;
    if (member->known)
        return member->device.outcome;
    return is_here && strcmp(device->confirmed_version, campaign->target) == 0 ? OUTCOME_CONFIRMED
                                                                               : OUTCOME_WAITING;
}

json_t *campaign_member_to_json(const struct campaign_member *member, const struct device *device)
{
    const struct campaign *campaign = &member->campaign;
    enum campaign_outcome outcome = outcome_of(member, device);
    bool admitted = member->known && member->device.admitted && outcome != OUTCOME_OUT;
    if (!campaign->id)
        return json_null();
    return json_pack("{s:I, s:s, s:b, s:s, s:s, s:I, s:o, s:s}", "campaign", (json_int_t)campaign->id, "name",
                     campaign->name, "plain", campaign->plain, "target", campaign->target, "state",
                     campaign_state_name(campaign->state), "stage", (json_int_t)campaign->stage + 1,
                     "admitted_by",
                     admitted ? json_integer((json_int_t)member->device.stage + 1) : json_null(), "outcome",
                     campaign_outcome_name(outcome));
}

bool campaign_to_json(struct db *db, const struct firmware *firmware, const struct campaign *campaign,
                      json_t **ret, struct error *err)
{
    struct stages stages;
    json_t *breach;
    if (!campaign_stages_load(db, campaign->id, &stages, err) ||
        !breach_to_json(db, campaign, &stages, &breach, err))
        return false;
    json_t *list = json_array();
    for (unsigned i = 0; i < stages.count; i++)
        json_array_append_new(list, stage_to_json(&stages.stage[i]));
    json_t *counts = sum_to_json(campaign, &stages);
    json_int_t confirmed =
        json_integer_value(json_object_get(counts, campaign_outcome_name(OUTCOME_CONFIRMED)));
    *ret = json_pack(
        "{s:I, s:s, s:s, s:b, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:I, "
        "s:o, s:o, s:o, s:o, s:o}",
        "campaign", (json_int_t)campaign->id, "name", campaign->name, "firmware", firmware->name, "plain",
        campaign->plain, "target", campaign->target, "state", campaign_state_name(campaign->state),
        "audience", campaign_audience_name(campaign), "filter", field_text(campaign->filter), "frozen",
        frozen_to_json(campaign), "order", order_to_json(campaign), "devices", devices_to_json(campaign),
        "stage", campaign->started_ms ? json_integer((json_int_t)campaign->stage + 1) : json_null(), "counts",
        counts, "stages", list, "pause_when_done", campaign->pause_when_done, "finish_transfers",
        campaign->finish_transfers, "created_by", field_text(campaign->created_by), "created_at",
        (json_int_t)campaign->created_ms, "started_at", field_number(campaign->started_ms),
        "stage_started_at", field_number(campaign->stage_started_ms), "ended_at",
        field_number(campaign->ended_ms), "forecast", campaign_forecast_to_json(campaign), "actual",
        campaign_actual_to_json(campaign, confirmed));
    add_gate(*ret, campaign, &stages);
    reason_to_json(*ret, "paused_why", campaign->paused_why);
    json_object_set_new(*ret, "broken_gate", breach);
    return true;
}

/* ---- The answer of a call ---- */

static bool locate(struct admin_call *call, const struct firmware *firmware, int64_t id, struct error *err)
{
    struct product product;
    char number[24];
    if (!path_params_product(call->request, call->db, &product, err))
        return false;
    snprintf(number, sizeof number, "%lld", (long long)id);
    LOCATE(call, "products", product.product_key, "firmware", firmware->name, "campaigns", number);
    return true;
}

bool campaign_answer(struct admin_call *call, int status, const struct firmware *firmware, int64_t id,
                     struct error *err)
{
    struct campaign campaign;
    json_t *json;
    bool found;
    if (!campaign_by_id(call->db, id, &campaign, &found, err))
        return false;
    if (!found)
        return error_set(err, ERROR_CAMPAIGN_NOT_FOUND, "the campaign was deleted");
    if (!campaign_to_json(call->db, firmware, &campaign, &json, err))
        return false;
    reply_json(&call->reply, status, json);
    return status != 201 || locate(call, firmware, id, err);
}
