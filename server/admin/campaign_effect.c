/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a campaign or a target would do: shown before it starts. One plan for each version that devices
   run. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "server/admin/campaign_forecast.h"
#include "server/admin/reason.h"
#include "server/campaign/gate.h"
#include "upgrade/plan_text.h"

#define GROUPS_MAX 200 /* versions that are planned; the devices of more versions are only counted */

struct effect {
    struct admin_call *call;
    struct db *db;
    const struct firmware *firmware;
    struct version target;
    json_t *groups;
    struct campaign_outlook outlook;
    int64_t out; /* devices that take no part */
};

static void add_group(struct effect *effect, const struct campaign_group *group, const char *outcome,
                      json_t *path, int64_t bytes, const char *reason)
{
    struct campaign_outlook *outlook = &effect->outlook;
    size_t stops = json_array_size(path);
    json_t *json =
        json_pack("{s:o, s:I, s:s, s:o, s:o, s:o}", "version", field_text(group->version), "devices",
                  (json_int_t)group->devices, "effect", outcome, "path", path ? path : json_null(), "hops",
                  field_number(stops ? (int64_t)stops - 1 : 0), "bytes_per_device", field_number(bytes));
    reason_to_json(json, "reason", reason);
    json_array_append_new(effect->groups, json);
    outlook->audience += group->out ? 0 : group->devices;
    effect->out += group->out ? group->devices : 0;
    if (strcmp(outcome, "waiting") == 0)
        outlook->waiting += group->devices;
    if (strcmp(outcome, "unreachable") == 0)
        outlook->unreachable += group->devices;
    if (strcmp(outcome, "unknown") == 0)
        outlook->unknown += group->devices;
}

static json_t *path_to_json(const struct graph *graph, const struct plan *plan)
{
    if (plan->outcome != PLAN_PATH || !plan->hops)
        return NULL;
    json_t *path = json_pack("[s]", graph->image[0].version);
    for (unsigned at = 0; at != graph->plan.count - 1;) {
        at = plan_next(&graph->plan, at);
        json_array_append_new(path, json_string(graph->image[at].version));
    }
    return path;
}

static bool plan_group(struct effect *effect, const struct campaign_group *group, const struct version *base,
                       struct error *err)
{
    static const char *const outcomes[] = {"upgrade", "waiting", "unreachable"};
    char reason[REASON_SIZE];
    struct graph graph;
    struct plan plan;
    if (!graph_load(effect->call->daemon, effect->db, effect->firmware, base, NULL, &effect->target, &graph,
                    err))
        return false;
    if (!graph_plan(effect->db, effect->firmware, &graph, &plan, err)) {
        graph_free(&graph);
        return false;
    }
    plan_reason(&graph.plan, &plan, reason);
    add_group(effect, group, outcomes[plan.outcome], path_to_json(&graph, &plan),
              plan.outcome == PLAN_PATH ? (int64_t)plan.bytes : 0, reason);
    bool ok =
        plan.outcome != PLAN_PATH || campaign_outlook_add(effect->call, effect->db, effect->firmware, &graph,
                                                          &plan, group->devices, &effect->outlook, err);
    graph_free(&graph);
    return ok;
}

static void add_left(struct effect *effect, const struct campaign_group *group, const char *outcome,
                     enum reason_code code)
{
    char reason[REASON_SIZE];
    reason_write(reason, sizeof reason, REASON(code));
    add_group(effect, group, outcome, NULL, 0, reason);
}

static bool look_at(struct effect *effect, const struct campaign_group *group, bool many, struct error *err)
{
    struct version base;
    if (group->out) {
        add_left(effect, group, "out", REASON_GROUP_OUT);
        return true;
    }
    if (!version_parse(slice_of(group->version), &base)) {
        add_left(effect, group, "unknown", REASON_GROUP_UNKNOWN);
        return true;
    }
    int order = version_compare(&base, &effect->target);
    if (order == 0) {
        add_group(effect, group, "up_to_date", NULL, 0, NULL);
    } else if (order > 0 && !effect->firmware->downgrades) {
        add_left(effect, group, "above", REASON_GROUP_ABOVE);
    } else if (many) {
        add_left(effect, group, "unknown", REASON_GROUP_NOT_PLANNED);
    } else {
        return plan_group(effect, group, &base, err);
    }
    return true;
}

bool campaign_effect(struct admin_call *call, struct db *db, const struct firmware *firmware,
                     const struct campaign *campaign, int64_t besides, json_t **ret, struct error *err)
{
    _cleanup_(cleanup_free) struct campaign_group *groups = NULL;
    _cleanup_(cleanup_json) json_t *list = json_array();
    struct effect effect = {.call = call, .db = db, .firmware = firmware, .groups = list};
    struct error conflict = {.text = ""};
    size_t count;
    version_parse(slice_of(campaign->target), &effect.target);
    if (!campaign_check_conflict(db, campaign, besides, &conflict) &&
        conflict.code != ERROR_CAMPAIGN_CONFLICT) {
        *err = conflict;
        return false;
    }
    bool asks =
        campaign->filter[0] && (campaign->audience == AUDIENCE_ALL || campaign->state == CAMPAIGN_DRAFT);
    if (!(asks ? campaign_filter_groups(db, firmware, campaign, &groups, &count, &conflict, err)
               : campaign_device_groups(db, campaign, &groups, &count, err)))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!look_at(&effect, &groups[i], i >= GROUPS_MAX, err))
            return false;
    const struct campaign_outlook *outlook = &effect.outlook;
    json_t *forecast;
    if (!campaign_outlook_to_json(db, campaign, outlook, &forecast, err))
        return false;
    *ret =
        json_pack("{s:b, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:O}", "dry_run", 1, "target", campaign->target,
                  "devices", (json_int_t)outlook->audience, "out", (json_int_t)effect.out, "bytes",
                  (json_int_t)outlook->bytes, "unreachable", (json_int_t)outlook->unreachable, "conflict",
                  field_text(conflict.text), "forecast", forecast, "groups", list);
    return true;
}

bool campaign_is_dry_run(const struct request *request, bool *ret, struct error *err)
{
    uint64_t number = 0;
    bool ok = call_query_number(request, "dry_run", 0, 1, &number, err);
    *ret = number == 1;
    return ok;
}
