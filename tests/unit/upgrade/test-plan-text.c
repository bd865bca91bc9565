/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The reasons and the advice of a plan. */
#include "test-planner-scene.h"

/* With a full package at either end an image does not help, and the advice does not ask for one. */
static void test_advice_where_a_full_package_is_in_the_way(void **state)
{
    struct scene scene = scene_of("2046.1 2049.1");
    struct plan_edge *edge = pair(&scene, "2046.1", "2049.1");
    (void)state;
    edge->state = EDGE_IMPOSSIBLE;
    scene.graph.version[1].core = "2049";
    expect_words(
        &scene,
        "no path leads from 2046.1 to 2049.1 because of 2046.1→2049.1: 2049.1 is a full package for core "
        "2049, but 2046.1 "
        "has another core",
        "2046.1→2049.1: 2049.1 is a full package for core 2049, but 2046.1 has another core; upload a "
        "package "
        "2046.1→2049.1 that was made elsewhere, or a full package that changes the core");
    scene.graph.version[0].here = false; /* an uploaded delta needs both images */
    expect_words(
        &scene,
        "no path leads from 2046.1 to 2049.1 because of 2046.1→2049.1: 2049.1 is a full package for core "
        "2049, but 2046.1 "
        "has another core",
        "2046.1→2049.1: 2049.1 is a full package for core 2049, but 2046.1 has another core; upload a full "
        "package that changes the core of 2046.1");
    scene.graph.version[0].here = true;
    scene.graph.version[0].core = "2046";
    scene.graph.version[1].core = "";
    expect_words(
        &scene,
        "no path leads from 2046.1 to 2049.1 because of 2046.1→2049.1: only a full package of 2046.1 is "
        "stored, not its image",
        "2046.1→2049.1: only a full package of 2046.1 is stored, not its image; upload a package "
        "2046.1→2049.1 that was "
        "made elsewhere");
    end(&scene);
}

static void test_advice_on_a_pair_without_versions_between(void **state)
{
    struct scene scene = scene_of("2046.1 2049.1");
    struct plan_edge *edge = pair(&scene, "2046.1", "2049.1");
    (void)state;
    scene.graph.version[0].core = "2046";
    edge->state = EDGE_READY;
    edge->size = 491521;
    expect_words(
        &scene,
        "no path leads from 2046.1 to 2049.1 because of 2046.1→2049.1: 491,521 bytes, the limit is 491,520",
        "2046.1→2049.1: 491,521 bytes, the limit is 491,520; upload a smaller package that was made "
        "elsewhere");
    scene.graph.version[0].core = "";
    edge->state = EDGE_IMPOSSIBLE;
    scene.graph.format_missing = true;
    expect_words(
        &scene, "no path leads from 2046.1 to 2049.1 because of 2046.1→2049.1: no package format is set",
        "2046.1→2049.1: no package format is set, and no image between 2046.1 and 2049.1 is stored: upload "
        "one");
    end(&scene);
}

static void test_a_package_out_of_service_is_the_reason(void **state)
{
    struct scene scene = scene_of("1138 1142 1147 1162");
    (void)state;
    made(&scene, "1138", "1162", LIMIT + 1);
    made(&scene, "1142", "1162", LIMIT + 1);
    made(&scene, "1147", "1162", 10);
    made(&scene, "1138", "1142", 10);
    made(&scene, "1142", "1147", LIMIT + 1);
    made(&scene, "1138", "1147", 10);
    pair(&scene, "1138", "1147")->state = EDGE_QUARANTINED;
    pair(&scene, "1138", "1147")->error = "1 device came back with 1138";
    expect(&scene, "none");
    char reason[REASON_SIZE], text[REASON_TEXT_SIZE];
    plan_reason(&scene.graph, &scene.plan, reason);
    assert_string_equal(reason_text(reason, REASON_ENGLISH, text),
                        "no path leads from 1138 to 1162 because of 1138→1147: out of service: 1 device "
                        "came back with 1138, and no version between them helps");
    pair(&scene, "1138", "1147")->error = NULL;
    end(&scene);
}

