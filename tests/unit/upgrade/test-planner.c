/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The planner: every rule by itself, on the versions of the story. */
#include "test-planner.h"

/* A graph of versions given as text, all pairs unknown, and what is said of it. */
struct scene {
    struct plan_graph graph;
    struct plan plan;
    char advice[PLAN_ADVICE_SIZE];
};

static struct scene scene_of(const char *versions)
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

static unsigned at(const struct scene *scene, const char *text)
{
    struct version version;
    assert_true(version_parse(slice_of(text), &version));
    for (unsigned i = 0; i < scene->graph.count; i++)
        if (version_compare(&scene->graph.version[i].version, &version) == 0)
            return i;
    fail_msg("%s is in the graph", text);
    return 0;
}

static struct plan_edge *pair(struct scene *scene, const char *from, const char *to)
{
    return plan_edge(&scene->graph, at(scene, from), at(scene, to));
}

static void made(struct scene *scene, const char *from, const char *to, uint64_t size)
{
    pair(scene, from, to)->state = EDGE_READY;
    pair(scene, from, to)->size = size;
}

/* "path 1138 1147 1162 need 1147→1162", "wait for 1147 need …", "none". */
static const char *found(struct scene *scene, char *out, size_t size)
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

static void expect_at(int line, struct scene *scene, const char *wanted)
{
    char text[400];
    if (strcmp(found(scene, text, sizeof text), wanted) != 0)
        fail_msg("line %d: '%s' instead of '%s'", line, text, wanted);
}
#define expect(scene, wanted) expect_at(__LINE__, scene, wanted)

static void expect_words_at(int line, struct scene *scene, const char *reason, const char *advice)
{
    char text[240];
    plan_make(&scene->graph, &scene->plan);
    plan_reason(&scene->graph, &scene->plan, text, sizeof text);
    plan_make(&scene->graph, &scene->plan);
    plan_advice(&scene->graph, &scene->plan, NULL, 0, scene->advice);
    if (strcmp(text, reason) != 0)
        fail_msg("line %d: reason '%s' instead of '%s'", line, text, reason);
    if (strcmp(scene->advice, advice) != 0)
        fail_msg("line %d: advice '%s' instead of '%s'", line, scene->advice, advice);
}
#define expect_words(scene, reason, advice) expect_words_at(__LINE__, scene, reason, advice)

static void end(struct scene *scene)
{
    drop_graph(&scene->graph);
}

/* ---- ways ---- */

static void test_the_story(void **state)
{
    struct scene scene = scene_of("1138 1147 1162");
    (void)state;
    expect(&scene, "wait for 1162 need 1138→1162"); /* the direct pair alone */
    expect_words(&scene, "the package 1138→1162 is queued to be generated", "");
    pair(&scene, "1138", "1162")->state = EDGE_GENERATING;
    expect(&scene, "wait for 1162 need 1138→1162");
    expect_words(&scene, "the package 1138→1162 is being generated", "");
    made(&scene, "1138", "1162", 550112);
    expect(&scene, "wait for 1147 need 1138→1147, 1147→1162");
    expect_words(
        &scene,
        "no package leads straight from 1138→1162 (550,112 > 491,520); a way is looked for, to be made: "
        "1138→1147, 1147→1162",
        "");
    made(&scene, "1138", "1147", 43059);
    expect(&scene, "wait for 1147 need 1147→1162");
    made(&scene, "1147", "1162", 470001);
    expect(&scene, "path 1138 1147 1162");
    assert_int_equal(scene.plan.hops, 2);
    assert_int_equal(scene.plan.bytes, 513060);
    assert_int_equal(scene.plan.aim, 1);
    expect_words(&scene, "", "");
    end(&scene);
}

