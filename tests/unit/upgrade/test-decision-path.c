/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Paths of several hops. */
#include "test-decision.h"

#define WAY "1138→1147 (on the way to 1162)"

/* 1138→1147 is ready and leads on to 1162. */
static struct scene scene_on_way(enum checkin_source source)
{
    struct scene scene = scene_of(source);
    scene.known.hop = version_of("1147");
    return scene;
}

/* … and an attempt at that hop is open. */
static struct scene scene_of_attempt(enum checkin_source source, enum attempt_state state, const char *to)
{
    struct scene scene = scene_with(source, state);
    scene.known.hop = version_of("1147");
    scene.known.attempt_to = version_of(to);
    scene.known.attempt_target = version_of("1162");
    return scene;
}

static void test_first_hop_is_sent(void **state)
{
    struct scene scene = scene_on_way(CHECKIN_DIALECT);
    (void)state;
    expect(&scene, ANSWER_FULL, "confirm open send begun", "the package " WAY " of 43059 bytes is sent");
    scene.known.pairs_unasked = true; /* further on */
    expect(&scene, ANSWER_FULL, "confirm queue open send begun",
           "the package " WAY " of 43059 bytes is sent");
    scene.known.package = PACKAGE_GENERATING;
    expect(&scene, ANSWER_WAIT, "confirm queue open", "the package " WAY " is being generated");
    scene.known.package = PACKAGE_FAILED;
    snprintf(scene.known.package_error, sizeof scene.known.package_error, "no");
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm", "the package " WAY " could not be made: no");
}

static void test_next_hop_after_the_report(void **state)
{
    struct scene scene = scene_of_attempt(CHECKIN_DIALECT, ATTEMPT_DELIVERED, "1147");
    (void)state;
    says(&scene, "1147");
    scene.known.hop = version_of("1162");
    expect(&scene, ANSWER_FULL, "confirm saw-target open send begun",
           "the package 1147→1162 of 43059 bytes is sent");
}

static void test_waits_until_a_way_is_known(void **state)
{
    struct scene scene = scene_on_way(CHECKIN_DIALECT);
    (void)state;
    scene.known.plan = PLAN_WAIT;
    snprintf(scene.known.plan_reason, sizeof scene.known.plan_reason, "a way is looked for");
    expect(&scene, ANSWER_WAIT, "confirm open", "a way is looked for"); /* although the first hop is ready */
    scene.known.pairs_unasked = true;
    expect(&scene, ANSWER_WAIT, "confirm queue open", "a way is looked for");
    scene = scene_of_attempt(CHECKIN_DIALECT, ATTEMPT_WAITING, "1147");
    scene.known.plan = PLAN_WAIT;
    snprintf(scene.known.plan_reason, sizeof scene.known.plan_reason, "a way is looked for");
    expect(&scene, ANSWER_WAIT, "confirm", "a way is looked for");
}

static void test_a_waiting_attempt_is_aimed_anew(void **state)
{
    struct scene scene = scene_of_attempt(CHECKIN_DIALECT, ATTEMPT_WAITING, "1150");
    (void)state;
    expect(&scene, ANSWER_FULL, "confirm aim send begun", "the package " WAY " of 43059 bytes is sent");
    scene.known.plan = PLAN_WAIT;
    snprintf(scene.known.plan_reason, sizeof scene.known.plan_reason, "a way is looked for");
    expect(&scene, ANSWER_WAIT, "confirm aim", "a way is looked for");
    scene.known.plan = PLAN_PATH;
    scene.known.attempt_target = version_of("1170"); /* the target has moved */
    expect(&scene, ANSWER_FULL, "confirm supersede open send begun",
           "the package " WAY " of 43059 bytes is sent");
    scene = scene_of_attempt(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED, "1150"); /* bytes of that hop were sent */
    expect(&scene, ANSWER_FULL, "confirm supersede open send begun",
           "the package " WAY " of 43059 bytes is sent");
    scene = scene_of_attempt(CHECKIN_LINK, ATTEMPT_WAITING, "1150");
    expect(&scene, ANSWER_FULL, "aim send begun", "the package " WAY " of 43059 bytes is sent");
    scene.known.attempt_by_link = false;
    expect(&scene, ANSWER_FULL, "supersede open send begun", "the package " WAY " of 43059 bytes is sent");
}

static void test_no_way(void **state)
{
    struct scene scene = scene_of_attempt(CHECKIN_DIALECT, ATTEMPT_WAITING, "1147");
    (void)state;
    scene.known.hop = version_of(NULL);
    scene.known.plan = PLAN_NONE;
    scene.known.package = PACKAGE_NONE;
    snprintf(scene.known.plan_reason, sizeof scene.known.plan_reason, "no path leads from 1138 to 1162: …");
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm", "no path leads from 1138 to 1162: …");
    scene.known.base_known = false;
    expect(&scene, ANSWER_NO_BASE, "confirm",
           "the image of 1138 is missing on the server: no package can be made from it");
}

static void test_completed_hops_are_no_loop(void **state)
{
    struct scene scene = scene_on_way(CHECKIN_DIALECT);
    (void)state;
    scene.known.begun_last_day = limits.loop_guard_per_day;
    expect(&scene, ANSWER_LOOP, "confirm block",
           "the device began 6 downloads within 24 hours, the limit is 6: the loop guard blocks it");
    scene.known.hops_completed = 1;
    expect(&scene, ANSWER_FULL, "confirm open send begun", "the package " WAY " of 43059 bytes is sent");
    scene.known.begun_last_day++;
    expect(&scene, ANSWER_LOOP, "confirm block",
           "the device began 7 downloads within 24 hours, the limit is 7: the loop guard blocks it");
    scene = scene_of_attempt(CHECKIN_DIALECT, ATTEMPT_DELIVERED, "1147"); /* the request reports the hop */
    says(&scene, "1147");
    scene.known.hop = version_of("1162");
    scene.known.begun_last_day = limits.loop_guard_per_day;
    expect(&scene, ANSWER_FULL, "confirm saw-target open send begun",
           "the package 1147→1162 of 43059 bytes is sent");
}

static void test_down_only_where_that_is_allowed(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    says(&scene, "1170");
    scene.known.hop = version_of("1165");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm",
           "1170 is newer than the target 1162, and downgrades are not allowed");
    scene.known.downgrades = true;
    expect(&scene, ANSWER_FULL, "confirm open send begun",
           "the package 1170→1165 (on the way to 1162) of 43059 bytes is sent");
    says(&scene, "1162");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm", "1162 is the target");
}

static void test_offers_count_by_target(void **state)
{
    struct scene scene = scene_of_attempt(CHECKIN_LINK, ATTEMPT_DELIVERED, "1150");
    (void)state;
    scene.known.link_deliveries = 1;
    scene.known.link_delivered_ms = NOW - HOUR_MS;
    expect(&scene, ANSWER_UP_TO_DATE, "",
           "the package " WAY
           " was delivered over this link, and no version was reported since: the link offers it again from "
           "2026-09-22 13:14 UTC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_hop_is_sent),
        cmocka_unit_test(test_next_hop_after_the_report),
        cmocka_unit_test(test_waits_until_a_way_is_known),
        cmocka_unit_test(test_a_waiting_attempt_is_aimed_anew),
        cmocka_unit_test(test_no_way),
        cmocka_unit_test(test_completed_hops_are_no_loop),
        cmocka_unit_test(test_down_only_where_that_is_allowed),
        cmocka_unit_test(test_offers_count_by_target),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("decision-path", tests, NULL, NULL);
}
