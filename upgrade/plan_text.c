/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/plan_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "upgrade/plan_gap.h"

/* ---- Texts ---- */

const char *plan_count_text(uint64_t number, char out[PLAN_COUNT_SIZE])
{
    char digits[PLAN_COUNT_SIZE];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, number), used = 0;
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

const char *plan_version_text(const struct plan_graph *graph, unsigned at, char out[VERSION_TEXT_SIZE])
{
    version_format(&graph->version[at].version, out);
    return out;
}

const char *plan_pair_text(const struct plan_graph *graph, unsigned from, unsigned to,
                           char out[PLAN_PAIR_SIZE])
{
    char a[VERSION_TEXT_SIZE], b[VERSION_TEXT_SIZE];
    snprintf(out, PLAN_PAIR_SIZE, "%s→%s", plan_version_text(graph, from, a),
             plan_version_text(graph, to, b));
    return out;
}

static bool is_oversize(const struct plan_graph *graph, const struct plan_edge *edge)
{
    return edge->state == EDGE_READY && plan_counted(edge) > graph->limit && !edge->whole;
}

const char *plan_state_name(const struct plan_graph *graph, const struct plan_edge *edge)
{
    static const char *const names[] = {
        [EDGE_IMPOSSIBLE] = "impossible", [EDGE_UNKNOWN] = "unknown",
        [EDGE_QUEUED] = "queued",         [EDGE_GENERATING] = "generating",
        [EDGE_READY] = "ready",           [EDGE_UNPROVEN] = "unproven",
        [EDGE_FAILED] = "failed",         [EDGE_QUARANTINED] = "quarantined",
    };
    return is_oversize(graph, edge) ? "oversize" : names[edge->state];
}

/* ---- Why a hop is excluded ---- */

static bool is_barred(const struct plan_graph *graph, unsigned stop)
{
    return graph->version[stop].waypoint == WAYPOINT_FORBIDDEN && stop > 0 && stop < graph->count - 1;
}

bool plan_is_full(const struct plan_graph *graph, unsigned at)
{
    return graph->version[at].core && graph->version[at].core[0];
}

/* That the package is over the limit, or that it is being made smaller if `hop` is given. */
static void write_excess(const struct plan_graph *graph, const struct plan_edge *edge, const char *hop,
                         char out[REASON_SIZE])
{
    char a[PLAN_COUNT_SIZE], b[PLAN_COUNT_SIZE];
    bool is_part = edge->uncounted > 0;
    plan_count_text(plan_counted(edge), a);
    plan_count_text(graph->limit, b);
    if (hop)
        reason_write(out, REASON_SIZE,
                     REASON(is_part ? REASON_CORE_SHRINKING : REASON_PACKAGE_SHRINKING, R_TEXT(hop),
                            R_TEXT(a), R_TEXT(b)));
    else
        reason_write(out, REASON_SIZE,
                     REASON(is_part ? REASON_HOP_CORE_OVERSIZE : REASON_HOP_OVERSIZE, R_TEXT(a), R_TEXT(b)));
}

/* No delta can be made. */
static void write_why_impossible(const struct plan_graph *graph, unsigned from, unsigned to,
                                 char out[REASON_SIZE])
{
    char a[VERSION_TEXT_SIZE], b[VERSION_TEXT_SIZE];
    plan_version_text(graph, from, a);
    plan_version_text(graph, to, b);
    const char *misfit = plan_edge(graph, from, to)->error;
    if (plan_is_full(graph, to) && misfit)
        reason_write(out, REASON_SIZE, REASON(REASON_OTHER_SCRIPT, R_TEXT(b), R_TEXT(a), R_TEXT(misfit)));
    else if (plan_is_full(graph, to))
        reason_write(out, REASON_SIZE,
                     REASON(REASON_OTHER_CORE, R_TEXT(b), R_TEXT(graph->version[to].core), R_TEXT(a)));
    else if (plan_is_full(graph, from))
        reason_write(out, REASON_SIZE, REASON(REASON_HOP_FROM_FULL, R_TEXT(a)));
    else if (graph->version[from].several || graph->version[to].several)
        reason_write(out, REASON_SIZE,
                     REASON(REASON_HOP_SEVERAL_BUILDS, R_TEXT(graph->version[from].several ? a : b)));
    else if (misfit)
        reason_write(out, REASON_SIZE, REASON(REASON_HOP_OTHER_AREA));
    else if (!graph->version[from].here)
        reason_write(out, REASON_SIZE, REASON(REASON_HOP_IMAGE_MISSING, R_TEXT(a)));
    else if (graph->format_missing)
        reason_write(out, REASON_SIZE, REASON(REASON_HOP_FORMAT_MISSING));
    else
        reason_write(out, REASON_SIZE, REASON(REASON_HOP_IMPOSSIBLE));
}

static void write_why_edge(const struct plan_graph *graph, unsigned from, unsigned to, char out[REASON_SIZE])
{
    const struct plan_edge *edge = plan_edge(graph, from, to);

    if (edge->state == EDGE_READY ||
        (edge->state == EDGE_UNPROVEN && plan_counted(edge) > graph->limit && !edge->whole))
        write_excess(graph, edge, NULL, out);
    else if (edge->state == EDGE_UNPROVEN)
        reason_write(out, REASON_SIZE, REASON(REASON_HOP_UNPROVEN));
    else if (edge->state == EDGE_FAILED && edge->error && edge->error[0])
        reason_write(out, REASON_SIZE, REASON(REASON_HOP_FAILED, R_TEXT(edge->error)));
    else if (edge->state == EDGE_FAILED)
        reason_write(out, REASON_SIZE, REASON(REASON_HOP_FAILED_UNKNOWN));
    else if (edge->state == EDGE_QUARANTINED)
        reason_write(out, REASON_SIZE, REASON(REASON_HOP_QUARANTINED, R_TEXT(edge->error)));
    else
        write_why_impossible(graph, from, to, out);
}

