/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/planner.h"

#define NOWHERE UINT32_MAX

static const char *const names_of_waypoints[] = {
    [WAYPOINT_ALLOWED] = "allowed", [WAYPOINT_FORBIDDEN] = "forbidden", [WAYPOINT_REQUIRED] = "required"};
const struct enum_names waypoint_names = ENUM_NAMES(names_of_waypoints);

/* ---- Hops ---- */

static enum plan_fit edge_fit(const struct plan_edge *edge, uint64_t limit)
{
    switch ((enum plan_edge_state)edge->state) {
    case EDGE_UNKNOWN:
    case EDGE_QUEUED:
    case EDGE_GENERATING:
        return FIT_PENDING;
    case EDGE_READY:
        if (plan_counted(edge) <= limit || edge->whole)
            return FIT_USABLE;
        return edge->improving ? FIT_PENDING : FIT_EXCLUDED;
    case EDGE_IMPOSSIBLE:
    case EDGE_UNPROVEN:
    case EDGE_FAILED:
    case EDGE_QUARANTINED:
        break;
    }
    return FIT_EXCLUDED;
}

static bool may_stop(const struct plan_graph *graph, unsigned at)
{
    const struct plan_version *version = &graph->version[at];
    return !version->withdrawn && (version->waypoint != WAYPOINT_FORBIDDEN || at == graph->count - 1);
}

enum plan_fit plan_fit(const struct plan_graph *graph, unsigned from, unsigned to)
{
    if (!may_stop(graph, to) || (from > 0 && !may_stop(graph, from)) ||
        graph->version[to - 1].required > graph->version[from].required)
        return FIT_EXCLUDED;
    return edge_fit(plan_edge(graph, from, to), graph->limit);
}

static void count_required(struct plan_graph *graph)
{
    unsigned required = 0;
    for (unsigned i = 0; i < graph->count; i++) {
        if (i > 0 && i < graph->count - 1 && graph->version[i].waypoint == WAYPOINT_REQUIRED)
            required++;
        graph->version[i].required = required;
    }
}

unsigned plan_first_stop(const struct plan_graph *graph)
{
    unsigned at = 1;
    while (at < graph->count - 1 && graph->version[at].required == 0)
        at++;
    return at;
}

/* ---- Paths: the fewest hops, then the least cost ---- */

/* One kind of search: the cost of a hop (false: the hop cannot be used), and how costs are combined. */
struct search {
    struct plan_graph *graph;
    bool (*cost)(const struct search *search, unsigned from, unsigned to, uint64_t *ret);
    bool worst;       /* the cost of a path is that of its most expensive hop; otherwise the sum */
    bool hops_matter; /* compare hops first, then cost; otherwise cost first */
    bool believable;  /* only hops whose expected size fits */
};

static uint64_t cost_with(const struct search *search, uint64_t cost, uint64_t hop)
{
    if (search->worst)
        return cost > hop ? cost : hop;
    return cost + hop < cost ? UINT64_MAX : cost + hop;
}

static bool is_better(const struct search *search, unsigned hops, uint64_t cost,
                      const struct plan_version *than)
{
    if (!than->reached)
        return true;
    if (search->hops_matter)
        return hops != than->hops ? hops < than->hops : cost < than->cost;
    return cost != than->cost ? cost < than->cost : hops < than->hops;
}

static void improve(const struct search *search, unsigned from, unsigned to)
{
    const struct plan_version *here = &search->graph->version[from];
    struct plan_version *there = &search->graph->version[to];
    uint64_t hop, cost;

    if (!here->reached || !search->cost(search, from, to, &hop))
        return;
    cost = cost_with(search, here->cost, hop);
    if (!is_better(search, here->hops + 1, cost, there))
        return;
    there->reached = true;
    there->hops = here->hops + 1;
    there->cost = cost;
    there->before = from;
}

/* Sets reached, hops, cost and before of every version. Hops lead forward only, so one pass in order is
   enough. */
static bool find_path(const struct search *search)
{
    struct plan_graph *graph = search->graph;

    for (unsigned i = 0; i < graph->count; i++)
        graph->version[i].reached = false;
    graph->version[0].reached = true;
    graph->version[0].hops = 0;
    graph->version[0].cost = 0;
    for (unsigned to = 1; to < graph->count; to++)
        for (unsigned from = 0; from < to; from++)
            improve(search, from, to);
    return graph->version[graph->count - 1].reached;
}

