/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The planner compared with brute force: on random graphs of up to 12 versions with all states, waypoints
   and withdrawn versions, while all pairs are made one after the other. */
#include "test-planner.h"

#define VERSIONS_MAX 12
#define GRAPHS       40000

static uint64_t random_below(uint64_t limit)
{
    static uint64_t state = 20260921;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % limit;
}

static bool one_in(unsigned n)
{
    return random_below(n) == 0;
}

static void random_edge(struct plan_edge *edge)
{
    static const uint8_t states[] = {EDGE_READY, EDGE_READY,  EDGE_READY,      EDGE_READY,
                                     EDGE_READY, EDGE_FAILED, EDGE_IMPOSSIBLE, EDGE_UNPROVEN,
                                     EDGE_READY, EDGE_READY,  EDGE_UNKNOWN,    EDGE_QUEUED,
                                     EDGE_READY, EDGE_READY,  EDGE_GENERATING, EDGE_UNKNOWN};
    edge->state = states[random_below(sizeof states)];
    edge->size = one_in(4) ? random_below(8) : random_below(2 * LIMIT);
    edge->improving = one_in(6);
    edge->full = one_in(10);
}

/* Sparse graphs, dense graphs, and graphs without known pairs. */
static struct plan_graph random_graph(void)
{
    struct plan_graph graph = graph_of(2 + (unsigned)random_below(VERSIONS_MAX - 1));
    unsigned rare = 2 + (unsigned)random_below(12);
    bool settled = one_in(2), unknown = one_in(8);
    for (unsigned i = 0; i < graph.count; i++) {
        graph.version[i].withdrawn = one_in(3 * rare);
        graph.version[i].waypoint = one_in(rare)       ? WAYPOINT_FORBIDDEN
                                    : one_in(2 * rare) ? WAYPOINT_REQUIRED
                                                       : WAYPOINT_ALLOWED;
    }
    for (unsigned from = 0; !unknown && from < graph.count; from++)
        for (unsigned to = from + 1; to < graph.count; to++) {
            struct plan_edge *edge = plan_edge(&graph, from, to);
            random_edge(edge);
            if (settled && edge->state != EDGE_READY)
                edge->state = EDGE_FAILED;
            if (one_in(rare))
                edge->state = EDGE_FAILED;
        }
    return graph;
}

/* ---- Brute force: every set of stops is tried ---- */

struct best {
    bool found;
    unsigned hops;
    uint64_t bytes;
};

static bool is_pending(const struct plan_graph *graph, const struct plan_edge *edge)
{
    return edge->state == EDGE_UNKNOWN || edge->state == EDGE_QUEUED || edge->state == EDGE_GENERATING ||
           (edge->state == EDGE_READY && edge->size > graph->limit && edge->improving);
}

static bool is_stop(const struct plan_graph *graph, unsigned stops, unsigned at)
{
    return at == 0 || at == graph->count - 1 || (stops >> at & 1);
}

/* The stops are the bits of `stops`. With `hoping` hops that are not settled are allowed. */
static bool can_be_gone(const struct plan_graph *graph, unsigned stops, bool hoping, struct best *ret)
{
    unsigned from = 0;
    *ret = (struct best){.found = true};
    for (unsigned at = 1; at < graph->count; at++) {
        const struct plan_version *version = &graph->version[at];
        bool last = at == graph->count - 1;
        if (!is_stop(graph, stops, at)) {
            if (version->waypoint == WAYPOINT_REQUIRED)
                return false;
            continue;
        }
        if (version->withdrawn || (!last && version->waypoint == WAYPOINT_FORBIDDEN))
            return false;
        const struct plan_edge *edge = plan_edge(graph, from, at);
        bool usable = edge->state == EDGE_READY && edge->size <= graph->limit;
        if (!usable && !(hoping && is_pending(graph, edge)))
            return false;
        ret->hops++;
        ret->bytes += edge->size;
        from = at;
    }
    return true;
}

