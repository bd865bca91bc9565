/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of the planner: graphs. */
#ifndef DFOTA_TESTS_UNIT_UPGRADE_TEST_PLANNER_H
#define DFOTA_TESTS_UNIT_UPGRADE_TEST_PLANNER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "upgrade/plan_advice.h"
#include "upgrade/plan_text.h"

#define LIMIT 491520

/* Room for `count` versions 1, 2, …, all pairs unknown. */
static inline struct plan_graph graph_of(unsigned count)
{
    struct plan_graph graph = {.count = count, .limit = LIMIT};
    graph.version = calloc(count, sizeof *graph.version);
    graph.edge = calloc((size_t)count * count, sizeof *graph.edge);
    assert_true(graph.version && graph.edge);
    for (unsigned i = 0; i < count; i++) {
        graph.version[i].version = (struct version){.part = {i + 1}, .count = 1};
        graph.version[i].here = true;
    }
    for (size_t i = 0; i < (size_t)count * count; i++)
        graph.edge[i].state = EDGE_UNKNOWN;
    return graph;
}

static inline void drop_graph(struct plan_graph *graph)
{
    free(graph->version);
    free(graph->edge);
}

#endif