static bool cost_in_bytes(const struct search *search, unsigned from, unsigned to, uint64_t *ret)
{
    *ret = plan_edge(search->graph, from, to)->size;
    return plan_fit(search->graph, from, to) == FIT_USABLE;
}

/* Links the path that find_path() found, beginning at the base. */
static void link_path(struct plan_graph *graph)
{
    for (unsigned at = graph->count - 1; at != 0; at = graph->version[at].before)
        graph->version[graph->version[at].before].next = at;
}

static bool find_known(struct plan_graph *graph, struct plan *plan)
{
    const struct search search = {graph, cost_in_bytes, .worst = false, .hops_matter = true};
    if (!find_path(&search))
        return false;
    link_path(graph);
    plan->hops = graph->version[graph->count - 1].hops;
    plan->bytes = graph->version[graph->count - 1].cost;
    plan->aim = graph->version[0].next;
    return true;
}

unsigned plan_next(const struct plan_graph *graph, unsigned stop)
{
    return graph->version[stop].next;
}

static bool leads_on(const struct plan_graph *graph, unsigned from, unsigned to)
{
    return plan_fit(graph, from, to) != FIT_EXCLUDED;
}

void plan_mark(struct plan_graph *graph, unsigned to)
{
    struct plan_version *version = graph->version;

    for (unsigned i = 0; i < graph->count; i++) {
        version[i].reachable = i == 0;
        version[i].reaches = i == to;
    }
    for (unsigned i = 1; i < graph->count; i++)
        for (unsigned from = 0; from < i && !version[i].reachable; from++)
            version[i].reachable = version[from].reachable && leads_on(graph, from, i);
    for (unsigned i = to; i-- > 0;)
        for (unsigned on = i + 1; on <= to && !version[i].reaches; on++)
            version[i].reaches = version[on].reaches && leads_on(graph, i, on);
}

/* ---- Expected sizes ---- */

static bool tells_size(const struct plan_edge *edge)
{
    return (edge->state == EDGE_READY || edge->state == EDGE_UNPROVEN) && !edge->full && !edge->whole;
}

/* The last made pair on a walk over all pairs that have one version in common. */
struct neighbour {
    unsigned away;
    uint64_t per_step; /* its bytes, divided by the number of versions that it passes */
};

static uint64_t bytes_per_step(uint64_t bytes, uint64_t steps)
{
    return bytes > steps ? bytes / steps : 1;
}

static void look_at(const struct plan_graph *graph, unsigned from, unsigned to, struct neighbour *last)
{
    struct plan_edge *edge = plan_edge(graph, from, to);

    if (last->away != NOWHERE)
        last->away++;
    if (tells_size(edge))
        *last = (struct neighbour){0, bytes_per_step(plan_counted(edge), to - from)};
    if (last->away >= edge->away)
        return;
    edge->away = last->away;
    edge->expected = last->per_step * (to - from);
}

/* Each pair with the version `side` gets its expected size from the nearest made pair with this version, in
   both directions. */
static void walk_along(const struct plan_graph *graph, unsigned side)
{
    struct neighbour last = {NOWHERE, 0};
    for (unsigned to = side + 1; to < graph->count; to++)
        look_at(graph, side, to, &last);
    last.away = NOWHERE;
    for (unsigned to = graph->count; to-- > side + 1;)
        look_at(graph, side, to, &last);
    last.away = NOWHERE;
    for (unsigned from = 0; from < side; from++)
        look_at(graph, from, side, &last);
    last.away = NOWHERE;
    for (unsigned from = side; from-- > 0;)
        look_at(graph, from, side, &last);
}

/* The average of all made pairs. 1 if there are none: then a pair of closer versions is expected to be
   smaller. */
static uint64_t overall_per_step(const struct plan_graph *graph)
{
    uint64_t bytes = 0, steps = 0;
    for (unsigned from = 0; from < graph->count; from++)
        for (unsigned to = from + 1; to < graph->count; to++)
            if (tells_size(plan_edge(graph, from, to))) {
                bytes += plan_counted(plan_edge(graph, from, to));
                steps += to - from;
            }
    return steps ? bytes_per_step(bytes, steps) : 1;
}