static struct best best_of_all(const struct plan_graph *graph, bool hoping)
{
    struct best best = {false, 0, 0}, way;
    for (unsigned stops = 0; stops < 1u << (graph->count - 1); stops += 2)
        if (can_be_gone(graph, stops, hoping, &way) &&
            (!best.found || way.hops < best.hops || (way.hops == best.hops && way.bytes < best.bytes)))
            best = way;
    return best;
}

/* The pair is a hop of a path that would exist if every pair that is not settled fitted. */
static bool is_of_use(const struct plan_graph *graph, const struct plan_pair *pair)
{
    struct best way;
    unsigned inside = 0;
    for (unsigned at = pair->from + 1; at < pair->to; at++)
        inside |= 1u << at;
    for (unsigned stops = 0; stops < 1u << (graph->count - 1); stops += 2)
        if (!(stops & inside) && is_stop(graph, stops, pair->from) && is_stop(graph, stops, pair->to) &&
            can_be_gone(graph, stops, true, &way))
            return true;
    return false;
}

/* ---- Invariants of every plan ---- */

static void check_known_way(const struct plan_graph *graph, const struct plan *plan)
{
    struct best best = best_of_all(graph, false);
    if ((plan->hops > 0) != best.found && plan->outcome != PLAN_NONE)
        fail_msg("a way is %s, %u hops were found", best.found ? "there" : "not there", plan->hops);
    if (plan->hops == 0)
        return;
    assert_int_equal(plan->hops, best.hops);
    assert_true(plan->bytes == best.bytes);
    struct best way;
    unsigned stops = 0;
    for (unsigned at = 0; at != graph->count - 1; at = plan_next(graph, at))
        stops |= 1u << plan_next(graph, at);
    assert_true(can_be_gone(graph, stops, false, &way));
    assert_true(way.hops == best.hops && way.bytes == best.bytes);
}

static void check_needs(const struct plan_graph *graph, const struct plan *plan)
{
    assert_true(plan->need_count <= PLAN_NEED_MAX);
    for (unsigned i = 0; i < plan->need_count; i++) {
        const struct plan_pair *pair = &plan->need[i];
        assert_true(pair->from < pair->to && pair->to < graph->count);
        assert_true(is_pending(graph, plan_edge(graph, pair->from, pair->to)));
        if (plan->outcome == PLAN_WAIT && !is_of_use(graph, pair))
            fail_msg("%u→%u is of no use", pair->from, pair->to);
        for (unsigned j = 0; j < i; j++)
            assert_false(plan->need[j].from == pair->from && plan->need[j].to == pair->to);
    }
}

static void check_plan(struct plan_graph *graph, struct plan *plan)
{
    struct plan again;
    unsigned stop = 1;
    plan_make(graph, plan);
    check_known_way(graph, plan);
    check_needs(graph, plan);
    while (stop < graph->count - 1 && graph->version[stop].waypoint != WAYPOINT_REQUIRED)
        stop++;
    const struct plan_edge *direct = plan_edge(graph, 0, stop);
    switch (plan->outcome) {
    case PLAN_NONE: /* only if no pair that is not settled could change it */
        assert_false(best_of_all(graph, true).found);
        assert_true(plan->need_count == 0 && plan->aim == 0);
        break;
    case PLAN_WAIT: /* for the direct pair, or because there is no path */
        assert_true(plan->need_count > 0 && plan->aim > 0);
        if (is_pending(graph, direct))
            assert_true(plan->need[0].from == 0 && plan->need[0].to == stop && plan->aim == stop);
        else
            assert_false(best_of_all(graph, false).found);
        break;
    case PLAN_PATH:
        assert_false(is_pending(graph, direct));
        assert_int_equal(plan->aim, plan_next(graph, 0));
        break;
    }
    plan_make(graph, &again);
    assert_memory_equal(&again, plan, sizeof again);
}

static void check_words(struct plan_graph *graph, const struct plan *plan)
{
    char reason[REASON_SIZE], advice[REASON_SIZE];
    plan_reason(graph, plan, reason);
    assert_true((reason[0] != '\0') == (plan->outcome != PLAN_PATH));
    plan_advice(graph, plan, NULL, 0, advice);
    assert_true((advice[0] != '\0') == (plan->outcome == PLAN_NONE));
    assert_true(slice_is_clean_utf8(slice_of(reason)) && slice_is_clean_utf8(slice_of(advice)));
}