static void test_fewest_hops_then_fewest_bytes(void **state)
{
    struct scene scene = scene_of("1 2 3 4 5");
    (void)state;
    made(&scene, "1", "5", LIMIT); /* exactly the limit passes */
    made(&scene, "1", "2", 10);
    made(&scene, "2", "5", 10);
    expect(&scene, "path 1 5"); /* one hop, however large */
    scene.graph.limit = LIMIT - 1;
    made(&scene, "1", "3", 10);
    made(&scene, "3", "5", 9);
    expect(&scene, "path 1 3 5");
    made(&scene, "2", "3", 1);
    made(&scene, "3", "4", 1);
    made(&scene, "4", "5", 1);
    expect(&scene, "path 1 3 5"); /* 1 2 3 4 5 has fewer bytes */
    made(&scene, "3", "5", 10);
    expect(&scene, "path 1 2 5"); /* as many bytes: the earlier stop */
    end(&scene);
}

/* Where a full package stands at either end, another image is no help, and is not asked for. */
static void test_advice_where_a_full_package_is_in_the_way(void **state)
{
    struct scene scene = scene_of("2046.1 2049.1");
    struct plan_edge *edge = pair(&scene, "2046.1", "2049.1");
    (void)state;
    edge->state = EDGE_IMPOSSIBLE;
    scene.graph.version[1].core = "2049";
    expect_words(
        &scene,
        "no path leads from 2046.1 to 2049.1: 2046.1→2049.1 2049.1 is a full package for core 2049, and 2046.1 "
        "is not of that core",
        "2046.1→2049.1: 2049.1 is a full package for core 2049, and 2046.1 is not of that core; upload a package "
        "2046.1→2049.1 that was made elsewhere, or a full package that changes the core");
    scene.graph.version[0].here = false; /* a package that was made elsewhere needs both here */
    expect_words(
        &scene,
        "no path leads from 2046.1 to 2049.1: 2046.1→2049.1 2049.1 is a full package for core 2049, and 2046.1 "
        "is not of that core",
        "2046.1→2049.1: 2049.1 is a full package for core 2049, and 2046.1 is not of that core; upload a full "
        "package that changes the core of 2046.1");
    scene.graph.version[0].here = true;
    scene.graph.version[0].core = "2046";
    scene.graph.version[1].core = "";
    expect_words(
        &scene,
        "no path leads from 2046.1 to 2049.1: 2046.1→2049.1 of 2046.1 a full package is here and no image",
        "2046.1→2049.1: of 2046.1 a full package is here and no image; upload a package 2046.1→2049.1 that was "
        "made elsewhere");
    edge->state = EDGE_READY;
    edge->size = 491521;
    expect_words(
        &scene, "no path leads from 2046.1 to 2049.1: 2046.1→2049.1 491,521 > 491,520",
        "2046.1→2049.1: 491,521 > 491,520; another package is needed: upload one that was made elsewhere");
    scene.graph.version[0].core = "";
    edge->state = EDGE_IMPOSSIBLE;
    scene.graph.format_missing = true;
    expect_words(
        &scene, "no path leads from 2046.1 to 2049.1: 2046.1→2049.1 no package format is set",
        "2046.1→2049.1 no package format is set, and no image between 2046.1 and 2049.1 is here; upload one");
    end(&scene);
}

static void test_full_package_from_a_base_that_is_not_here(void **state)
{
    struct scene scene = scene_of("1 2 3");
    (void)state;
    scene.graph.version[0].here = false;
    pair(&scene, "1", "2")->state = pair(&scene, "1", "3")->state = EDGE_IMPOSSIBLE;
    expect(&scene, "none");
    expect_words(
        &scene,
        "no path leads from 1 to 3: 1→3 the image of 1 is not here, and no version between them helps",
        "the image of 1 is not here: upload it");
    made(&scene, "1", "2", 5000);
    pair(&scene, "1", "2")->full = true;
    made(&scene, "2", "3", 100);
    expect(&scene, "path 1 2 3");
    end(&scene);
}

/* ---- what bars a way ---- */