void plan_write_about(const struct plan_graph *graph, unsigned at, enum reason_code code,
                      char out[REASON_SIZE])
{
    char name[VERSION_TEXT_SIZE];
    reason_write(out, REASON_SIZE, REASON(code, R_TEXT(plan_version_text(graph, at, name))));
}

void plan_why(const struct plan_graph *graph, unsigned from, unsigned to, char out[REASON_SIZE])
{
    unsigned required = plan_gap_required(graph, from, to);

    if (graph->version[to].withdrawn)
        plan_write_about(graph, to, REASON_VERSION_WITHDRAWN, out);
    else if (from > 0 && graph->version[from].withdrawn)
        plan_write_about(graph, from, REASON_VERSION_WITHDRAWN, out);
    else if (is_barred(graph, to))
        plan_write_about(graph, to, REASON_WAYPOINT_FORBIDDEN, out);
    else if (is_barred(graph, from))
        plan_write_about(graph, from, REASON_WAYPOINT_FORBIDDEN, out);
    else if (required != to)
        plan_write_about(graph, required, REASON_WAYPOINT_REQUIRED, out);
    else
        write_why_edge(graph, from, to, out);
}

/* ---- Reason ---- */

/* A package out of service that would complete the path of a stretch. Else the stretch. */
static struct plan_pair find_out_of_service(struct plan_graph *graph, struct plan_pair stretch)
{
    plan_mark(graph, stretch.to);
    for (unsigned from = stretch.from; from < stretch.to; from++)
        for (unsigned to = stretch.to; to > from; to--)
            if (plan_edge(graph, from, to)->state == EDGE_QUARANTINED && graph->version[from].reachable &&
                graph->version[to].reaches)
                return (struct plan_pair){from, to};
    return stretch;
}

static void write_pending(const struct plan_graph *graph, unsigned from, unsigned to, char out[REASON_SIZE])
{
    const struct plan_edge *edge = plan_edge(graph, from, to);
    char pair[PLAN_PAIR_SIZE], target[VERSION_TEXT_SIZE], hop[REASON_SIZE];

    plan_pair_text(graph, from, to, pair);
    snprintf(hop, sizeof hop, "%s", pair);
    if (to != graph->count - 1)
        reason_write(hop, sizeof hop,
                     REASON(REASON_HOP_ON_THE_WAY, R_TEXT(pair),
                            R_TEXT(plan_version_text(graph, graph->count - 1, target))));
    if (edge->state == EDGE_READY)
        write_excess(graph, edge, hop, out);
    else
        reason_write(
            out, REASON_SIZE,
            REASON(edge->state == EDGE_GENERATING ? REASON_PACKAGE_GENERATING : REASON_PACKAGE_QUEUED,
                   R_TEXT(hop)));
}

static void write_exploring(const struct plan_graph *graph, const struct plan *plan, char out[REASON_SIZE])
{
    char pair[PLAN_PAIR_SIZE], why[REASON_SIZE], list[PLAN_NEED_MAX * (PLAN_PAIR_SIZE + 2)] = "";
    unsigned stop = plan_first_stop(graph);
    size_t used = 0;

    for (unsigned i = 0; i < plan->need_count; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                                 plan_pair_text(graph, plan->need[i].from, plan->need[i].to, pair));
    if (plan_fit(graph, 0, stop) != FIT_EXCLUDED) {
        reason_write(out, REASON_SIZE, REASON(REASON_PATH_EXPLORING, R_TEXT(list)));
        return;
    }
    plan_why(graph, 0, stop, why);
    reason_write(out, REASON_SIZE,
                 REASON(REASON_PATH_EXPLORING_INSTEAD, R_TEXT(plan_pair_text(graph, 0, stop, pair)),
                        R_TEXT(why), R_TEXT(list)));
}

static void write_no_path(struct plan_graph *graph, char out[REASON_SIZE])
{
    char a[VERSION_TEXT_SIZE], b[VERSION_TEXT_SIZE], pair[PLAN_PAIR_SIZE], why[REASON_SIZE];
    struct plan_pair at = find_out_of_service(graph, plan_gap_stretch(graph));

    plan_why(graph, at.from, at.to, why);
    plan_version_text(graph, 0, a);
    plan_version_text(graph, graph->count - 1, b);
    if (graph->version[at.to].withdrawn)
        reason_write(out, REASON_SIZE, REASON(REASON_NO_PATH_WITHDRAWN, R_TEXT(a), R_TEXT(b), R_TEXT(why)));
    else
        reason_write(out, REASON_SIZE,
                     REASON(at.to - at.from > 1 ? REASON_NO_PATH_BETWEEN : REASON_NO_PATH, R_TEXT(a),
                            R_TEXT(b), R_TEXT(plan_pair_text(graph, at.from, at.to, pair)), R_TEXT(why)));
}

void plan_reason(struct plan_graph *graph, const struct plan *plan, char out[REASON_SIZE])
{
    unsigned stop = plan_first_stop(graph);

    out[0] = '\0';
    if (plan->outcome == PLAN_NONE)
        write_no_path(graph, out);
    else if (plan->outcome == PLAN_WAIT && plan_fit(graph, 0, stop) == FIT_PENDING)
        write_pending(graph, 0, stop, out);
    else if (plan->outcome == PLAN_WAIT)
        write_exploring(graph, plan, out);
}
