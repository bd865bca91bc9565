/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The planner, rule by rule. */
#include "test-planner-scene.h"

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
        "the direct package 1138→1162 cannot be used (550,112 bytes, the limit is 491,520); packages for a "
        "longer "
        "path are made: 1138→1147, 1147→1162",
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
    expect(&scene, "path 1 5"); /* one hop wins, however large */
    scene.graph.limit = LIMIT - 1;
    made(&scene, "1", "3", 10);
    made(&scene, "3", "5", 9);
    expect(&scene, "path 1 3 5");
    made(&scene, "2", "3", 1);
    made(&scene, "3", "4", 1);
    made(&scene, "4", "5", 1);
    expect(&scene, "path 1 3 5"); /* 1 2 3 4 5 has fewer bytes */
    made(&scene, "3", "5", 10);
    expect(&scene, "path 1 2 5"); /* the same number of bytes: the earlier stop */
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
        "no path leads from 1 to 3 because of 1→3: the image of 1 is missing on the server, and no version "
        "between them helps",
        "the image of 1 is missing on the server: upload it");
    made(&scene, "1", "2", 5000);
    pair(&scene, "1", "2")->full = true;
    made(&scene, "2", "3", 100);
    expect(&scene, "path 1 2 3");
    end(&scene);
}

/* A full package of CSDK, which leads from any version. */
static void whole(struct scene *scene, const char *from, const char *to, enum plan_edge_state state,
                  uint64_t size)
{
    *pair(scene, from, to) = (struct plan_edge){.state = (uint8_t)state, .size = size, .whole = true};
}

static void test_whole_beside_hops(void **state)
{
    struct scene scene = scene_of("1 2 3");
    (void)state;
    made(&scene, "1", "2", 10);
    made(&scene, "2", "3", 10);
    whole(&scene, "1", "3", EDGE_READY, 3 * LIMIT); /* over the limit of deltas */
    expect(&scene, "path 1 3");                     /* one hop wins */
    assert_int_equal(scene.plan.bytes, 3 * LIMIT);
    whole(&scene, "1", "3", EDGE_QUEUED, 0);
    expect(&scene, "wait for 3 need 1→3");
    whole(&scene, "1", "3", EDGE_FAILED, 0); /* such as one that is too large */
    expect(&scene, "path 1 2 3");
    end(&scene);
}

static void test_hops_then_whole(void **state)
{
    struct scene scene = scene_of("1 2 3 4");
    (void)state;
    scene.graph.version[1].waypoint = scene.graph.version[2].waypoint = WAYPOINT_REQUIRED;
    made(&scene, "1", "2", 10);
    made(&scene, "2", "3", 10);
    made(&scene, "3", "4", LIMIT + 1);
    expect(&scene, "none");
    whole(&scene, "3", "4", EDGE_UNKNOWN, 0);
    expect(&scene, "wait for 2 need 3→4");
    whole(&scene, "3", "4", EDGE_READY, 2 * LIMIT);
    expect(&scene, "path 1 2 3 4");
    assert_int_equal(scene.plan.bytes, 20 + 2 * LIMIT);
    end(&scene);
}

static void test_unproven_whole(void **state)
{
    struct scene scene = scene_of("1 2");
    (void)state;
    whole(&scene, "1", "2", EDGE_UNPROVEN, 2 * LIMIT);
    expect(&scene, "none");
    expect_words(&scene, "no path leads from 1 to 2 because of 1→2: not proven and not released",
                 "release 1→2: made, but not proven on this server");
    whole(&scene, "1", "2", EDGE_QUARANTINED, 2 * LIMIT);
    pair(&scene, "1", "2")->error = "tried";
    expect(&scene, "none");
    end(&scene);
}

/* The size of a full package says nothing about the deltas beside it. */
static void test_whole_does_not_tell_the_size_of_deltas(void **state)
{
    struct scene scene = scene_of("1 2 3");
    (void)state;
    made(&scene, "1", "3", LIMIT + 1);
    whole(&scene, "1", "2", EDGE_READY, 3 * LIMIT);
    expect(&scene, "wait for 2 need 2→3");
    end(&scene);
}