static void test_forbidden_and_withdrawn(void **state)
{
    struct scene scene = scene_of("1 2 3 4");
    (void)state;
    made(&scene, "1", "4", 550112);
    made(&scene, "1", "2", 10);
    made(&scene, "2", "4", 10);
    made(&scene, "1", "3", 20);
    made(&scene, "3", "4", 20);
    expect(&scene, "path 1 2 4");
    scene.graph.version[1].waypoint = WAYPOINT_FORBIDDEN;
    expect(&scene, "path 1 3 4");
    scene.graph.version[2].withdrawn = true;
    pair(&scene, "2", "3")->state = EDGE_FAILED;
    expect(&scene, "none");
    expect_words(&scene,
                 "no path leads from 1 to 4: 1→4 550,112 > 491,520, and no version between them helps",
                 "2 is forbidden as a waypoint: without that there may be a path");
    scene.graph.version[0].withdrawn = true; /* away from it as from any other */
    scene.graph.version[0].waypoint = WAYPOINT_FORBIDDEN;
    scene.graph.version[2].withdrawn = false;
    expect(&scene, "path 1 3 4");
    scene.graph.version[3].waypoint = WAYPOINT_FORBIDDEN; /* a target it may be */
    expect(&scene, "path 1 3 4");
    scene.graph.version[3].withdrawn = true;
    expect(&scene, "none");
    expect_words(&scene, "no path leads from 1 to 4: 4 is withdrawn", "4 is withdrawn: set another target");
    end(&scene);
}

static void test_required(void **state)
{
    struct scene scene = scene_of("1 2 3 4");
    (void)state;
    scene.graph.version[2].waypoint = WAYPOINT_REQUIRED;
    made(&scene, "1", "4", 10);
    expect(&scene, "wait for 3 need 1→3, 3→4");
    expect_words(&scene, "the package 1→3 is queued to be generated (on the way to 4)", "");
    made(&scene, "1", "3", 10);
    made(&scene, "3", "4", 10);
    expect(&scene, "path 1 3 4");
    pair(&scene, "3", "4")->state = EDGE_FAILED;
    pair(&scene, "3", "4")->error = "it took too long";
    expect(&scene, "none");
    expect_words(&scene, "no path leads from 1 to 4: 3→4 could not be made: it took too long",
                 "3 is required as a waypoint: without that there may be a path");
    made(&scene, "3", "4", 10);
    scene.graph.version[2].withdrawn = true; /* it must be stopped at, and nothing leads to it */
    expect(&scene, "none");
    expect_words(&scene, "no path leads from 1 to 4: 3 is withdrawn",
                 "3 is withdrawn and cannot serve as a waypoint: without that there may be a path");
    end(&scene);
}

static void test_a_later_stretch_does_not_hold_up_the_first(void **state)
{
    struct scene scene = scene_of("1 2 3 4 5");
    (void)state;
    scene.graph.version[1].waypoint = WAYPOINT_REQUIRED;
    made(&scene, "1", "2", 10);
    made(&scene, "2", "4", 10);
    made(&scene, "4", "5", 10);
    expect(&scene, "path 1 2 4 5 need 2→5");
    end(&scene);
}

static void test_unproven_is_for_the_admin_to_release(void **state)
{
    struct scene scene = scene_of("1 2");
    (void)state;
    made(&scene, "1", "2", 10);
    pair(&scene, "1", "2")->state = EDGE_UNPROVEN;
    expect(&scene, "none");
    expect_words(&scene, "no path leads from 1 to 2: 1→2 not proven and not released",
                 "release 1→2: made, but not proven here");
    assert_int_equal(pair(&scene, "1", "2")->state, EDGE_UNPROVEN);
    pair(&scene, "1", "2")->size = LIMIT + 1;
    expect_words(&scene, "no path leads from 1 to 2: 1→2 491,521 > 491,520",
                 "1→2 491,521 > 491,520, and no image between 1 and 2 is here; upload one");
    end(&scene);
}

/* ---- what is worth making ---- */

