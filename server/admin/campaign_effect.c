/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a campaign or a target would do: shown before it starts. One plan for each version that devices
   run. */
#include <stdlib.h>
#include <string.h>

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
    json_t *json = json_pack(
        "{s:o, s:o, s:I, s:s, s:o, s:o, s:o}", "version", field_text(group->version), "build_sha256",
        sha256_is_zero(&group->build) ? json_null() : field_hash(&group->build), "devices",
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
    if (!graph_load(effect->call->daemon, effect->db, effect->firmware, base, &group->build, &effect->target,
                    &graph, err))
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

/* Takes the devices whose build is known out of the group of their version, and puts them behind it as groups. */
static bool split_builds(struct db *db, const struct campaign *campaign, struct campaign_group **groups,
                         size_t *count, struct error *err)
{
    _cleanup_(cleanup_free) struct campaign_group *known = NULL;
    size_t known_count;
    if (!campaign_device_builds(db, campaign, &known, &known_count, err))
        return false;
    if (!known_count)
        return true;
    struct campaign_group *all = calloc(*count + known_count, sizeof *all);
    size_t used = 0;
    if (!all)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (size_t i = 0; i < *count; i++) {
        struct campaign_group rest = (*groups)[i];
        for (size_t j = 0; j < known_count && !rest.out; j++)
            if (strcmp(known[j].version, rest.version) == 0) {
                all[used++] = known[j];
                rest.devices -= known[j].devices;
            }
        if (rest.devices > 0)
            all[used++] = rest;
    }
    free(*groups);
    *groups = all;
    *count = used;
    return true;
}

static bool load_groups(struct effect *effect, const struct campaign *campaign, struct campaign_group **ret,
                        size_t *ret_count, struct error *conflict, struct error *err)
{
    bool asks =
        campaign->filter[0] && (campaign->audience == AUDIENCE_ALL || campaign->state == CAMPAIGN_DRAFT);
    if (asks)
        return campaign_filter_groups(effect->db, effect->firmware, campaign, ret, ret_count, conflict, err);
    return campaign_device_groups(effect->db, campaign, ret, ret_count, err) &&
           split_builds(effect->db, campaign, ret, ret_count, err);
}

/* The build of the target for devices that can take each of its builds; null: there are several, and none is the default. */
static bool target_to_json(const struct effect *effect, const char *version, json_t **ret, struct error *err)
{
    struct image image;
    bool found;
    if (!image_find(effect->db, effect->firmware->id, version, &image, &found, err))
        return false;
    *ret = found ? json_pack("{s:o, s:o, s:b}", "variant", field_text(image.variant), "sha256",
                             field_hash(&image.sha256), "default", (int)image.is_default)
                 : json_null();
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
    if (!load_groups(&effect, campaign, &groups, &count, &conflict, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!look_at(&effect, &groups[i], i >= GROUPS_MAX, err))
            return false;
    const struct campaign_outlook *outlook = &effect.outlook;
    json_t *forecast, *build;
    if (!campaign_outlook_to_json(db, campaign, outlook, &forecast, err))
        return false;
    if (!target_to_json(&effect, campaign->target, &build, err)) {
        json_decref(forecast);
        return false;
    }
    *ret = json_pack("{s:b, s:s, s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:O}", "dry_run", 1, "target",
                     campaign->target, "target_build", build, "devices", (json_int_t)outlook->audience, "out",
                     (json_int_t)effect.out, "bytes", (json_int_t)outlook->bytes, "unreachable",
                     (json_int_t)outlook->unreachable, "conflict", field_text(conflict.text), "forecast",
                     forecast, "groups", list);
    return true;
}

bool campaign_is_dry_run(const struct request *request, bool *ret, struct error *err)
{
    uint64_t number = 0;
    bool ok = call_query_number(request, "dry_run", 0, 1, &number, err);
    *ret = number == 1;
    return ok;
}