/* With a script in the package, only the change of the core counts. */
static void test_what_counts(void **state)
{
    struct scene scene = scene_of("1 2");
    (void)state;
    made(&scene, "1", "2", LIMIT + 90092);
    pair(&scene, "1", "2")->uncounted = 90092;
    expect(&scene, "path 1 2");
    assert_int_equal(scene.plan.bytes, LIMIT + 90092);
    pair(&scene, "1", "2")->uncounted = 90091;
    expect(&scene, "none");
    expect_words(
        &scene,
        "no path leads from 1 to 2 because of 1→2: the change of the core has 491,521 bytes, the "
        "limit is 491,520",
        "1→2: the change of the core has 491,521 bytes, the limit is 491,520, and no image between 1 and 2 is stored: upload one");
    end(&scene);
}

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
    expect_words(
        &scene,
        "no path leads from 1 to 4 because of 1→4: 550,112 bytes, the limit is 491,520, and no version "
        "between them helps",
        "2 is forbidden as a waypoint: if you change that, there may be a path");
    scene.graph.version[0].withdrawn = true; /* paths from it are allowed */
    scene.graph.version[0].waypoint = WAYPOINT_FORBIDDEN;
    scene.graph.version[2].withdrawn = false;
    expect(&scene, "path 1 3 4");
    scene.graph.version[3].waypoint = WAYPOINT_FORBIDDEN; /* it may be the target */
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
    expect_words(&scene, "the package 1→3 (on the way to 4) is queued to be generated", "");
    made(&scene, "1", "3", 10);
    made(&scene, "3", "4", 10);
    expect(&scene, "path 1 3 4");
    pair(&scene, "3", "4")->state = EDGE_FAILED;
    pair(&scene, "3", "4")->error = "it took too long";
    expect(&scene, "none");
    expect_words(&scene, "no path leads from 1 to 4 because of 3→4: could not be made: it took too long",
                 "3 is required as a waypoint: if you change that, there may be a path");
    made(&scene, "3", "4", 10);
    scene.graph.version[2].withdrawn = true; /* every path must stop there, but no path leads there */
    expect(&scene, "none");
    expect_words(&scene, "no path leads from 1 to 4: 3 is withdrawn",
                 "3 is withdrawn and cannot serve as a waypoint: if you change that, there may be a path");
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
    assert_int_equal(scene.plan.hops, 2); /* known, but not used yet */
    pair(&scene, "1", "3")->state = EDGE_FAILED;
    expect(&scene, "path 1 2 3"); /* settled: no more waiting */
    made(&scene, "1", "3", 500112);
    pair(&scene, "1", "3")->improving = true;
    expect(&scene, "wait for 3 need 1→3");
    expect_words(&scene, "the package 1→3 is being made smaller: it has 500,112 bytes, the limit is 491,520",
                 "");
    pair(&scene, "1", "3")->improving = false;
    expect(&scene, "path 1 2 3");
    end(&scene);
}

static void test_waypoints_by_promise(void **state)
{
    struct scene scene = scene_of("1 2 3 4 5 6 7 8 9");
    (void)state;
    made(&scene, "1", "9", 800000);
    expect(&scene, "wait for 5 need 1→5, 5→9, 1→4, 4→9"); /* the nearest to the middle, two paths at a time */
    made(&scene, "1", "5", 40000); /* few changes up to 5: later stops are more promising */
    expect(&scene, "wait for 7 need 1→7, 7→9, 1→6, 6→9");
    made(&scene, "5", "9", 480000);
    expect(&scene, "path 1 5 9");
    end(&scene);
}

static void test_more_stops_where_two_hops_cannot_be_expected(void **state)
{
    struct scene scene = scene_of("1 2 3 4 5");
    (void)state;
    made(&scene, "1", "5",
         4 * LIMIT - 4000); /* a step of one version is expected to fit, a step of two is not */
    expect(&scene, "wait for 2 need 1→2, 2→3, 3→4, 4→5");
    made(&scene, "1", "2", 2 * LIMIT); /* this path is excluded: now the path with the smallest excess */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_story),
        cmocka_unit_test(test_fewest_hops_then_fewest_bytes),
        cmocka_unit_test(test_full_package_from_a_base_that_is_not_here),
        cmocka_unit_test(test_whole_beside_hops),
        cmocka_unit_test(test_hops_then_whole),
        cmocka_unit_test(test_unproven_whole),
        cmocka_unit_test(test_whole_does_not_tell_the_size_of_deltas),
        cmocka_unit_test(test_what_counts),
        cmocka_unit_test(test_forbidden_and_withdrawn),
        cmocka_unit_test(test_required),
        cmocka_unit_test(test_a_later_stretch_does_not_hold_up_the_first),
        cmocka_unit_test(test_nothing_is_made_where_nothing_can_come_of_it),
        cmocka_unit_test(test_the_direct_pair_is_known_first),
        cmocka_unit_test(test_waypoints_by_promise),
        cmocka_unit_test(test_more_stops_where_two_hops_cannot_be_expected),
        cmocka_unit_test(test_pairs_that_are_under_way_are_named_again),
        cmocka_unit_test(test_a_way_back),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("planner", tests, NULL, NULL);
}