static void test_random_graphs(void **state)
{
    unsigned seen[PLAN_NONE + 1] = {0}, long_ways = 0;
    (void)state;
    for (unsigned i = 0; i < GRAPHS; i++) {
        struct plan_graph graph = random_graph();
        struct plan plan;
        check_plan(&graph, &plan);
        check_words(&graph, &plan);
        seen[plan.outcome]++;
        long_ways += plan.outcome == PLAN_PATH && plan.hops > 2;
        drop_graph(&graph);
    }
    for (unsigned outcome = PLAN_PATH; outcome <= PLAN_NONE; outcome++)
        assert_true(seen[outcome] > GRAPHS / 20); /* otherwise the test proves nothing */
    assert_true(long_ways > GRAPHS / 100);
}

/* ---- Until everything is settled ---- */

static void settle(struct plan_edge *edge, const struct plan_edge *truth)
{
    *edge = *truth;
    edge->improving = false;
}

/* The final state of every pair of one graph. */
static struct plan_edge *random_truth(const struct plan_graph *graph)
{
    struct plan_edge *truth = calloc((size_t)graph->count * graph->count, sizeof *truth);
    uint64_t step = LIMIT / (1 + random_below(graph->count));
    assert_non_null(truth);
    for (unsigned from = 0; from < graph->count; from++)
        for (unsigned to = from + 1; to < graph->count; to++) {
            struct plan_edge *edge = &truth[(size_t)from * graph->count + to];
            edge->state = one_in(10) ? EDGE_FAILED : EDGE_READY;
            edge->size = step * (to - from) / 2 + random_below(step * (to - from) + 1);
        }
    return truth;
}

/* For any final states of the pairs: planning ends, finds a path exactly if there is one, and makes only
   pairs that it named. */
static void test_until_it_is_settled(void **state)
{
    unsigned ends[PLAN_NONE + 1] = {0};
    (void)state;
    for (unsigned i = 0; i < GRAPHS / 8; i++) {
        struct plan_graph graph = random_graph();
        struct plan_edge *truth = random_truth(&graph);
        struct plan plan;
        unsigned rounds = 0;
        for (check_plan(&graph, &plan); plan.outcome == PLAN_WAIT; check_plan(&graph, &plan)) {
            assert_true(++rounds <= graph.count * graph.count);
            const struct plan_pair *pair = &plan.need[random_below(plan.need_count)];
            settle(plan_edge(&graph, pair->from, pair->to),
                   &truth[(size_t)pair->from * graph.count + pair->to]);
        }
        ends[plan.outcome]++;
        for (unsigned e = 0; e < graph.count * graph.count;
             e++) /* what was not made does not change the end */
            if (is_pending(&graph, &graph.edge[e]))
                settle(&graph.edge[e], &truth[e]);
        assert_int_equal(best_of_all(&graph, false).found, plan.outcome == PLAN_PATH);
        free(truth);
        drop_graph(&graph);
    }
    assert_true(ends[PLAN_PATH] > GRAPHS / 40 && ends[PLAN_NONE] > GRAPHS / 100);
}

/* With regular sizes only few of all pairs are made. */
static void test_a_small_part_is_made(void **state)
{
    struct plan_graph graph = graph_of(100);
    struct plan plan;
    unsigned made = 0;
    (void)state;
    for (plan_make(&graph, &plan); plan.outcome == PLAN_WAIT; plan_make(&graph, &plan))
        for (unsigned i = 0; i < plan.need_count; i++, made++) {
            struct plan_edge *edge = plan_edge(&graph, plan.need[i].from, plan.need[i].to);
            edge->state = EDGE_READY;
            edge->size = (plan.need[i].to - plan.need[i].from) * 9000; /* 99 steps of which 54 fit at once */
        }
    assert_int_equal(plan.outcome, PLAN_PATH);
    assert_int_equal(plan.hops, 2);
    assert_true(made <= 5); /* of 4950 */
    drop_graph(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_until_it_is_settled),
        cmocka_unit_test(test_a_small_part_is_made),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("planner-any", tests, NULL, NULL);
}
