/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a device gets that asks for a part of a package, and how long one that was begun is kept for it. */
#include "test-decision.h"

static void test_ranges_from_0(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    from_byte(&scene, 0);
    expect(&scene, ANSWER_PART, "confirm open send begun", SENT);
    expect_bytes(&scene, 0, 43059);

    static const struct {
        uint64_t last, end;
    } cases[] = {{0, 1}, {1023, 1024}, {43057, 43058}, {43058, 43059}, {43059, 43059}, {UINT64_MAX, 43059}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scene.checkin.range.has_last = true;
        scene.checkin.range.last = cases[i].last;
        expect(&scene, ANSWER_PART, "confirm open send begun", SENT);
        expect_bytes(&scene, 0, cases[i].end);
    }
}

static void test_bad_ranges(void **state)
{
    static const char reason[] = "the Range header is not one range of bytes from a first one on";
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
    (void)state;
    scene.checkin.range = (struct range){.present = true, .bad = true};
    expect(&scene, ANSWER_BAD_RANGE, "confirm", reason);
    scene.checkin.range = (struct range){.bad = true};
    expect(&scene, ANSWER_BAD_RANGE, "confirm", reason);
    scene.checkin.range = (struct range){.present = true, .has_last = true, .first = 10, .last = 9};
    expect(&scene, ANSWER_BAD_RANGE, "confirm", reason);
    scene.checkin.range = (struct range){.present = true, .has_last = true, .first = 10, .last = 10};
    expect(&scene, ANSWER_PART, "confirm resume", "the package 1138→1162 is continued at byte 10 of 43059");
    expect_bytes(&scene, 10, 11);
}

static void test_resume(void **state)
{
    static const enum attempt_state states[] = {ATTEMPT_SENDING, ATTEMPT_INTERRUPTED};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct scene scene = scene_with(CHECKIN_DIALECT, states[i]);
        from_byte(&scene, 43058);
        expect(&scene, ANSWER_PART, "confirm resume",
               "the package 1138→1162 is continued at byte 43058 of 43059");
        expect_bytes(&scene, 43058, 43059);
        scene.checkin.range.first = 20000;
        scene.checkin.range.has_last = true;
        scene.checkin.range.last = 99999;
        expect(&scene, ANSWER_PART, "confirm resume",
               "the package 1138→1162 is continued at byte 20000 of 43059");
        expect_bytes(&scene, 20000, 43059);

        scene = scene_with(CHECKIN_LINK, states[i]);
        from_byte(&scene, 1);
        expect(&scene, ANSWER_PART, "resume", "the package 1138→1162 is continued at byte 1 of 43059");
        expect_bytes(&scene, 1, 43059);
    }
}

static void test_resume_goes_by_the_pin_not_by_what_is_offered_now(void **state)
{
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
    static const char continued[] = "the package 1138→1150 is continued at byte 1000 of 20000";
    (void)state;
    /* A newer image has landed, its package is another, or not made yet, or the target is gone. */
    scene.known.attempt_to = version_of("1150");
    scene.known.pinned_size = 20000;
    from_byte(&scene, 1000);
    expect(&scene, ANSWER_PART, "confirm resume", continued);
    expect_bytes(&scene, 1000, 20000);
    scene.known.package = PACKAGE_NONE;
    expect(&scene, ANSWER_PART, "confirm resume", continued);
    scene.known.target = version_of(NULL);
    expect(&scene, ANSWER_PART, "confirm resume", continued);
    scene.known.base_known = false;
    expect(&scene, ANSWER_PART, "confirm resume", continued);

    scene.checkin.source = CHECKIN_LINK; /* by whatever way it asks: the bytes are the same */
    scene.known.attempt_by_link = false;
    expect(&scene, ANSWER_PART, "resume", continued);
}

static void test_resume_of_nothing_is_never_200(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    from_byte(&scene, 1000);
    expect(&scene, ANSWER_BAD_RANGE, "confirm", NOTHING);
    scene.known.device_known = false;
    expect(&scene, ANSWER_BAD_RANGE, "admit confirm", NOTHING);
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_WAITING);
    from_byte(&scene, 1000);
    expect(&scene, ANSWER_BAD_RANGE, "confirm", NOTHING);
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
    from_byte(&scene, 1000);
    expect(&scene, ANSWER_BAD_RANGE, "confirm saw-old", NOTHING);
    scene = scene_with(CHECKIN_LINK, ATTEMPT_DELIVERED);
    from_byte(&scene, 1000);
    expect(&scene, ANSWER_BAD_RANGE, "",
           "the package 1138→1162 was delivered whole, nothing can be continued");
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED); /* it got there meanwhile */
    from_byte(&scene, 1000);
    says(&scene, "1162");
    expect(&scene, ANSWER_BAD_RANGE, "confirm saw-target", NOTHING);
}

