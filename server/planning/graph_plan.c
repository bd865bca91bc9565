/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Planning over a graph: deltas, and full packages of CSDK. */
#include "server/planning/graph.h"

#include <stdlib.h>
#include <string.h>

#include "server/planning/package_key.h"

static bool is_excluded(const struct graph *graph, const struct plan_edge *edge)
{
    switch ((enum plan_edge_state)edge->state) {
    case EDGE_READY:
        return plan_counted(edge) > graph->plan.limit && !edge->improving && !edge->whole;
    case EDGE_UNKNOWN:
    case EDGE_QUEUED:
    case EDGE_GENERATING:
        return false;
    default:
        return true;
    }
}

static bool set_whole(struct plan_edge *edge, const struct package *package, bool found, struct error *err)
{
    static const enum plan_edge_state states[] = {
        [PACKAGE_QUEUED] = EDGE_QUEUED, [PACKAGE_GENERATING] = EDGE_GENERATING,
        [PACKAGE_READY] = EDGE_READY,   [PACKAGE_UNPROVEN] = EDGE_UNPROVEN,
        [PACKAGE_FAILED] = EDGE_FAILED, [PACKAGE_QUARANTINED] = EDGE_QUARANTINED,
        [PACKAGE_NONE] = EDGE_UNKNOWN,
    };
    enum package_state state = found ? package_state(package) : PACKAGE_NONE;
    free((char *)edge->error);
    *edge = (struct plan_edge){.state = (uint8_t)states[state], .whole = true};
    if (found)
        edge->size = (uint64_t)package->size_bytes;
    if (state == PACKAGE_FAILED || state == PACKAGE_QUARANTINED)
        edge->error = strdup(state == PACKAGE_FAILED ? package->error : package->quarantine);
    return edge->error || (state != PACKAGE_FAILED && state != PACKAGE_QUARANTINED) ||
           error_set(err, ERROR_INTERNAL, "out of memory");
}

/* The full package of one version: its state, as an edge. False in *ret: there is none for this version. */
static bool find_whole(struct db *db, const struct firmware *firmware, const struct graph *graph, unsigned to,
                       struct package *package, bool *ret_found, bool *ret, struct error *err)
{
    struct package_key key;
    *ret = graph->image[to].id && !image_is_full(&graph->image[to]);
    if (!*ret)
        return true;
    package_key_of_whole(firmware, &graph->image[to], &key);
    return package_find(db, &key, package, ret_found, err);
}

/* Which edges get the full package of their second version. */
enum whole_use {
    WHOLE_FOR_EXCLUDED, /* those that no delta covers */
    WHOLE_FIRST,        /* all, while it is ready or may become so */
    WHOLE_IF_CHEAPER    /* that from the base, where it has fewer bytes than the deltas to there */
};

static bool takes_whole(const struct graph *graph, enum whole_use use, unsigned from, unsigned to,
                        const struct package *package, bool found)
{
    const struct plan_version *version = &graph->plan.version[to];
    enum package_state state = found ? package_state(package) : PACKAGE_NONE;
    bool ready = state == PACKAGE_READY,
         pending = state == PACKAGE_NONE || state == PACKAGE_QUEUED || state == PACKAGE_GENERATING;
    if (use == WHOLE_FIRST)
        return ready || pending;
    if (use == WHOLE_IF_CHEAPER)
        return from == 0 && ready && version->reached && (uint64_t)package->size_bytes < version->cost;
    return is_excluded(graph, plan_edge(&graph->plan, from, to));
}

static bool add_whole(struct db *db, const struct firmware *firmware, struct graph *graph, enum whole_use use,
                      struct error *err)
{
    for (unsigned to = 1; to < graph->plan.count; to++) {
        struct package package;
        bool found, any;
        if (!find_whole(db, firmware, graph, to, &package, &found, &any, err))
            return false;
        for (unsigned from = 0; any && from < to; from++)
            if (takes_whole(graph, use, from, to, &package, found) &&
                !set_whole(plan_edge(&graph->plan, from, to), &package, found, err))
                return false;
    }
    return true;
}

static bool plan_with(struct db *db, const struct firmware *firmware, struct graph *graph, enum whole_use use,
                      struct plan *ret, struct error *err)
{
    if (!add_whole(db, firmware, graph, use, err))
        return false;
    plan_make(&graph->plan, ret);
    return true;
}

bool graph_plan(struct db *db, const struct firmware *firmware, struct graph *graph, struct plan *ret,
                struct error *err)
{
    bool prefers = firmware_prefers_full_packages(firmware);
    plan_make(&graph->plan, ret);
    if (!firmware_takes_full_packages(firmware))
        return true;
    if (prefers && !plan_with(db, firmware, graph, WHOLE_FIRST, ret, err))
        return false;
    if (ret->outcome == PLAN_NONE)
        return plan_with(db, firmware, graph, WHOLE_FOR_EXCLUDED, ret, err);
    return prefers || ret->outcome != PLAN_PATH || plan_with(db, firmware, graph, WHOLE_IF_CHEAPER, ret, err);
}

void graph_package_key(const struct daemon *daemon, const struct firmware *firmware,
                       const struct graph *graph, const struct plan_pair *pair, struct package_key *ret)
{
    if (plan_edge(&graph->plan, pair->from, pair->to)->whole)
        package_key_of_whole(firmware, &graph->image[pair->to], ret);
    else
        package_key_of(daemon, firmware, &graph->image[pair->from], &graph->image[pair->to], ret);
}