static void test_nothing_is_made_where_nothing_can_come_of_it(void **state)
{
    struct scene scene = scene_of("1 2 3");
    (void)state;
    scene.graph.version[2].withdrawn = true;
    expect(&scene, "none");
    end(&scene);
    scene = scene_of("1 2 3");
    scene.graph.version[1].waypoint = WAYPOINT_REQUIRED;
    pair(&scene, "2", "3")->state = EDGE_FAILED;
    expect(&scene, "none");
    end(&scene);
}

static void test_the_direct_pair_is_known_first(void **state)
{
    struct scene scene = scene_of("1 2 3");
    (void)state;
    made(&scene, "1", "2", 10);
    made(&scene, "2", "3", 10);
    expect(&scene, "wait for 3 need 1→3");
    assert_int_equal(scene.plan.hops, 2); /* known, but not taken yet */
    pair(&scene, "1", "3")->state = EDGE_FAILED;
    expect(&scene, "path 1 2 3"); /* not for ever */
    made(&scene, "1", "3", 500112);
    pair(&scene, "1", "3")->improving = true;
    expect(&scene, "wait for 3 need 1→3");
    expect_words(&scene, "the package 1→3 is being made smaller: 500,112 > 491,520", "");
    pair(&scene, "1", "3")->improving = false;
    expect(&scene, "path 1 2 3");
    end(&scene);
}

static void test_waypoints_by_promise(void **state)
{
    struct scene scene = scene_of("1 2 3 4 5 6 7 8 9");
    (void)state;
    made(&scene, "1", "9", 800000);
    expect(&scene, "wait for 5 need 1→5, 5→9, 1→4, 4→9"); /* nearest to the middle, two at a time */
    made(&scene, "1", "5", 40000); /* little changed up to 5: the later stops promise more */
    expect(&scene, "wait for 7 need 1→7, 7→9, 1→6, 6→9");
    made(&scene, "5", "9", 480000);
    expect(&scene, "path 1 5 9");
    end(&scene);
}

static void test_more_stops_where_two_hops_cannot_be_expected(void **state)
{
    struct scene scene = scene_of("1 2 3 4 5");
    (void)state;
    made(&scene, "1", "5", 4 * LIMIT - 4000); /* a step of one is expected to fit, of two not */
    expect(&scene, "wait for 2 need 1→2, 2→3, 3→4, 4→5");
    made(&scene, "1", "2", 2 * LIMIT); /* not that way: now what is expected to be the least too large */
    expect(&scene, "wait for 4 need 1→4, 4→5, 1→3, 3→5");
    end(&scene);
}

static void test_pairs_that_are_under_way_are_named_again(void **state)
{
    struct scene scene = scene_of("1 2 3");
    (void)state;
    made(&scene, "1", "3", 550112);
    pair(&scene, "1", "2")->state = EDGE_QUEUED;
    pair(&scene, "2", "3")->state = EDGE_GENERATING;
    expect(&scene, "wait for 2 need 1→2, 2→3");
    end(&scene);
}

/* ---- words ---- */

static void test_advice_on_gaps(void **state)
{
    struct scene scene = scene_of("1138 1147 1150 1162");
    const struct version missing[] = {{.part = {1139}, .count = 1}, {.part = {1155}, .count = 1}};
    (void)state;
    made(&scene, "1138", "1162", 950112);
    made(&scene, "1138", "1150", 850112);
    made(&scene, "1147", "1162", 550112);
    made(&scene, "1138", "1147", 43059);
    made(&scene, "1147", "1150", 43059);
    made(&scene, "1150", "1162", 500112);
    expect(&scene, "none");
    expect_words(
        &scene,
        "no path leads from 1138 to 1162: 1138→1162 950,112 > 491,520, and no version between them helps",
        "1150→1162 500,112 > 491,520, and no image between 1150 and 1162 is here; upload one");
    plan_advice(&scene.graph, &scene.plan, missing, 2, scene.advice);
    assert_string_equal(scene.advice,
                        "1150→1162 500,112 > 491,520, and no image between 1150 and 1162 is here; "
                        "upload one, such as 1155, which devices run");
    made(&scene, "1147", "1150", 943059);
    made(&scene, "1150", "1162", 100);
    expect_words(
        &scene,
        "no path leads from 1138 to 1162: 1138→1162 950,112 > 491,520, and no version between them helps",
        "1147→1150 943,059 > 491,520, and no image between 1147 and 1150 is here; upload one");
    end(&scene);
}

