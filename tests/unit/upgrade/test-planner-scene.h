/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of single rules of the planner: a graph from a list of versions, and its plan and
   texts. */
#ifndef DFOTA_TESTS_UNIT_UPGRADE_TEST_PLANNER_SCENE_H
#define DFOTA_TESTS_UNIT_UPGRADE_TEST_PLANNER_SCENE_H

#include "test-planner.h"

/* A graph of versions given as text, all pairs unknown, with its plan and advice. */
struct scene {
    struct plan_graph graph;
    struct plan plan;
    char advice[REASON_SIZE];
};

static inline struct scene scene_of(const char *versions)
{
    struct scene scene = {.graph = {.count = 0}};
    struct slice rest = slice_of(versions), word;
    unsigned count = 1;
    for (const char *c = versions; *c; c++)
        count += *c == ' ';
    scene.graph = graph_of(count);
    for (unsigned i = 0; slice_split(&rest, ' ', &word); i++)
        assert_true(version_parse(word, &scene.graph.version[i].version));
    return scene;
}

static inline unsigned at(const struct scene *scene, const char *text)
{
    struct version version;
    assert_true(version_parse(slice_of(text), &version));
    for (unsigned i = 0; i < scene->graph.count; i++)
        if (version_compare(&scene->graph.version[i].version, &version) == 0)
            return i;
    fail_msg("%s is in the graph", text);
    return 0;
}

static inline struct plan_edge *pair(struct scene *scene, const char *from, const char *to)
{
    return plan_edge(&scene->graph, at(scene, from), at(scene, to));
}

static inline void made(struct scene *scene, const char *from, const char *to, uint64_t size)
{
    pair(scene, from, to)->state = EDGE_READY;
    pair(scene, from, to)->size = size;
}

/* "path 1138 1147 1162 need 1147→1162", "wait for 1147 need …", "none". */
static inline const char *found(struct scene *scene, char *out, size_t size)
{
    static const char *const names[] = {"path", "wait for", "none"};
    const struct plan_graph *graph = &scene->graph;
    const struct plan *plan = &scene->plan;
    char a[VERSION_TEXT_SIZE], b[VERSION_TEXT_SIZE];
    plan_make(&scene->graph, &scene->plan);
    size_t used = (size_t)snprintf(out, size, "%s", names[plan->outcome]);
    for (unsigned i = 0; plan->outcome == PLAN_PATH; i = plan_next(graph, i)) {
        version_format(&graph->version[i].version, a);
        used += (size_t)snprintf(out + used, size - used, " %s", a);
        if (i == graph->count - 1)
            break;
    }
    version_format(&graph->version[plan->aim].version, a);
    if (plan->outcome == PLAN_WAIT)
        used += (size_t)snprintf(out + used, size - used, " %s", a);
    for (unsigned i = 0; i < plan->need_count; i++) {
        version_format(&graph->version[plan->need[i].from].version, a);
        version_format(&graph->version[plan->need[i].to].version, b);
        used += (size_t)snprintf(out + used, size - used, "%s%s→%s", i ? ", " : " need ", a, b);
    }
    return out;
}

static inline void expect_at(int line, struct scene *scene, const char *wanted)
{
    char text[400];
    if (strcmp(found(scene, text, sizeof text), wanted) != 0)
        fail_msg("line %d: '%s' instead of '%s'", line, text, wanted);
}
#define expect(scene, wanted) expect_at(__LINE__, scene, wanted)

static inline void expect_words_at(int line, struct scene *scene, const char *reason, const char *advice)
{
    char kept[REASON_SIZE], text[REASON_TEXT_SIZE];
    plan_make(&scene->graph, &scene->plan);
    plan_reason(&scene->graph, &scene->plan, kept);
    reason_text(kept, REASON_ENGLISH, text);
    plan_make(&scene->graph, &scene->plan);
    plan_advice(&scene->graph, &scene->plan, NULL, 0, scene->advice);
    if (strcmp(text, reason) != 0)
        fail_msg("line %d: reason '%s' instead of '%s'", line, text, reason);
    if (strcmp(reason_text(scene->advice, REASON_ENGLISH, text), advice) != 0)
        fail_msg("line %d: advice '%s' instead of '%s'", line, text, advice);
}
#define expect_words(scene, reason, advice) expect_words_at(__LINE__, scene, reason, advice)

static inline void end(struct scene *scene)
{
    drop_graph(&scene->graph);
}

#endif
