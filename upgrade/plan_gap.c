/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/plan_gap.h"

unsigned plan_gap_required(const struct plan_graph *graph, unsigned from, unsigned to)
{
    unsigned at = from + 1;
    while (at < to && graph->version[at].required == graph->version[from].required)
        at++;
    return at;
}

struct plan_pair plan_gap_stretch(struct plan_graph *graph)
{
    unsigned last = graph->count - 1, from = 0, to;
    plan_mark(graph, last);
    for (;; from = to) {
        to = plan_gap_required(graph, from, last);
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

struct plan_pair plan_gap_smallest(struct plan_graph *graph, struct plan_pair stretch)
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
