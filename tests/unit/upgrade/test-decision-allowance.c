/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The rule of the allowance in a decision: who is told to wait, and what is recorded. */
#include "tests/unit/upgrade/test-decision.h"

#define CLOSED                                                                                               \
    "at this hour no download of this firmware begins: the device waits until 2026-09-21 22:00+00:00"
#define USED                                                                                                 \
    "the device was sent 99000 bytes in 2026-09, the package has 43059, and max_bytes_per_month is 100000: " \
    "it waits until 2026-10-01 00:00+00:00"

static void close_hours(struct scene *scene)
{
    scene->known.allowance.hours = (struct hours){1320, 360, 0};
}

/* It gets no attempt, so it takes no place of a stage and no place of a canary. */
static void test_waiting_begins_nothing(void **state)
{
    (void)state;
    for (unsigned offer = 0; offer <= 1; offer++) {
        struct scene scene = scene_of(CHECKIN_DIALECT), new = scene_of(CHECKIN_DIALECT);
        scene.checkin.offer = new.checkin.offer = offer;
        close_hours(&scene);
        close_hours(&new);
        expect(&scene, ANSWER_UP_TO_DATE, "confirm", CLOSED);
        assert_false(scene.decision.wait_for_transfer);
        new.known.device_known = false;
        expect(&new, ANSWER_UP_TO_DATE, "admit confirm", CLOSED);
    }
}

static void test_a_link_is_treated_alike(void **state)
{
    struct scene scene = scene_of(CHECKIN_LINK);
    (void)state;
    close_hours(&scene);
    expect(&scene, ANSWER_UP_TO_DATE, "", CLOSED);
    scene.known.allowance = (struct allowance){{0, 1440, 0}, 100000};
    scene.known.allowance_use.month_bytes = 99000;
    expect(&scene, ANSWER_UP_TO_DATE, "", USED);
    scene.known.allowance.max_bytes_per_month = 43058;
    expect(&scene, ANSWER_NOT_ALLOWED, "", "the package has 43059 bytes, but max_bytes_per_month is 43058");
}

static void test_a_begun_download_is_continued(void **state)
{
    (void)state;
    for (enum attempt_state is = ATTEMPT_SENDING; is <= ATTEMPT_INTERRUPTED; is++) {
        struct scene scene = scene_with(CHECKIN_DIALECT, is);
        scene.known.attempt_target = scene.known.target;
        close_hours(&scene);
        from_byte(&scene, 4096);
        expect(&scene, ANSWER_PART, "confirm resume",
               "the package 1138→1162 is continued at byte 4096 of 43059");
        scene.known.allowance.max_bytes_per_month = 100000;
        scene.known.allowance_use = (struct allowance_use){50, 50, 200000};
        expect(&scene, ANSWER_PART, "confirm resume",
               "the package 1138→1162 is continued at byte 4096 of 43059");
        /* From its start, hours do not count, but bytes do. */
        scene.checkin.range = (struct range){.present = false};
        scene.known.allowance_use = (struct allowance_use){0, 0, 99000};
        expect(&scene, ANSWER_UP_TO_DATE, "confirm unpin", USED);
        scene.known.allowance_use.month_bytes = 0;
        expect(&scene, ANSWER_FULL, "confirm send begun", SENT);
    }
    struct scene waiting = scene_with(CHECKIN_DIALECT, ATTEMPT_WAITING);
    waiting.known.attempt_target = waiting.known.target;
    close_hours(&waiting);
    expect(&waiting, ANSWER_UP_TO_DATE, "confirm", CLOSED);
}

static void test_other_refusals_come_first(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    close_hours(&scene);
    says(&scene, "1162");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm", "1162 is the target");
    says(&scene, "1138");
    scene.known.trial = (struct trial){.other_tries = true};
    strcpy(scene.known.canary_device, "imei:866597071234567");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm",
           "no device has confirmed the package 1138→1162 yet, and imei:866597071234567 tries it first");
    scene.known.package = PACKAGE_NONE;
    expect(&scene, ANSWER_WAIT, "confirm queue open", "the package 1138→1162 is queued to be generated");
}

static void test_a_place_among_the_transfers(void **state)
{
    struct decision_limits one = limits;
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    one.allowance.max_transfers = 1;
    decision_make(&scene.checkin, &scene.known, &one, &scene.decision);
    assert_int_equal(scene.decision.answer, ANSWER_FULL);
    scene.known.allowance_use.transfers = 1;
    decision_make(&scene.checkin, &scene.known, &one, &scene.decision);
    assert_int_equal(scene.decision.answer, ANSWER_WAIT);
    assert_true(scene.decision.wait_for_transfer && !scene.decision.open_attempt);
    scene.known.allowance_use.waiting = 1000;
    decision_make(&scene.checkin, &scene.known, &one, &scene.decision);
    assert_int_equal(scene.decision.answer, ANSWER_UP_TO_DATE);
    assert_false(scene.decision.wait_for_transfer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waiting_begins_nothing),
        cmocka_unit_test(test_a_link_is_treated_alike),
        cmocka_unit_test(test_a_begun_download_is_continued),
        cmocka_unit_test(test_other_refusals_come_first),
        cmocka_unit_test(test_a_place_among_the_transfers),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
