/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* …/firmware/{firmware}/paths?from=&to=: the path between two versions, why it is this one, and what to do
   if there is none. GET only reads; POST asks for the packages that are missing. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/package_format.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "server/admin/reason.h"
#include "server/planning/graph.h"
#include "server/planning/package_key.h"
#include "server/core/log.h"
#include "server/planning/request.h"
#include "upgrade/plan_advice.h"
#include "upgrade/plan_text.h"

#define EXCLUDED_MAX 100 /* pairs in the list; a longer list is not readable */

struct way { /* the question and the answer */
    struct admin_call *call;
    struct product product;
    struct firmware firmware;
    struct version from, to;
    char from_text[VERSION_TEXT_SIZE], to_text[VERSION_TEXT_SIZE];
    struct graph graph;
    struct plan plan;
    struct plan deltas;  /* the plan without full packages of CSDK */
    json_t *deltas_hops; /* owned */
};

/* ---- The question ---- */

static bool read_version(const struct request *request, const char *name, const char *firmware,
                         struct version *ret, char ret_text[VERSION_TEXT_SIZE], struct error *err)
{
    char text[FIRMWARE_NAME_SIZE + VERSION_TEXT_SIZE];
    bool found;
    if (!request_query(request, name, text, sizeof text, &found, err))
        return false;
    if (!found)
        return error_set(err, ERROR_BAD_REQUEST, "name both versions of the path: from and to");
    if (!name_parse_version_of(slice_of(text), firmware, ret, err))
        return false;
    version_format(ret, ret_text);
    return true;
}

/* ---- Pairs ---- */

static json_t *pair_json(const struct way *way, unsigned from, unsigned to)
{
    const struct image *a = &way->graph.image[from], *b = &way->graph.image[to];
    return json_pack("{s:s, s:o, s:s, s:o}", "from", a->version, "from_variant", field_text(a->variant), "to",
                     b->version, "to_variant", field_text(b->variant));
}

static void add_pair(json_t *list, const struct way *way, unsigned from, unsigned to)
{
    const struct plan_edge *edge = plan_edge(&way->graph.plan, from, to);
    bool made = edge->state == EDGE_READY || edge->state == EDGE_UNPROVEN;
    json_t *pair = pair_json(way, from, to);
    json_object_set_new(pair, "size", made ? json_integer((json_int_t)edge->size) : json_null());
    json_object_set_new(pair, "counted", made ? json_integer((json_int_t)plan_counted(edge)) : json_null());
    json_object_set_new(pair, "full", json_boolean(edge->whole || edge->full));
    json_object_set_new(pair, "state", json_string(plan_state_name(&way->graph.plan, edge)));
    json_array_append_new(list, pair);
}

/* The hops of the plan that was made last. */
static json_t *hops_json(const struct way *way, const struct plan *plan)
{
    json_t *list = json_array();
    for (unsigned at = 0; plan->hops && at != way->graph.plan.count - 1; at = plan_next(&way->graph.plan, at))
        add_pair(list, way, at, plan_next(&way->graph.plan, at));
    return list;
}

/* ---- The way ---- */

/* An image of the target must exist, the image of the base may be missing. */
static bool find_way(struct way *way, struct db *db, struct error *err)
{
    const struct request *request = way->call->request;
    struct image target, build = {.id = 0};
    char variant[VARIANT_SIZE];
    bool given;
    if (!path_params_firmware(request, db, &way->product, &way->firmware, err) ||
        !read_version(request, "from", way->firmware.name, &way->from, way->from_text, err) ||
        !read_version(request, "to", way->firmware.name, &way->to, way->to_text, err))
        return false;
    if (version_compare(&way->from, &way->to) == 0)
        return error_set(err, ERROR_INVALID, "from and to are both %s: a path needs two different versions",
                         way->from_text);
    if (!image_get(db, way->firmware.id, way->to_text, &target, err) && err->code != ERROR_SEVERAL_BUILDS)
        return false;
    if (!path_params_variant(request, "from_variant", variant, &given, err) ||
        (given && !image_get_build(db, way->firmware.id, way->from_text, variant, &build, err)))
        return false;
    if (!graph_load(way->call->daemon, db, &way->firmware, &way->from, build.id ? &build.sha256 : NULL,
                    &way->to, &way->graph, err))
        return false;
    plan_make(&way->graph.plan, &way->deltas);
    way->deltas_hops = hops_json(way, &way->deltas);
    return graph_plan(db, &way->firmware, &way->graph, &way->plan, err);
}