static void test_resume_of_another_base(void **state)
{
    static const char reason[] = "the package on its way, 1138→1162, is not for the version asked from";
    struct scene scene = scene_with(CHECKIN_LINK, ATTEMPT_INTERRUPTED);
    (void)state;
    from_byte(&scene, 1000);
    says(&scene, "1125");
    expect(&scene, ANSWER_BAD_RANGE, "", reason);
    says(&scene, NULL);
    expect(&scene, ANSWER_BAD_RANGE, "", reason);
    scene = scene_with(CHECKIN_LINK, ATTEMPT_INTERRUPTED);
    from_byte(&scene, 1000);
    scene.known.attempt_same_firmware = false;
    expect(&scene, ANSWER_BAD_RANGE, "", reason);
}

static void test_end_of_the_pin(void **state)
{
    static const char continued[] = "the package 1138→1162 is continued at byte 1000 of 43059";
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
    (void)state;
    from_byte(&scene, 1000);

    scene.known.attempt_active_ms = NOW - DAY;
    expect(&scene, ANSWER_PART, "confirm resume", continued);
    scene.known.attempt_active_ms = NOW - DAY - 1;
    expect(&scene, ANSWER_BAD_RANGE, "confirm",
           "the package 1138→1162 was left alone too long to be continued");
    scene.known.attempt_active_ms = NOW + HOUR; /* the clock was set back */
    expect(&scene, ANSWER_PART, "confirm resume", continued);

    scene.known.pinned_servable = false;
    expect(&scene, ANSWER_BAD_RANGE, "confirm", "the package 1138→1162 that was begun has been withdrawn");
    scene.known.pinned_servable = true;
    scene.known.format_set = false;
    expect(&scene, ANSWER_BAD_RANGE, "confirm", "the package 1138→1162 that was begun has been withdrawn");
    scene.known.format_set = true;

    scene.known.max_package_bytes = 43059;
    expect(&scene, ANSWER_PART, "confirm resume", continued);
    scene.known.max_package_bytes = 43058;
    expect(&scene, ANSWER_BAD_RANGE, "confirm",
           "the package 1138→1162 that was begun is 43059 bytes, the limit is 43058");
    scene.known.max_package_bytes = 491520;

    scene.checkin.range.first = 43059;
    expect(&scene, ANSWER_BAD_RANGE, "confirm", "byte 43059 was asked for, the package 1138→1162 has 43059");
    scene.checkin.range.first = UINT64_MAX;
    expect(&scene, ANSWER_BAD_RANGE, "confirm",
           "byte 18446744073709551615 was asked for, the package 1138→1162 has 43059");
}

/* A request without a range, or from byte 0, is a new decision, and what it is answered changes nothing about
   that: the module has thrown away what it had. */
static void test_a_new_decision_ends_the_pin(void **state)
{
    static const enum attempt_state pinned[] = {ATTEMPT_SENDING, ATTEMPT_INTERRUPTED};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct scene scene = scene_with(CHECKIN_DIALECT, pinned[i / 2]);
        if (i % 2)
            from_byte(&scene, 0);
        scene.known.target = version_of(NULL);
        expect(&scene, ANSWER_UP_TO_DATE, "confirm unpin", "no target is set for this firmware");
        scene.known.blocked = true;
        expect(&scene, ANSWER_LOOP, "confirm unpin", BLOCKED);
        scene.known.attempt_active_ms = 0; /* it has ended already */
        expect(&scene, ANSWER_LOOP, "confirm", BLOCKED);

        scene = scene_with(CHECKIN_LINK, pinned[i / 2]);
        if (i % 2)
            from_byte(&scene, 0);
        scene.known.format_set = false;
        expect(&scene, ANSWER_NOT_ALLOWED, "unpin", NO_FORM);
        scene.known.format_set = true;
        scene.known.package = PACKAGE_QUEUED; /* it was damaged, and is made again */
        expect(&scene, ANSWER_WAIT, "unpin", "the package 1138→1162 is queued to be generated");
        scene.known.link_revoked = true;
        expect(&scene, ANSWER_NOT_ALLOWED, "", "this link is revoked");
    }
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
    scene.checkin.range = (struct range){.present = true, .bad = true};
    expect(&scene, ANSWER_BAD_RANGE, "confirm",
           "the Range header is not one range of bytes from a first one on");
    from_byte(&scene, 1000);
    scene.checkin.range.bad = false;
    scene.known.attempt_active_ms = 0;
    expect(&scene, ANSWER_BAD_RANGE, "confirm",
           "the package 1138→1162 was begun, but asked for from the start since: nothing can be continued");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges_from_0),
        cmocka_unit_test(test_bad_ranges),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_resume_goes_by_the_pin_not_by_what_is_offered_now),
        cmocka_unit_test(test_resume_of_nothing_is_never_200),
        cmocka_unit_test(test_resume_of_another_base),
        cmocka_unit_test(test_end_of_the_pin),
        cmocka_unit_test(test_a_new_decision_ends_the_pin),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("decision-range", tests, NULL, NULL);
}
