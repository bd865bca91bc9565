/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/plan_advice.h"

#include <stdio.h>

#include "upgrade/plan_gap.h"
#include "upgrade/plan_text.h"

static bool is_between(const struct plan_graph *graph, const struct version *version, struct plan_pair gap)
{
    int a = version_compare(&graph->version[gap.from].version, version);
    int b = version_compare(version, &graph->version[gap.to].version);
    return a != 0 && b != 0 && (a < 0) == (b < 0);
}

/* No delta is made from or to a full package: an image between the two does not help. */
static void advise_full(const struct plan_graph *graph, struct plan_pair gap, const char *why,
                        char out[REASON_SIZE])
{
    char from[VERSION_TEXT_SIZE], pair[PLAN_PAIR_SIZE];
    bool to_full = plan_is_full(graph, gap.to);
    enum reason_code code = to_full ? REASON_ADVICE_FULL_CHANGING : REASON_ADVICE_FULL;
    if (plan_edge(graph, gap.from, gap.to)->state != EDGE_IMPOSSIBLE)
        code = REASON_ADVICE_SMALLER;
    else if (graph->version[gap.from].here && !graph->format_missing)
        code = to_full ? REASON_ADVICE_PACKAGE_OR_FULL : REASON_ADVICE_PACKAGE;
    reason_write(out, REASON_SIZE,
                 REASON(code, R_TEXT(plan_pair_text(graph, gap.from, gap.to, pair)), R_TEXT(why),
                        R_TEXT(plan_version_text(graph, gap.from, from))));
}

/* The first of the missing versions that is in the gap, else "". */
static void find_missing(const struct plan_graph *graph, struct plan_pair gap, const struct version *missing,
                         size_t missing_count, char out[VERSION_TEXT_SIZE])
{
    size_t i = 0;
    out[0] = '\0';
    while (i < missing_count && !is_between(graph, &missing[i], gap))
        i++;
    if (i < missing_count)
        version_format(&missing[i], out);
}

static void advise_gap(const struct plan_graph *graph, struct plan_pair gap, const struct version *missing,
                       size_t missing_count, char out[REASON_SIZE])
{
    char a[VERSION_TEXT_SIZE], b[VERSION_TEXT_SIZE], pair[PLAN_PAIR_SIZE], why[REASON_SIZE],
        such[VERSION_TEXT_SIZE];
    enum reason_code code;
    plan_why(graph, gap.from, gap.to, why);
    if (plan_is_full(graph, gap.from) || plan_is_full(graph, gap.to)) {
        advise_full(graph, gap, why, out);
        return;
    }
    if (!graph->version[gap.from].here) {
        plan_write_about(graph, gap.from, REASON_ADVICE_IMAGE, out);
        return;
    }
    find_missing(graph, gap, missing, missing_count, such);
    if (gap.to - gap.from == 1)
        code = such[0] ? REASON_ADVICE_BETWEEN_SUCH : REASON_ADVICE_BETWEEN;
    else
        code = such[0] ? REASON_ADVICE_ANOTHER_SUCH : REASON_ADVICE_ANOTHER;
    reason_write(out, REASON_SIZE,
                 REASON(code, R_TEXT(plan_pair_text(graph, gap.from, gap.to, pair)), R_TEXT(why),
                        R_TEXT(plan_version_text(graph, gap.from, a)),
                        R_TEXT(plan_version_text(graph, gap.to, b)), R_TEXT(such)));
}

/* The functions below change the graph, look whether there may be a path then, and undo the change. */
static bool may_have_path(struct plan_graph *graph)
{
    struct plan plan;
    plan_make(graph, &plan);
    return plan.outcome != PLAN_NONE;
}

#define TRIES_MAX 8 /* versions that are tried; each one needs a new plan */

static bool advise_waypoint(struct plan_graph *graph, char out[REASON_SIZE])
{
    for (unsigned i = 1, tries = 0; i < graph->count - 1 && tries < TRIES_MAX; i++) {
        struct plan_version before = graph->version[i];
        if (!before.withdrawn && before.waypoint == WAYPOINT_ALLOWED)
            continue;
        graph->version[i].withdrawn = false;
        graph->version[i].waypoint = WAYPOINT_ALLOWED;
        bool helps = may_have_path(graph);
        graph->version[i].withdrawn = before.withdrawn;
        graph->version[i].waypoint = before.waypoint;
        tries++;
        if (!helps)
            continue;
        plan_write_about(graph, i,
                         before.withdrawn                        ? REASON_ADVICE_RESTORE
                         : before.waypoint == WAYPOINT_FORBIDDEN ? REASON_ADVICE_ALLOW
                                                                 : REASON_ADVICE_NOT_REQUIRE,
                         out);
        return true;
    }
    return false;
}

static void set_proven(struct plan_graph *graph, bool proven)
{
    for (size_t i = 0; i < (size_t)graph->count * graph->count; i++) {
        struct plan_edge *edge = &graph->edge[i];
        if (proven && edge->state == EDGE_UNPROVEN)
            edge->state = EDGE_READY, edge->lifted = true;
        else if (!proven && edge->lifted)
            edge->state = EDGE_UNPROVEN, edge->lifted = false;
    }
}

#define RELEASE_LIST_SIZE 320 /* more packages are left out: their release is advised afterwards */

static bool advise_release(struct plan_graph *graph, char out[REASON_SIZE])
{
    char pair[PLAN_PAIR_SIZE], list[RELEASE_LIST_SIZE] = "";
    struct plan plan;
    size_t used = 0;
    set_proven(graph, true);
    plan_make(graph, &plan);
    for (unsigned at = 0; plan.outcome == PLAN_PATH && at != graph->count - 1; at = plan_next(graph, at)) {
        unsigned next = plan_next(graph, at);
        if (plan_edge(graph, at, next)->lifted && used + PLAN_PAIR_SIZE + 2 < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "",
                                     plan_pair_text(graph, at, next, pair));
    }
    set_proven(graph, false);
    if (used)
        reason_write(out, REASON_SIZE, REASON(REASON_ADVICE_RELEASE, R_TEXT(list)));
    return used;
}

void plan_advice(struct plan_graph *graph, const struct plan *plan, const struct version *missing,
                 size_t missing_count, char out[REASON_SIZE])
{
    unsigned last = graph->count - 1;

    out[0] = '\0';
    if (plan->outcome != PLAN_NONE)
        return;
    if (graph->version[last].withdrawn)
        plan_write_about(graph, last, REASON_ADVICE_TARGET, out);
    else if (!advise_release(graph, out) && !advise_waypoint(graph, out))
        advise_gap(graph, plan_gap_smallest(graph, plan_gap_stretch(graph)), missing, missing_count, out);
    struct plan again; /* restores the marks in the graph */
    plan_make(graph, &again);
}