/* ---- The answer ---- */

static const char *const states[] = {[PLAN_PATH] = "path", [PLAN_WAIT] = "waiting", [PLAN_NONE] = "none"};

static json_t *waiting_json(const struct way *way)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < way->plan.need_count; i++)
        add_pair(list, way, way->plan.need[i].from, way->plan.need[i].to);
    return list;
}

/* True for excluded pairs from the base or to the target and, if there is no path, for all others. A
   version that cannot be a waypoint is shown only once. */
static bool is_worth_telling(const struct way *way, unsigned from, unsigned to)
{
    unsigned last = way->graph.plan.count - 1;
    const struct plan_version *version = &way->graph.plan.version[from];
    if (plan_fit(&way->graph.plan, from, to) != FIT_EXCLUDED)
        return false;
    if (from == 0 && to == last)
        return true;
    if (plan_edge(&way->graph.plan, from, to)->state == EDGE_IMPOSSIBLE)
        return false;
    if (from > 0 && (version->withdrawn || version->waypoint == WAYPOINT_FORBIDDEN))
        return false;
    return from == 0 || to == last || way->plan.outcome == PLAN_NONE;
}

static json_t *excluded_json(const struct way *way)
{
    char why[REASON_SIZE];
    json_t *list = json_array();
    for (unsigned from = 0; from < way->graph.plan.count; from++)
        for (unsigned to = way->graph.plan.count; --to > from && json_array_size(list) < EXCLUDED_MAX;) {
            if (!is_worth_telling(way, from, to))
                continue;
            json_t *pair = pair_json(way, from, to);
            plan_why(&way->graph.plan, from, to, why);
            reason_to_json(pair, "reason", why);
            json_array_append_new(list, pair);
        }
    return list;
}

static bool missing_versions(struct way *way, struct db *db, struct version **ret, size_t *ret_count,
                             struct error *err)
{
    _cleanup_(cleanup_free) struct missing_base *list = NULL;
    size_t count;
    if (!firmware_missing_bases(db, way->firmware.id, &list, &count, err))
        return false;
    *ret = calloc(count + 1, sizeof **ret);
    if (!*ret)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (*ret_count = 0; *ret_count < count; ++*ret_count)
        version_parse(slice_of(list[*ret_count].version), &(*ret)[*ret_count]);
    return true;
}

static bool advise(struct way *way, struct db *db, char out[REASON_SIZE], struct error *err)
{
    _cleanup_(cleanup_free) struct version *missing = NULL;
    size_t count = 0;
    bool down = version_compare(&way->from, &way->to) > 0;
    if (!missing_versions(way, db, &missing, &count, err))
        return false;
    plan_advice(&way->graph.plan, &way->plan, missing, count, out);
    bool full =
        image_is_full(&way->graph.image[0]) || image_is_full(&way->graph.image[way->graph.plan.count - 1]);
    if (!way->firmware.format[0] && way->plan.outcome == PLAN_NONE &&
        !full) /* a full package needs no format */
        reason_write(out, REASON_SIZE, REASON(REASON_ADVICE_FORMAT));
    else if (!out[0] && down && !way->firmware.downgrades)
        reason_write(out, REASON_SIZE, REASON(REASON_ADVICE_DOWNGRADES));
    return true;
}

/* Whether a hop of the path is a full package of CSDK. */
static bool uses_full(const struct way *way)
{
    const struct plan_graph *graph = &way->graph.plan;
    for (unsigned at = 0; way->plan.hops && at != graph->count - 1; at = plan_next(graph, at))
        if (plan_edge(graph, at, plan_next(graph, at))->whole)
            return true;
    return false;
}

static json_t *deltas_to_json(const struct way *way)
{
    return json_pack("{s:s, s:O, s:o}", "state", states[way->deltas.outcome], "hops", way->deltas_hops,
                     "size", field_number((int64_t)way->deltas.bytes));
}

static bool has_full(const struct way *way, const struct image *target)
{
    return firmware_takes_full_packages(&way->firmware) && target->id && !image_is_full(target);
}