static void test_a_way_back(void **state)
{
    struct scene scene = scene_of("1162 1147 1138");
    (void)state;
    expect(&scene, "wait for 1138 need 1162→1138");
    made(&scene, "1162", "1138", 550112);
    made(&scene, "1162", "1147", 43059);
    made(&scene, "1147", "1138", 43059);
    expect(&scene, "path 1162 1147 1138");
    end(&scene);
}

static void test_why(void **state)
{
    struct scene scene = scene_of("1 2 3 4");
    char why[PLAN_WHY_SIZE];
    (void)state;
    made(&scene, "1", "4", 12345678);
    scene.graph.version[1].waypoint = WAYPOINT_FORBIDDEN;
    scene.graph.version[2].withdrawn = true;
    plan_make(&scene.graph, &scene.plan);
    plan_why(&scene.graph, 0, 3, why);
    assert_string_equal(why, "12,345,678 > 491,520");
    plan_why(&scene.graph, 0, 1, why);
    assert_string_equal(why, "2 is forbidden as a waypoint");
    plan_why(&scene.graph, 1, 3, why);
    assert_string_equal(why, "2 is forbidden as a waypoint");
    plan_why(&scene.graph, 0, 2, why);
    assert_string_equal(why, "3 is withdrawn");
    scene.graph.version[1].waypoint = WAYPOINT_REQUIRED;
    plan_make(&scene.graph, &scene.plan);
    plan_why(&scene.graph, 0, 3, why);
    assert_string_equal(why, "every path must stop at 2");
    assert_string_equal(plan_state_name(&scene.graph, pair(&scene, "1", "4")), "oversize");
    end(&scene);
}

static void test_long_words_are_cut_at_a_character(void **state)
{
    struct scene scene = scene_of("1 2");
    char out[240], *error = calloc(1, 300);
    (void)state;
    for (unsigned size = 20; size < sizeof out; size++) {
        memset(error, 0, 300);
        for (unsigned i = 0; i < 290; i += 3)
            memcpy(error + i, "→", 3);
        pair(&scene, "1", "2")->state = EDGE_FAILED;
        pair(&scene, "1", "2")->error = error;
        plan_make(&scene.graph, &scene.plan);
        plan_reason(&scene.graph, &scene.plan, out, size);
        assert_true(strlen(out) < size && (size > 180 || strlen(out) + 4 >= size));
        assert_true(slice_is_clean_utf8(slice_of(out)));
    }
    free(error);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_story),
        cmocka_unit_test(test_fewest_hops_then_fewest_bytes),
        cmocka_unit_test(test_advice_where_a_full_package_is_in_the_way),
        cmocka_unit_test(test_full_package_from_a_base_that_is_not_here),
        cmocka_unit_test(test_forbidden_and_withdrawn),
        cmocka_unit_test(test_required),
        cmocka_unit_test(test_a_later_stretch_does_not_hold_up_the_first),
        cmocka_unit_test(test_unproven_is_for_the_admin_to_release),
        cmocka_unit_test(test_nothing_is_made_where_nothing_can_come_of_it),
        cmocka_unit_test(test_the_direct_pair_is_known_first),
        cmocka_unit_test(test_waypoints_by_promise),
        cmocka_unit_test(test_more_stops_where_two_hops_cannot_be_expected),
        cmocka_unit_test(test_pairs_that_are_under_way_are_named_again),
        cmocka_unit_test(test_advice_on_gaps),
        cmocka_unit_test(test_a_way_back),
        cmocka_unit_test(test_why),
        cmocka_unit_test(test_long_words_are_cut_at_a_character),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("planner", tests, NULL, NULL);
}
