/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/plan_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define PAIR_SIZE (2 * VERSION_TEXT_SIZE + 4)

/* ---- Text ---- */

struct text { /* a text that is too long is cut after a whole character */
    char *out;
    size_t size, used;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...)
{
    va_list args;
    size_t room = text->size - text->used;
    va_start(args, format);
    int length = vsnprintf(text->out + text->used, room, format, args);
    va_end(args);
    if (length < 0)
        return;
    if ((size_t)length < room) {
        text->used += (size_t)length;
        return;
    }
    size_t end = text->size - 1; /* the last character may have been cut in two */
    while (end > 0 && ((unsigned char)text->out[end - 1] & 0xC0) == 0x80)
        end--;
    if (end > 0 && ((unsigned char)text->out[end - 1] & 0x80))
        end--;
    text->out[end] = '\0';
    text->used = text->size - 1;
}

static struct text text_in(char *out, size_t size)
{
    out[0] = '\0';
    return (struct text){out, size, 0};
}

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
    return edge->state == EDGE_READY && edge->size > graph->limit;
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

static void add_excess(struct text *text, const struct plan_graph *graph, uint64_t size)
{
    char a[PLAN_COUNT_SIZE], b[PLAN_COUNT_SIZE];
    add(text, "%s bytes, the limit is %s", plan_count_text(size, a), plan_count_text(graph->limit, b));
}

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

static void add_why_edge(struct text *text, const struct plan_graph *graph, unsigned from, unsigned to)
{
    const struct plan_edge *edge = plan_edge(graph, from, to);
    char name[VERSION_TEXT_SIZE], other[VERSION_TEXT_SIZE];

    if (edge->state == EDGE_READY || (edge->state == EDGE_UNPROVEN && edge->size > graph->limit))
        add_excess(text, graph, edge->size);
    else if (edge->state == EDGE_UNPROVEN)
        add(text, "not proven and not released");
    else if (edge->state == EDGE_FAILED)
        add(text, "could not be made: %s",
            edge->error && edge->error[0] ? edge->error : "the reason is not known");
    else if (edge->state == EDGE_QUARANTINED)
        add(text, "out of service: %s", edge->error ? edge->error : "");
    else if (is_full(graph, to))
        add(text, "%s is a full package for core %s, but %s has another core", name_of(graph, to, name),
            graph->version[to].core, name_of(graph, from, other));
    else if (is_full(graph, from))
        add(text, "only a full package of %s is stored, not its image", name_of(graph, from, name));
    else if (!graph->version[from].here)
        add(text, "the image of %s is missing on the server", name_of(graph, from, name));
    else if (graph->format_missing)
        add(text, "no package format is set");
    else
        add(text, "no package can be made for these two versions");
}

