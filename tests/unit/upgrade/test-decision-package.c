/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Which package a device gets, and when it must wait. */
#include "test-decision.h"

/* ---- Target, package format and images ---- */

static void test_way_up_in_order(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known.target = version_of(NULL);
    scene.known.format_set = scene.known.base_known = false;
    scene.known.package = PACKAGE_FAILED;
    says(&scene, NULL);
    expect(&scene, ANSWER_UP_TO_DATE, "", "no target is set for this firmware");
    scene.known.target = version_of("1162");
    expect(&scene, ANSWER_NO_BASE, "", "the request contains no valid version");
    says(&scene, "1162");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm", "1162 is the target");
    says(&scene, "1162.0");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm",
           "1162.0 is newer than the target 1162, and downgrades are not allowed");
    says(&scene, "1138");
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm", NO_FORM);
    scene.known.format_set = true;
    expect(&scene, ANSWER_NO_BASE, "confirm",
           "the image of 1138 is missing on the server: no package can be made from it");
    scene.known.base_known = true;
    snprintf(scene.known.package_error, sizeof scene.known.package_error, "it crashed three times");
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm",
           "the package 1138→1162 could not be made: it crashed three times");

    scene = scene_of(CHECKIN_LINK);
    says(&scene, NULL);
    expect(&scene, ANSWER_NO_BASE, "", "the link contains no version, and no version was reported");
    scene.known.confirmed = version_of("1170");
    says(&scene, "1138"); /* an old version in the URL */
    expect(&scene, ANSWER_UP_TO_DATE, "",
           "1170 is newer than the target 1162, and downgrades are not allowed");
}

/* ---- The package ---- */

static void test_waiting(void **state)
{
    static const struct {
        enum package_state package;
        const char *queue, *reason;
    } cases[] = {{PACKAGE_NONE, " queue", "the package 1138→1162 is queued to be generated"},
                 {PACKAGE_QUEUED, "", "the package 1138→1162 is queued to be generated"},
                 {PACKAGE_GENERATING, "", "the package 1138→1162 is being generated"}};
    char facts[60];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct scene scene = scene_of(CHECKIN_DIALECT);
        scene.known.package = cases[i].package;
        snprintf(facts, sizeof facts, "confirm%s open", cases[i].queue);
        expect(&scene, ANSWER_WAIT, facts, cases[i].reason);

        /* The next request changes nothing. Also if the package of an open attempt is made again. */
        for (unsigned k = ATTEMPT_WAITING; k <= ATTEMPT_INTERRUPTED; k++) {
            scene = scene_with(CHECKIN_DIALECT, (enum attempt_state)k);
            scene.known.package = cases[i].package;
            snprintf(facts, sizeof facts, "confirm%s%s", k == ATTEMPT_WAITING ? "" : " unpin",
                     cases[i].queue);
            expect(&scene, ANSWER_WAIT, facts, cases[i].reason);
        }

        /* The target has changed: the attempt of the old hop ends. */
        scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
        scene.known.attempt_to = version_of("1150");
        scene.known.package = cases[i].package;
        snprintf(facts, sizeof facts, "confirm supersede%s open", cases[i].queue);
        expect(&scene, ANSWER_WAIT, facts, cases[i].reason);

        /* Over another link the attempt waits on. A delivered attempt stays delivered until the next offer. */
        scene = scene_with(CHECKIN_LINK, i ? ATTEMPT_WAITING : ATTEMPT_DELIVERED);
        scene.known.attempt_by_link = false;
        scene.known.package = cases[i].package;
        expect(&scene, ANSWER_WAIT, i ? "" : "queue", cases[i].reason);
    }
}

static void test_a_range_from_0_waits_too(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known.package = PACKAGE_GENERATING;
    from_byte(&scene, 0);
    expect(&scene, ANSWER_WAIT, "confirm open", "the package 1138→1162 is being generated");
}

static void test_limit(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known.package_size = 491520;
    expect(&scene, ANSWER_FULL, "confirm open send begun", "the package 1138→1162 of 491520 bytes is sent");
    scene.known.package_size = 491521;
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm",
           "the package 1138→1162 is oversize: 491521 bytes, the limit is 491520");
    scene.known.begun_last_day = 6; /* not a loop */
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm",
           "the package 1138→1162 is oversize: 491521 bytes, the limit is 491520");
}

static void test_canary(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known.trial = (struct trial){.other_tries = true};
    strcpy(scene.known.canary_device, "imei:866597071234567");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm",
           "no device has confirmed the package 1138→1162 yet, and imei:866597071234567 tries it first");
    scene.known.trial_limits.canary_confirmations = 0;
    expect(&scene, ANSWER_FULL, "confirm open send begun", SENT);
    scene.known.package = PACKAGE_QUARANTINED;
    strcpy(scene.known.package_quarantine, "2 devices came back with 1138");
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm",
           "the package 1138→1162 is out of service: 2 devices came back with 1138");

    /* The canary itself comes back with the old version. */
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
    scene.known.trial = (struct trial){.confirmed = 0};
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm saw-old",
           "the device came back with the old version: the package 1138→1162 goes out of service");
    /* A later device does, the first and then the second one. */
    scene.known.trial = (struct trial){.confirmed = 1};
    expect(&scene, ANSWER_FULL, "confirm saw-old open send begun", SENT);
    scene.known.trial.not_applied = 1;
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm saw-old",
           "the device came back with the old version: the package 1138→1162 goes out of service");
    scene.known.trial_own_failed = true; /* the same device again */
    expect(&scene, ANSWER_FULL, "confirm saw-old open send begun", SENT);
}