/* Both ways: the full package of the target and the path of deltas. Null: the firmware takes no full packages. */
static bool full_to_json(const struct way *way, struct db *db, json_t **ret, struct error *err)
{
    const struct image *target = &way->graph.image[way->graph.plan.count - 1];
    struct package_key key;
    struct package package;
    bool found;
    *ret = NULL;
    if (!has_full(way, target))
        return true;
    package_key_of_whole(&way->firmware, target, &key);
    if (!package_find(db, &key, &package, &found, err))
        return false;
    bool sized = found && package.size_bytes > 0, compared = sized && way->deltas.hops;
    json_int_t more = sized ? (json_int_t)package.size_bytes - (json_int_t)way->deltas.bytes : 0;
    *ret =
        json_pack("{s:s, s:o, s:I, s:b, s:o, s:o}", "state", found ? package_state_name(&package) : "unknown",
                  "size", sized ? json_integer((json_int_t)package.size_bytes) : json_null(), "limit",
                  (json_int_t)PACKAGE_FORMAT_EC618_FULL_MAX, "used", uses_full(way), "more_bytes",
                  compared ? json_integer(more) : json_null(), "deltas", deltas_to_json(way));
    return true;
}

static bool to_json(struct way *way, struct db *db, json_t **ret, struct error *err)
{
    char advice[REASON_SIZE];
    json_t *full;
    if (!full_to_json(way, db, &full, err))
        return false;
    json_t *json = json_pack(
        "{s:s, s:s, s:o, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:I, s:o?}", "firmware", way->firmware.name,
        "from", way->from_text, "from_variant", field_text(way->graph.image[0].variant), "to", way->to_text,
        "to_variant", field_text(way->graph.image[way->graph.plan.count - 1].variant), "state",
        states[way->plan.outcome], "hops", hops_json(way, &way->plan), "size",
        field_number((int64_t)way->plan.bytes), "excluded", excluded_json(way), "waiting", waiting_json(way),
        "limit", (json_int_t)way->firmware.max_package_bytes, "full", full);
    if (!advise(way, db, advice, err)) {
        json_decref(json);
        return false;
    }
    reason_to_json(json, "advice", advice);
    *ret = json;
    return true;
}

/* ---- The calls ---- */

static void free_way(struct way *way)
{
    graph_free(&way->graph);
    json_decref(way->deltas_hops);
}

bool admin_path_show(struct admin_call *call, struct error *err)
{
    struct way way = {.call = call};
    json_t *json;
    bool ok = find_way(&way, call->db, err) && to_json(&way, call->db, &json, err);
    free_way(&way);
    if (ok)
        reply_json(&call->reply, 200, json);
    return ok;
}

struct asked {
    struct way way;
    json_t *json;
};

/* The packages that the path waits for, and the full package of the target: without it the two ways cannot be compared. */
static bool ask_packages(const struct way *way, struct db *db, struct error *err)
{
    const struct image *target = &way->graph.image[way->graph.plan.count - 1];
    struct daemon *daemon = way->call->daemon;
    struct package_key key;
    for (unsigned i = 0; i < way->plan.need_count; i++) {
        graph_package_key(daemon, &way->firmware, &way->graph, &way->plan.need[i], &key);
        if (!package_request_key(db, daemon, &key, clock_utc_ms(), err))
            return false;
    }
    if (!has_full(way, target))
        return true;
    package_key_of_whole(&way->firmware, target, &key);
    return package_request_key(db, daemon, &key, clock_utc_ms(), err);
}

static bool ask(void *cls, struct db *db, struct error *err)
{
    struct asked *asked = cls;
    struct way *way = &asked->way;
    bool ok = find_way(way, db, err) && ask_packages(way, db, err) && to_json(way, db, &asked->json, err);
    free_way(way);
    return ok;
}

bool admin_path_ask(struct admin_call *call, struct error *err)
{
    struct asked asked = {.way = {.call = call}};
    if (!call_change(call, ask, &asked, err)) {
        json_decref(asked.json);
        return false;
    }
    log_line(LOG_LEVEL_INFO, "path-asked", "product", asked.way.product.product_key, "firmware",
             asked.way.firmware.name, "from", asked.way.from_text, "to", asked.way.to_text, NULL);
    reply_json(&call->reply, asked.way.plan.outcome == PLAN_WAIT ? 202 : 200, asked.json);
    return true;
}
