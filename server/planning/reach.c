/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/planning/reach.h"

#include <stdio.h>
#include <string.h>

static bool find_path(const struct reach *reach, const struct reach_base *from, bool *ret, struct error *err)
{
    struct version base;
    struct graph graph;
    struct plan plan;
    *ret = true;
    if (!version_parse(slice_of(from->version), &base) || version_compare(&base, &reach->target) == 0)
        return true;
    if (!graph_load(reach->daemon, reach->db, reach->firmware, &base, &from->build, &reach->target, &graph,
                    err))
        return false;
    bool ok = graph_plan(reach->db, reach->firmware, &graph, &plan, err);
    *ret = ok && plan.outcome != PLAN_NONE;
    graph_free(&graph);
    return ok;
}

bool reach_look(struct reach *reach, const char *version, const struct sha256 *build, bool *ret,
                struct error *err)
{
    struct reach_base found = {.build = *build};
    for (unsigned i = 0; i < reach->count; i++)
        if (strcmp(reach->base[i].version, version) == 0 && sha256_equal(&reach->base[i].build, build)) {
            *ret = reach->base[i].reachable;
            return true;
        }
    snprintf(found.version, sizeof found.version, "%s", version);
    if (!find_path(reach, &found, &found.reachable, err))
        return false;
    if (reach->count < REACH_BASES)
        reach->base[reach->count++] = found;
    *ret = found.reachable;
    return true;
}