void plan_why(const struct plan_graph *graph, unsigned from, unsigned to, char out[PLAN_WHY_SIZE])
{
    struct text text = text_in(out, PLAN_WHY_SIZE);
    unsigned required = required_between(graph, from, to);
    char name[VERSION_TEXT_SIZE];

    if (graph->version[to].withdrawn)
        add(&text, "%s is withdrawn", name_of(graph, to, name));
    else if (from > 0 && graph->version[from].withdrawn)
        add(&text, "%s is withdrawn", name_of(graph, from, name));
    else if (is_barred(graph, to))
        add(&text, "%s is forbidden as a waypoint", name_of(graph, to, name));
    else if (is_barred(graph, from))
        add(&text, "%s is forbidden as a waypoint", name_of(graph, from, name));
    else if (required != to)
        add(&text, "every path must stop at %s", name_of(graph, required, name));
    else
        add_why_edge(&text, graph, from, to);
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

static void add_pending(struct text *text, const struct plan_graph *graph, unsigned from, unsigned to)
{
    const struct plan_edge *edge = plan_edge(graph, from, to);
    char pair[PAIR_SIZE], target[VERSION_TEXT_SIZE];

    add(text, "the package %s is ", pair_text(graph, from, to, pair));
    if (edge->state == EDGE_READY) {
        add(text, "being made smaller: it has ");
        add_excess(text, graph, edge->size);
    } else {
        add(text, edge->state == EDGE_GENERATING ? "being generated" : "queued to be generated");
    }
    if (to != graph->count - 1)
        add(text, " (on the way to %s)", name_of(graph, graph->count - 1, target));
}

static void add_exploring(struct text *text, const struct plan_graph *graph, const struct plan *plan)
{
    char pair[PAIR_SIZE], why[PLAN_WHY_SIZE];
    unsigned stop = plan_first_stop(graph);

    if (plan_fit(graph, 0, stop) == FIT_EXCLUDED) {
        plan_why(graph, 0, stop, why);
        add(text, "the direct package %s cannot be used (%s); ", pair_text(graph, 0, stop, pair), why);
    }
    add(text, "packages for a longer path are made:");
    for (unsigned i = 0; i < plan->need_count; i++)
        add(text, "%s %s", i ? "," : "", pair_text(graph, plan->need[i].from, plan->need[i].to, pair));
}

static void add_no_path(struct text *text, struct plan_graph *graph)
{
    char a[VERSION_TEXT_SIZE], b[VERSION_TEXT_SIZE], pair[PAIR_SIZE], why[PLAN_WHY_SIZE];
    unsigned last = graph->count - 1;
    struct plan_pair at = find_out_of_service(graph, find_broken_stretch(graph));

    plan_why(graph, at.from, at.to, why);
    add(text, "no path leads from %s to %s", name_of(graph, 0, a), name_of(graph, last, b));
    if (graph->version[at.to].withdrawn)
        add(text, ": %s", why);
    else
        add(text, " because of %s: %s%s", pair_text(graph, at.from, at.to, pair), why,
            at.to - at.from > 1 ? ", and no version between them helps" : "");
}

void plan_reason(struct plan_graph *graph, const struct plan *plan, char *out, size_t size)
{
    struct text text = text_in(out, size);
    unsigned stop = plan_first_stop(graph);

    if (plan->outcome == PLAN_NONE)
        add_no_path(&text, graph);
    else if (plan->outcome == PLAN_WAIT && plan_fit(graph, 0, stop) == FIT_PENDING)
        add_pending(&text, graph, 0, stop);
    else if (plan->outcome == PLAN_WAIT)
        add_exploring(&text, graph, plan);
}

/* ---- Advice ---- */

static bool is_between(const struct plan_graph *graph, const struct version *version, struct plan_pair gap)
{
    int a = version_compare(&graph->version[gap.from].version, version);
    int b = version_compare(version, &graph->version[gap.to].version);
    return a != 0 && b != 0 && (a < 0) == (b < 0);
}

/* No delta is made from or to a full package: an image between the two does not help. */
static void add_full(struct text *text, const struct plan_graph *graph, struct plan_pair gap, const char *why)
{
    char from[VERSION_TEXT_SIZE], pair[PAIR_SIZE];
    bool made = plan_edge(graph, gap.from, gap.to)->state != EDGE_IMPOSSIBLE;
    pair_text(graph, gap.from, gap.to, pair);
    name_of(graph, gap.from, from);
    add(text, "%s: %s; ", pair, why);
    if (made)
        add(text, "upload a smaller package that was made elsewhere");
    else if (graph->version[gap.from].here && !graph->format_missing)
        add(text, "upload a package %s that was made elsewhere%s", pair,
            is_full(graph, gap.to) ? ", or a full package that changes the core" : "");
    else if (is_full(graph, gap.to))
        add(text, "upload a full package that changes the core of %s", from);
    else
        add(text, "upload a full package for the core of %s", from);
}

static void add_gap(struct text *text, const struct plan_graph *graph, struct plan_pair gap,
                    const struct version *missing, size_t missing_count)
{
    char a[VERSION_TEXT_SIZE], b[VERSION_TEXT_SIZE], pair[PAIR_SIZE], why[PLAN_WHY_SIZE];
    name_of(graph, gap.from, a);
    name_of(graph, gap.to, b);
    plan_why(graph, gap.from, gap.to, why);
    if (is_full(graph, gap.from) || is_full(graph, gap.to)) {
        add_full(text, graph, gap, why);
        return;
    }
    if (!graph->version[gap.from].here) {
        add(text, "the image of %s is missing on the server: upload it", a);
        return;
    }
    add(text, "%s: %s, and ", pair_text(graph, gap.from, gap.to, pair), why);
    if (gap.to - gap.from == 1)
        add(text, "no image between %s and %s is stored: upload one", a, b);
    else
        add(text, "the images between %s and %s do not help: upload another", a, b);
    for (size_t i = 0; i < missing_count; i++)
        if (is_between(graph, &missing[i], gap)) {
            version_format(&missing[i], a);
            add(text, ", such as %s, which devices run", a);
            break;
        }
}

/* The functions below change the graph, look whether there may be a path then, and undo the change. */
static bool may_have_path(struct plan_graph *graph)
{
    struct plan plan;
    plan_make(graph, &plan);
    return plan.outcome != PLAN_NONE;
}

#define TRIES_MAX 8 /* versions that are tried; each one needs a new plan */

static bool add_waypoint(struct text *text, struct plan_graph *graph)
{
    char name[VERSION_TEXT_SIZE];
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
        add(text, "%s is %s as a waypoint: if you change that, there may be a path", name_of(graph, i, name),
            before.withdrawn                        ? "withdrawn and cannot serve"
            : before.waypoint == WAYPOINT_FORBIDDEN ? "forbidden"
                                                    : "required");
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

static bool add_release(struct text *text, struct plan_graph *graph)
{
    char pair[PAIR_SIZE];
    struct plan plan;
    bool first = true;
    set_proven(graph, true);
    plan_make(graph, &plan);
    for (unsigned at = 0; plan.outcome == PLAN_PATH && at != graph->count - 1; at = plan_next(graph, at)) {
        unsigned next = plan_next(graph, at);
        if (!plan_edge(graph, at, next)->lifted)
            continue;
        add(text, first ? "release %s" : ", %s", pair_text(graph, at, next, pair));
        first = false;
    }
    set_proven(graph, false);
    if (first)
        return false;
    add(text, ": made, but not proven on this server");
    return true;
}

void plan_advice(struct plan_graph *graph, const struct plan *plan, const struct version *missing,
                 size_t missing_count, char out[PLAN_ADVICE_SIZE])
{
    struct text text = text_in(out, PLAN_ADVICE_SIZE);
    unsigned last = graph->count - 1;
    char name[VERSION_TEXT_SIZE];

    if (plan->outcome != PLAN_NONE)
        return;
    if (graph->version[last].withdrawn)
        add(&text, "%s is withdrawn: set another target", name_of(graph, last, name));
    else if (!add_release(&text, graph) && !add_waypoint(&text, graph))
        add_gap(&text, graph, find_gap(graph, find_broken_stretch(graph)), missing, missing_count);
    struct plan again; /* restores the marks in the graph */
    plan_make(graph, &again);
}