static void expect_sizes(struct plan_graph *graph)
{
    uint64_t per_step = overall_per_step(graph);
    for (unsigned from = 0; from < graph->count; from++)
        for (unsigned to = from + 1; to < graph->count; to++) {
            struct plan_edge *edge = plan_edge(graph, from, to);
            edge->taken = false;
            edge->away = NOWHERE;
            edge->expected = per_step * (to - from);
        }
    for (unsigned side = 0; side < graph->count; side++)
        walk_along(graph, side);
}

/* ---- Pairs that are worth making ---- */

/* The estimate is rough: a pair a little above the limit is worth a try. */
static bool may_fit(const struct plan_graph *graph, uint64_t expected)
{
    return expected <= graph->limit + graph->limit / 4;
}

static bool cost_to_learn(const struct search *search, unsigned from, unsigned to, uint64_t *ret)
{
    const struct plan_edge *edge = plan_edge(search->graph, from, to);
    enum plan_fit fit = plan_fit(search->graph, from, to);

    *ret = fit == FIT_PENDING ? edge->expected : 0;
    return fit == FIT_USABLE || (fit == FIT_PENDING && !edge->taken &&
                                 (!search->believable || edge->whole || may_fit(search->graph, *ret)));
}

static void need(struct plan_graph *graph, struct plan *plan, unsigned from, unsigned to)
{
    struct plan_edge *edge = plan_edge(graph, from, to);
    if (plan_fit(graph, from, to) != FIT_PENDING || edge->taken || plan->need_count == PLAN_NEED_MAX)
        return;
    edge->taken = true;
    plan->need[plan->need_count++] = (struct plan_pair){from, to};
}

/* Finds the path that would exist if all pairs that are not settled fitted. The path with the fewest hops
   over pairs whose expected size fits; otherwise the path whose largest hop is the smallest. */
static bool find_promising(struct plan_graph *graph)
{
    struct search search = {graph, cost_to_learn, .worst = true, .hops_matter = true, .believable = true};
    if (find_path(&search))
        return true;
    search.hops_matter = search.believable = false;
    return find_path(&search);
}

static void need_path(struct plan_graph *graph, struct plan *plan)
{
    for (unsigned at = 0; at != graph->count - 1; at = graph->version[at].next)
        need(graph, plan, at, graph->version[at].next);
}

/* The hops of the most promising path, and of the most promising path without these pairs. */
static void need_promising(struct plan_graph *graph, struct plan *plan)
{
    if (!find_promising(graph))
        return;
    link_path(graph);
    plan->aim = graph->version[0].next;
    need_path(graph, plan);
    if (plan->need_count == PLAN_NEED_MAX || !find_promising(graph))
        return;
    link_path(graph);
    need_path(graph, plan);
}

/* The pairs from one required stop to the next. Later pairs are made early too: the device will need them. */
static void need_direct(struct plan_graph *graph, struct plan *plan)
{
    unsigned last = graph->count - 1, from = 0;
    for (unsigned to = 1; to <= last; to++)
        if (to == last || graph->version[to].required > graph->version[to - 1].required) {
            need(graph, plan, from, to);
            from = to;
        }
}

/* Whether there would be a path if every pair that is not settled fitted. */
static bool has_hope(struct plan_graph *graph)
{
    const struct search search = {graph, cost_to_learn, .worst = true, .hops_matter = true};
    return find_path(&search);
}

void plan_make(struct plan_graph *graph, struct plan *ret)
{
    *ret = (struct plan){.outcome = PLAN_NONE};
    count_required(graph);
    expect_sizes(graph);
    if (!has_hope(graph))
        return;

    unsigned stop = plan_first_stop(graph);
    bool known = find_known(graph, ret);
    if (plan_fit(graph, 0, stop) == FIT_PENDING) { /* it may give the shorter path, and is settled soon */
        ret->outcome = PLAN_WAIT;
        ret->aim = stop;
        need_direct(graph, ret);
    } else if (known) {
        ret->outcome = PLAN_PATH;
        need_direct(graph, ret);
    } else {
        ret->outcome = PLAN_WAIT;
        need_promising(graph, ret);
    }
}
