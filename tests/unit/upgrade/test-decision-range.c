/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Requests with a range, and how long a download can be continued. */
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
    static const char reason[] = "the Range header must have the form bytes=FIRST- or bytes=FIRST-LAST";
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
    /* There is a newer target with another package, or one that is not made yet, or no target. */
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

    scene.checkin.source = CHECKIN_LINK; /* over a link too: the bytes are the same */
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
           "the package 1138→1162 was delivered completely: there is nothing to continue");
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED); /* the device has reached the target */
    from_byte(&scene, 1000);
    says(&scene, "1162");
    expect(&scene, ANSWER_BAD_RANGE, "confirm saw-target", NOTHING);
}

static void test_resume_of_another_base(void **state)
{
    static const char reason[] =
        "the unfinished package 1138→1162 is not for the firmware and version of this request";
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

    scene.known.attempt_active_ms = NOW - DAY_MS;
    expect(&scene, ANSWER_PART, "confirm resume", continued);
    scene.known.attempt_active_ms = NOW - DAY_MS - 1;
    expect(&scene, ANSWER_BAD_RANGE, "confirm",
           "the download of the package 1138→1162 was idle for too long to be continued");
    scene.known.attempt_active_ms = NOW + HOUR_MS; /* the clock was set back */
    expect(&scene, ANSWER_PART, "confirm resume", continued);

    scene.known.pinned_servable = false;
    expect(&scene, ANSWER_BAD_RANGE, "confirm", "the unfinished package 1138→1162 is no longer available");
    scene.known.pinned_servable = true;

    /* The device may run another build than the one that the package is made from. */
    scene.known.base_gone = true;
    expect(&scene, ANSWER_BAD_RANGE, "confirm", "the unfinished package 1138→1162 is no longer available");
    scene.known.pinned_whole = true; /* fits every base */
    expect(&scene, ANSWER_PART, "confirm resume", continued);
    scene.known.pinned_whole = scene.known.base_gone = false;
    scene.known.places_differ = true; /* the module compares the core */
    expect(&scene, ANSWER_PART, "confirm resume", continued);
    scene.known.pinned_uncounted = scene.known.pinned_size; /* only a script */
    expect(&scene, ANSWER_BAD_RANGE, "confirm", "the unfinished package 1138→1162 is no longer available");
    scene.known.places_differ = false;
    expect(&scene, ANSWER_PART, "confirm resume", continued);
    scene.known.pinned_uncounted = 0;

    scene.known.format_set = false;
    expect(&scene, ANSWER_BAD_RANGE, "confirm", "the unfinished package 1138→1162 is no longer available");
    scene.known.format_set = true;

    scene.known.max_package_bytes = 43059;
    expect(&scene, ANSWER_PART, "confirm resume", continued);
    scene.known.max_package_bytes = 43058;
    expect(&scene, ANSWER_BAD_RANGE, "confirm",
           "the unfinished package 1138→1162 has 43059 bytes, the limit is 43058");
    scene.known.max_package_bytes = 491520;

    scene.checkin.range.first = 43059;
    expect(&scene, ANSWER_BAD_RANGE, "confirm",
           "the request begins at byte 43059, but the package 1138→1162 has only 43059 bytes");
    scene.checkin.range.first = UINT64_MAX;
    expect(&scene, ANSWER_BAD_RANGE, "confirm",
           "the request begins at byte 18446744073709551615, but the package 1138→1162 has only 43059 bytes");
}

/* A request without a range, or from byte 0, ends the pin, whatever the answer is: the module has thrown
   away its bytes. */
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
        scene.known.package = PACKAGE_QUEUED; /* the package was damaged and is made again */
        expect(&scene, ANSWER_WAIT, "unpin", "the package 1138→1162 is queued to be generated");
        scene.known.link_revoked = true;
        expect(&scene, ANSWER_NOT_ALLOWED, "", "this link is revoked");
    }
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
    scene.checkin.range = (struct range){.present = true, .bad = true};
    expect(&scene, ANSWER_BAD_RANGE, "confirm",
           "the Range header must have the form bytes=FIRST- or bytes=FIRST-LAST");
    from_byte(&scene, 1000);
    scene.checkin.range.bad = false;
    scene.known.attempt_active_ms = 0;
    expect(&scene, ANSWER_BAD_RANGE, "confirm",
           "the device has asked for the package 1138→1162 from the start again: the download before that "
           "cannot be continued");
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
