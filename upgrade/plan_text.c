/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/plan_text.h"

#include <inttypes.h>
#include <stdio.h>

#define PAIR_SIZE (2 * VERSION_TEXT_SIZE + 4)

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

static const char *name_of(const struct plan_graph *graph, unsigned at, char out[VERSION_TEXT_SIZE])
{
    version_format(&graph->version[at].version, out);
    return out;
}

static const char *pair_text(const struct plan_graph *graph, unsigned from, unsigned to, char out[PAIR_SIZE])
{
    char a[VERSION_TEXT_SIZE], b[VERSION_TEXT_SIZE];
    snprintf(out, PAIR_SIZE, "%s→%s", name_of(graph, from, a), name_of(graph, to, b));
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

/* The first required version between two, or `to`. */
static unsigned required_between(const struct plan_graph *graph, unsigned from, unsigned to)
{
    unsigned at = from + 1;
    while (at < to && graph->version[at].required == graph->version[from].required)
        at++;
    return at;
}

static bool is_barred(const struct plan_graph *graph, unsigned stop)
{
    return graph->version[stop].waypoint == WAYPOINT_FORBIDDEN && stop > 0 && stop < graph->count - 1;
}

static bool is_full(const struct plan_graph *graph, unsigned at)
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
    name_of(graph, from, a);
    name_of(graph, to, b);
    const char *misfit = plan_edge(graph, from, to)->error;
    if (is_full(graph, to) && misfit)
        reason_write(out, REASON_SIZE, REASON(REASON_OTHER_SCRIPT, R_TEXT(b), R_TEXT(a), R_TEXT(misfit)));
    else if (is_full(graph, to))
        reason_write(out, REASON_SIZE,
                     REASON(REASON_OTHER_CORE, R_TEXT(b), R_TEXT(graph->version[to].core), R_TEXT(a)));
    else if (is_full(graph, from))
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

static void write_about(const struct plan_graph *graph, unsigned at, enum reason_code code,
                        char out[REASON_SIZE])
{
    char name[VERSION_TEXT_SIZE];
    reason_write(out, REASON_SIZE, REASON(code, R_TEXT(name_of(graph, at, name))));
}

void plan_why(const struct plan_graph *graph, unsigned from, unsigned to, char out[REASON_SIZE])
{
    unsigned required = required_between(graph, from, to);

    if (graph->version[to].withdrawn)
        write_about(graph, to, REASON_VERSION_WITHDRAWN, out);
    else if (from > 0 && graph->version[from].withdrawn)
        write_about(graph, from, REASON_VERSION_WITHDRAWN, out);
    else if (is_barred(graph, to))
        write_about(graph, to, REASON_WAYPOINT_FORBIDDEN, out);
    else if (is_barred(graph, from))
        write_about(graph, from, REASON_WAYPOINT_FORBIDDEN, out);
    else if (required != to)
        write_about(graph, required, REASON_WAYPOINT_REQUIRED, out);
    else
        write_why_edge(graph, from, to, out);
}

/* ---- Where the path ends ---- */

/* The first two required stops without a path between them. */
static struct plan_pair find_broken_stretch(struct plan_graph *graph)
{
    unsigned last = graph->count - 1, from = 0, to;
    plan_mark(graph, last);
    for (;; from = to) {
        to = required_between(graph, from, last);
        if (to == last || !graph->version[to].reachable)
            return (struct plan_pair){from, to};
    }
}

static bool is_smaller_gap(const struct plan_graph *graph, unsigned from, unsigned to, struct plan_pair than)
{
    if (to - from != than.to - than.from)
        return to - from < than.to - than.from;
    return plan_edge(graph, from, to)->size < plan_edge(graph, than.from, than.to)->size;
}

/* The smallest gap between a version that can be reached and a version that leads to the end of the
   stretch. */
static struct plan_pair find_gap(struct plan_graph *graph, struct plan_pair stretch)
{
    struct plan_pair gap = stretch;
    plan_mark(graph, stretch.to);
    for (unsigned from = stretch.from; from < stretch.to; from++)
        for (unsigned to = from + 1; to <= stretch.to; to++)
            if (graph->version[from].reachable && graph->version[to].reaches &&
                is_smaller_gap(graph, from, to, gap))
                gap = (struct plan_pair){from, to};
    return gap;
}

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

/* ---- Reason ---- */

static void write_pending(const struct plan_graph *graph, unsigned from, unsigned to, char out[REASON_SIZE])
{
    const struct plan_edge *edge = plan_edge(graph, from, to);
    char pair[PAIR_SIZE], target[VERSION_TEXT_SIZE], hop[REASON_SIZE];

    pair_text(graph, from, to, pair);
    snprintf(hop, sizeof hop, "%s", pair);
    if (to != graph->count - 1)
        reason_write(
            hop, sizeof hop,
            REASON(REASON_HOP_ON_THE_WAY, R_TEXT(pair), R_TEXT(name_of(graph, graph->count - 1, target))));
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
    char pair[PAIR_SIZE], why[REASON_SIZE], list[PLAN_NEED_MAX * (PAIR_SIZE + 2)] = "";
    unsigned stop = plan_first_stop(graph);
    size_t used = 0;

    for (unsigned i = 0; i < plan->need_count; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                                 pair_text(graph, plan->need[i].from, plan->need[i].to, pair));
    if (plan_fit(graph, 0, stop) != FIT_EXCLUDED) {
        reason_write(out, REASON_SIZE, REASON(REASON_PATH_EXPLORING, R_TEXT(list)));
        return;
    }
    plan_why(graph, 0, stop, why);
    reason_write(out, REASON_SIZE,
                 REASON(REASON_PATH_EXPLORING_INSTEAD, R_TEXT(pair_text(graph, 0, stop, pair)), R_TEXT(why),
                        R_TEXT(list)));
}

static void write_no_path(struct plan_graph *graph, char out[REASON_SIZE])
{
    char a[VERSION_TEXT_SIZE], b[VERSION_TEXT_SIZE], pair[PAIR_SIZE], why[REASON_SIZE];
    struct plan_pair at = find_out_of_service(graph, find_broken_stretch(graph));

    plan_why(graph, at.from, at.to, why);
    name_of(graph, 0, a);
    name_of(graph, graph->count - 1, b);
    if (graph->version[at.to].withdrawn)
        reason_write(out, REASON_SIZE, REASON(REASON_NO_PATH_WITHDRAWN, R_TEXT(a), R_TEXT(b), R_TEXT(why)));
    else
        reason_write(out, REASON_SIZE,
                     REASON(at.to - at.from > 1 ? REASON_NO_PATH_BETWEEN : REASON_NO_PATH, R_TEXT(a),
                            R_TEXT(b), R_TEXT(pair_text(graph, at.from, at.to, pair)), R_TEXT(why)));
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

/* ---- Advice ---- */

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
    char from[VERSION_TEXT_SIZE], pair[PAIR_SIZE];
    bool to_full = is_full(graph, gap.to);
    enum reason_code code = to_full ? REASON_ADVICE_FULL_CHANGING : REASON_ADVICE_FULL;
    if (plan_edge(graph, gap.from, gap.to)->state != EDGE_IMPOSSIBLE)
        code = REASON_ADVICE_SMALLER;
    else if (graph->version[gap.from].here && !graph->format_missing)
        code = to_full ? REASON_ADVICE_PACKAGE_OR_FULL : REASON_ADVICE_PACKAGE;
    reason_write(out, REASON_SIZE,
                 REASON(code, R_TEXT(pair_text(graph, gap.from, gap.to, pair)), R_TEXT(why),
                        R_TEXT(name_of(graph, gap.from, from))));
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
    char a[VERSION_TEXT_SIZE], b[VERSION_TEXT_SIZE], pair[PAIR_SIZE], why[REASON_SIZE],
        such[VERSION_TEXT_SIZE];
    enum reason_code code;
    plan_why(graph, gap.from, gap.to, why);
    if (is_full(graph, gap.from) || is_full(graph, gap.to)) {
        advise_full(graph, gap, why, out);
        return;
    }
    if (!graph->version[gap.from].here) {
        write_about(graph, gap.from, REASON_ADVICE_IMAGE, out);
        return;
    }
    find_missing(graph, gap, missing, missing_count, such);
    if (gap.to - gap.from == 1)
        code = such[0] ? REASON_ADVICE_BETWEEN_SUCH : REASON_ADVICE_BETWEEN;
    else
        code = such[0] ? REASON_ADVICE_ANOTHER_SUCH : REASON_ADVICE_ANOTHER;
    reason_write(out, REASON_SIZE,
                 REASON(code, R_TEXT(pair_text(graph, gap.from, gap.to, pair)), R_TEXT(why),
                        R_TEXT(name_of(graph, gap.from, a)), R_TEXT(name_of(graph, gap.to, b)),
                        R_TEXT(such)));
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
        write_about(graph, i,
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
    char pair[PAIR_SIZE], list[RELEASE_LIST_SIZE] = "";
    struct plan plan;
    size_t used = 0;
    set_proven(graph, true);
    plan_make(graph, &plan);
    for (unsigned at = 0; plan.outcome == PLAN_PATH && at != graph->count - 1; at = plan_next(graph, at)) {
        unsigned next = plan_next(graph, at);
        if (plan_edge(graph, at, next)->lifted && used + PAIR_SIZE + 2 < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "",
                                     pair_text(graph, at, next, pair));
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
        write_about(graph, last, REASON_ADVICE_TARGET, out);
    else if (!advise_release(graph, out) && !advise_waypoint(graph, out))
        advise_gap(graph, find_gap(graph, find_broken_stretch(graph)), missing, missing_count, out);
    struct plan again; /* restores the marks in the graph */
    plan_make(graph, &again);
}