static void test_loop_guard(void **state)
{
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
    (void)state;
    scene.known.begun_last_day = 5;
    expect(&scene, ANSWER_FULL, "confirm saw-old open send begun", SENT);
    scene.known.begun_last_day = 6;
    expect(&scene, ANSWER_LOOP, "confirm saw-old block",
           "the device began 6 downloads within 24 hours, the limit is 6: the loop guard blocks it");

    /* A resume, a wait and a refusal are not a loop. */
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
    scene.known.begun_last_day = 6;
    from_byte(&scene, 1000);
    expect(&scene, ANSWER_PART, "confirm resume", "the package 1138→1162 is continued at byte 1000 of 43059");
    scene = scene_of(CHECKIN_DIALECT);
    scene.known.begun_last_day = 6;
    scene.known.package = PACKAGE_QUEUED;
    expect(&scene, ANSWER_WAIT, "confirm open", "the package 1138→1162 is queued to be generated");
    says(&scene, "1162");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm", "1162 is the target");
}

static void test_serving_and_the_attempt(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    expect(&scene, ANSWER_FULL, "confirm open send begun", SENT);
    expect_bytes(&scene, 0, 43059);

    /* The same hop stays in its attempt, however often the download begins again. */
    for (unsigned i = ATTEMPT_WAITING; i <= ATTEMPT_INTERRUPTED; i++) {
        scene = scene_with(CHECKIN_DIALECT, (enum attempt_state)i);
        expect(&scene, ANSWER_FULL, "confirm send begun", SENT);
        scene = scene_with(CHECKIN_LINK, (enum attempt_state)i);
        expect(&scene, ANSWER_FULL, "send begun", SENT);
        scene.known.attempt_by_link = false; /* deliveries are counted by link */
        expect(&scene, ANSWER_FULL, "supersede open send begun", SENT);
    }

    /* Another target, over the dialect; another base, over a link. */
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_SENDING);
    scene.known.attempt_to = version_of("1150");
    expect(&scene, ANSWER_FULL, "confirm supersede open send begun", SENT);
    scene = scene_with(CHECKIN_LINK, ATTEMPT_SENDING);
    scene.known.attempt_from = version_of("1125");
    expect(&scene, ANSWER_FULL, "supersede open send begun", SENT);
    scene = scene_with(CHECKIN_LINK, ATTEMPT_SENDING);
    scene.known.attempt_same_firmware = false;
    expect(&scene, ANSWER_FULL, "supersede open send begun", SENT);

    /* A check-in with a version that the hop does not begin at is a third version. */
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_SENDING);
    scene.known.attempt_from = version_of("1125");
    expect(&scene, ANSWER_FULL, "confirm saw-other open send begun", SENT);
}

/* ---- Reasons ---- */

static void test_the_error_of_a_package_is_whole_in_the_reason(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    char text[REASON_TEXT_SIZE];
    (void)state;
    scene.known.package = PACKAGE_FAILED;
    scene.known.target = version_of("999999999.999999999.999999999");
    says(&scene, "999999999.999999999.99999999.9");
    for (size_t ascii = 0; ascii < 3; ascii++) { /* the last character of the error is cut */
        size_t size = sizeof scene.known.package_error - 1;
        memset(scene.known.package_error, 'x', size);
        for (size_t i = ascii; i < size; i += 3)
            memcpy(scene.known.package_error + i, "水", i + 3 < size ? 3 : size - i);
        scene.known.package_error[size] = '\0';
        memset(&scene.decision, 'x', sizeof scene.decision);
        decision_make(&scene.checkin, &scene.known, &limits, &scene.decision);
        assert_int_equal(scene.decision.answer, ANSWER_NOT_ALLOWED);
        reason_text(scene.decision.reason, REASON_ENGLISH, text);
        assert_true(strlen(text) > size);
        assert_true(slice_is_clean_utf8(slice_of(scene.decision.reason)) &&
                    slice_is_clean_utf8(slice_of(text)));
    }
}

static void test_unproven_goes_out_only_by_somebodys_word(void **state)
{
    (void)state;
    struct scene scene = scene_of(CHECKIN_DIALECT);
    scene.known.package = PACKAGE_UNPROVEN;
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm",
           "the package 1138→1162 is unproven, because this server could not apply it: an admin must release "
           "it first");
    scene.known.package = PACKAGE_READY;
    snprintf(scene.known.package_released_by, sizeof scene.known.package_released_by, "Jan");
    expect(&scene, ANSWER_FULL, "confirm open send begun",
           "the package 1138→1162 of 43059 bytes is sent (unproven, released by Jan)");
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
    from_byte(&scene, 1000);
    snprintf(scene.known.pinned_released_by, sizeof scene.known.pinned_released_by, "Jan");
    expect(&scene, ANSWER_PART, "confirm resume",
           "the package 1138→1162 is continued at byte 1000 of 43059 (unproven, released by Jan)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_way_up_in_order),
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_a_range_from_0_waits_too),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_canary),
        cmocka_unit_test(test_loop_guard),
        cmocka_unit_test(test_serving_and_the_attempt),
        cmocka_unit_test(test_the_error_of_a_package_is_whole_in_the_reason),
        cmocka_unit_test(test_unproven_goes_out_only_by_somebodys_word),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("decision-package", tests, NULL, NULL);
}