static void test_unproven_is_for_the_admin_to_release(void **state)
{
    struct scene scene = scene_of("1 2");
    (void)state;
    made(&scene, "1", "2", 10);
    pair(&scene, "1", "2")->state = EDGE_UNPROVEN;
    expect(&scene, "none");
    expect_words(&scene, "no path leads from 1 to 2 because of 1→2: not proven and not released",
                 "release 1→2: made, but not proven on this server");
    assert_int_equal(pair(&scene, "1", "2")->state, EDGE_UNPROVEN);
    pair(&scene, "1", "2")->size = LIMIT + 1;
    expect_words(
        &scene, "no path leads from 1 to 2 because of 1→2: 491,521 bytes, the limit is 491,520",
        "1→2: 491,521 bytes, the limit is 491,520, and no image between 1 and 2 is stored: upload one");
    end(&scene);
}

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
        "no path leads from 1138 to 1162 because of 1138→1162: 950,112 bytes, the limit is 491,520, and no "
        "version between them helps",
        "1150→1162: 500,112 bytes, the limit is 491,520, and no image between 1150 and 1162 is stored: "
        "upload one");
    char advice[REASON_TEXT_SIZE];
    plan_advice(&scene.graph, &scene.plan, missing, 2, scene.advice);
    assert_string_equal(
        reason_text(scene.advice, REASON_ENGLISH, advice),
        "1150→1162: 500,112 bytes, the limit is 491,520, and no image between 1150 and 1162 is stored: "
        "upload one, such as 1155, which devices run");
    made(&scene, "1147", "1150", 943059);
    made(&scene, "1150", "1162", 100);
    expect_words(
        &scene,
        "no path leads from 1138 to 1162 because of 1138→1162: 950,112 bytes, the limit is 491,520, and no "
        "version between them helps",
        "1147→1150: 943,059 bytes, the limit is 491,520, and no image between 1147 and 1150 is stored: "
        "upload one");
    end(&scene);
}

static void expect_why(const struct scene *scene, unsigned from, unsigned to, const char *wanted)
{
    char why[REASON_SIZE], text[REASON_TEXT_SIZE];
    plan_why(&scene->graph, from, to, why);
    assert_string_equal(reason_text(why, REASON_ENGLISH, text), wanted);
}

static void test_why(void **state)
{
    struct scene scene = scene_of("1 2 3 4");
    (void)state;
    made(&scene, "1", "4", 12345678);
    scene.graph.version[1].waypoint = WAYPOINT_FORBIDDEN;
    scene.graph.version[2].withdrawn = true;
    plan_make(&scene.graph, &scene.plan);
    expect_why(&scene, 0, 3, "12,345,678 bytes, the limit is 491,520");
    expect_why(&scene, 0, 1, "2 is forbidden as a waypoint");
    expect_why(&scene, 1, 3, "2 is forbidden as a waypoint");
    expect_why(&scene, 0, 2, "3 is withdrawn");
    scene.graph.version[1].waypoint = WAYPOINT_REQUIRED;
    plan_make(&scene.graph, &scene.plan);
    expect_why(&scene, 0, 3, "every path must stop at 2");
    assert_string_equal(plan_state_name(&scene.graph, pair(&scene, "1", "4")), "oversize");
    end(&scene);
}

static void test_a_long_error_is_cut_at_a_character(void **state)
{
    struct scene scene = scene_of("1 2");
    char out[REASON_SIZE], text[REASON_TEXT_SIZE], *error = calloc(1, 900);
    (void)state;
    for (unsigned ascii = 0; ascii < 3; ascii++) {
        memset(error, 'x', ascii);
        for (unsigned i = ascii; i < 890; i += 3)
            memcpy(error + i, "→", 3);
        pair(&scene, "1", "2")->state = EDGE_FAILED;
        pair(&scene, "1", "2")->error = error;
        plan_make(&scene.graph, &scene.plan);
        plan_reason(&scene.graph, &scene.plan, out);
        reason_text(out, REASON_ENGLISH, text);
        assert_true(strstr(text, "no path leads from 1 to 2 because of 1→2: could not be made: ") == text);
        assert_true(strlen(out) < sizeof out && strlen(out) + 4 >= sizeof out);
        assert_true(slice_is_clean_utf8(slice_of(out)) && slice_is_clean_utf8(slice_of(text)));
    }
    free(error);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_advice_where_a_full_package_is_in_the_way),
        cmocka_unit_test(test_advice_on_a_pair_without_versions_between),
        cmocka_unit_test(test_a_package_out_of_service_is_the_reason),
        cmocka_unit_test(test_unproven_is_for_the_admin_to_release),
        cmocka_unit_test(test_advice_on_gaps),
        cmocka_unit_test(test_why),
        cmocka_unit_test(test_a_long_error_is_cut_at_a_character),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("plan-text", tests, NULL, NULL);
}
