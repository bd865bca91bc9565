/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a device gets, and why: every rule by itself. */
#include "test-decision.h"

/* ---- the base ---- */

static void test_base(void **state)
{
    static const struct {
        enum checkin_source source;
        const char *asked, *confirmed, *base;
    } cases[] = {
        {CHECKIN_DIALECT, "1138", NULL, "1138"},
        {CHECKIN_DIALECT, "1138", "1147", "1138"}, /* it says so itself */
        {CHECKIN_DIALECT, NULL, "1147", NULL},
        {CHECKIN_LINK, "1138", NULL, "1138"},
        {CHECKIN_LINK, "1138", "1147", "1147"}, /* reported since the URL was typed */
        {CHECKIN_LINK, "1138", "1138", "1138"},
        {CHECKIN_LINK, "1138", "1125", "1138"},
        {CHECKIN_LINK, NULL, "1147", "1147"},
        {CHECKIN_LINK, NULL, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct checkin checkin = {.source = cases[i].source, .version = version_of(cases[i].asked)};
        struct version confirmed = version_of(cases[i].confirmed), wanted = version_of(cases[i].base);
        struct version base = decision_base(&checkin, &confirmed);
        if (base.count != wanted.count || version_compare(&base, &wanted) != 0)
            fail_msg("case %zu", i);
    }
}

/* ---- who asks ---- */

static void test_who_asks_in_order(void **state)
{
    /* All is wrong at once; each step mends what was answered. */
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known = (struct snapshot){.base = version_of("1138")};
    expect(&scene, ANSWER_BAD_PRODUCT, "", "the project_key is missing or unknown");
    scene.known.product_known = true;
    expect(&scene, ANSWER_BAD_DEVICE, "", "no usable imei, mac or uid was sent");
    scene.known.id_usable = true;
    expect(&scene, ANSWER_BAD_FIRMWARE, "", "no usable firmware_name was sent");
    scene.known.firmware_named = true;
    expect(&scene, ANSWER_BAD_FIRMWARE, "", "the product has no firmware of this name");
    scene.known.firmware_elsewhere = true;
    expect(&scene, ANSWER_NOT_TOGETHER, "", "the firmware belongs to another product");
    scene.known.firmware_known = true;
    scene.known.admission_full = true;
    expect(&scene, ANSWER_NOT_ALLOWED, "", "the product has taken its daily number of new devices");
    scene.known.admission_full = false;
    expect(&scene, ANSWER_UP_TO_DATE, "admit confirm", "no target is set for this firmware");
}

static void test_new_devices(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known.device_known = false;
    expect(&scene, ANSWER_FULL, "admit confirm open send begun", SENT);
    scene.known.base_known = false; /* admitted too: its version is one that is missing here */
    expect(&scene, ANSWER_NO_BASE, "admit confirm",
           "the image of 1138 is not here, so no package from it can be made");
    scene = scene_of(CHECKIN_DIALECT);
    scene.known.admission_full = true; /* says nothing about a device that is known */
    expect(&scene, ANSWER_FULL, "confirm open send begun", SENT);
}

static void test_links_that_are_none(void **state)
{
    struct scene scene = scene_of(CHECKIN_LINK);
    (void)state;
    scene.known.link_revoked = true;
    expect(&scene, ANSWER_NOT_ALLOWED, "", "this link is revoked");
    scene.known.link_unknown = true;
    expect(&scene, ANSWER_BAD_DEVICE, "", "there is no such link");
    scene = scene_of(CHECKIN_DIALECT); /* not asked of the dialect */
    scene.known.link_unknown = scene.known.link_revoked = true;
    expect(&scene, ANSWER_FULL, "confirm open send begun", SENT);
}

static void test_blocked(void **state)
{
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
    (void)state;
    scene.known.blocked = true;
    says(&scene, "1162"); /* what it reports is recorded all the same */
    expect(&scene, ANSWER_LOOP, "confirm saw-target", BLOCKED);
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
    scene.known.blocked = true;
    from_byte(&scene, 1000);
    expect(&scene, ANSWER_LOOP, "confirm", BLOCKED);
    scene.checkin.range.bad = true;
    expect(&scene, ANSWER_LOOP, "confirm", BLOCKED);
    scene = scene_of(CHECKIN_LINK);
    scene.known.blocked = true;
    expect(&scene, ANSWER_LOOP, "", BLOCKED);
}

/* ---- what it reports ---- */

static void test_a_check_in_moves_the_attempt(void **state)
{
    static const struct {
        enum attempt_state attempt;
        const char *says, *facts;
    } cases[] = {
        {ATTEMPT_WAITING, "1162", "confirm saw-target"},
        {ATTEMPT_SENDING, "1162", "confirm saw-target"},
        {ATTEMPT_INTERRUPTED, "1162", "confirm saw-target"},
        {ATTEMPT_DELIVERED, "1162", "confirm saw-target"},
        {ATTEMPT_WAITING, "1170", "confirm saw-other"},
        {ATTEMPT_SENDING, "1170", "confirm saw-other"},
        {ATTEMPT_INTERRUPTED, "1170", "confirm saw-other"},
        {ATTEMPT_DELIVERED, "1170", "confirm saw-other"},
        {ATTEMPT_WAITING, "1138", "confirm"},
        {ATTEMPT_SENDING, "1138", "confirm unpin"},
        {ATTEMPT_INTERRUPTED, "1138", "confirm unpin"},
        {ATTEMPT_DELIVERED, "1138", "confirm saw-old"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene scene = scene_with(CHECKIN_DIALECT, cases[i].attempt);
        enum attempt_event event;
        scene.known.target = version_of(NULL);
        says(&scene, cases[i].says);
        expect(&scene, ANSWER_UP_TO_DATE, cases[i].facts, "no target is set for this firmware");
        /* A host's report does the same. */
        assert_int_equal(decision_report(&scene.checkin.version, &scene.known, &event),
                         scene.decision.end_attempt);
        if (scene.decision.end_attempt)
            assert_int_equal(event, scene.decision.attempt_event);
    }
}

static void test_another_firmware_is_a_third_version(void **state)
{
    /* Its 1162 is not the 1162 of the hop, nor its 1138 the 1138. */
    static const char *const versions[] = {"1138", "1162", "7"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
        scene.known.attempt_same_firmware = false;
        scene.known.target = version_of(NULL);
        says(&scene, versions[i]);
        expect(&scene, ANSWER_UP_TO_DATE, "confirm saw-other", "no target is set for this firmware");
    }
}

static void test_reports_that_change_nothing(void **state)
{
    struct scene scene = scene_of(CHECKIN_LINK);
    struct version target = version_of("1162"), none = version_of(NULL);
    enum attempt_event event;
    (void)state;
    assert_false(decision_report(&target, &scene.known, &event)); /* nothing is open */
    scene = scene_with(CHECKIN_LINK, ATTEMPT_DELIVERED);
    assert_false(decision_report(&none, &scene.known, &event));
    assert_true(decision_report(&target, &scene.known, &event));

    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
    says(&scene, NULL);
    expect(&scene, ANSWER_NO_BASE, "", "the request names no version that can be read");
}

static void test_a_link_is_no_evidence(void **state)
{
    static const enum attempt_state states[] = {ATTEMPT_WAITING, ATTEMPT_SENDING, ATTEMPT_INTERRUPTED,
                                                ATTEMPT_DELIVERED};
    static const char *const versions[] = {"1138", "1162", "1150", "2000", NULL};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 5; k++) {
            struct scene scene = scene_with(CHECKIN_LINK, states[i]);
            scene.known.target = version_of(NULL);
            says(&scene, versions[k]);
            bool pinned = states[i] == ATTEMPT_SENDING || states[i] == ATTEMPT_INTERRUPTED;
            expect(&scene, ANSWER_UP_TO_DATE, pinned ? "unpin" : "", "no target is set for this firmware");
        }
    }
}

static void test_came_back_old_is_offered_again(void **state)
{
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
    (void)state;
    expect(&scene, ANSWER_FULL, "confirm saw-old open send begun", SENT);
}

/* ---- is there a way up ---- */

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
    expect(&scene, ANSWER_NO_BASE, "", "the request names no version that can be read");
    says(&scene, "1162");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm", "1162 is the target");
    says(&scene, "1162.0");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm", "1162.0 is above the target 1162");
    says(&scene, "1138");
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm", NO_FORM);
    scene.known.format_set = true;
    expect(&scene, ANSWER_NO_BASE, "confirm",
           "the image of 1138 is not here, so no package from it can be made");
    scene.known.base_known = true;
    snprintf(scene.known.package_error, sizeof scene.known.package_error, "it crashed three times");
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm",
           "the package 1138→1162 could not be made: it crashed three times");

    scene = scene_of(CHECKIN_LINK);
    says(&scene, NULL);
    expect(&scene, ANSWER_NO_BASE, "", "the link names no version and none has been reported");
    scene.known.confirmed = version_of("1170");
    says(&scene, "1138"); /* typed in once, long ago */
    expect(&scene, ANSWER_UP_TO_DATE, "", "1170 is above the target 1162");
}

/* ---- the package ---- */

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

        /* Every 30 seconds again: nothing new. Also where the same package is made anew under an attempt. */
        for (unsigned k = ATTEMPT_WAITING; k <= ATTEMPT_INTERRUPTED; k++) {
            scene = scene_with(CHECKIN_DIALECT, (enum attempt_state)k);
            scene.known.package = cases[i].package;
            snprintf(facts, sizeof facts, "confirm%s%s", k == ATTEMPT_WAITING ? "" : " unpin",
                     cases[i].queue);
            expect(&scene, ANSWER_WAIT, facts, cases[i].reason);
        }

        /* The target has moved: the old hop's attempt makes room. */
        scene = scene_with(CHECKIN_DIALECT, ATTEMPT_INTERRUPTED);
        scene.known.attempt_to = version_of("1150");
        scene.known.package = cases[i].package;
        snprintf(facts, sizeof facts, "confirm supersede%s open", cases[i].queue);
        expect(&scene, ANSWER_WAIT, facts, cases[i].reason);

        /* Over another link than before: it waits for the same. And what was delivered stays so until it is
         * offered. */
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
    scene.known.begun_last_day = 6; /* that is no loop */
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm",
           "the package 1138→1162 is oversize: 491521 bytes, the limit is 491520");
}

static void test_loop_guard(void **state)
{
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
    (void)state;
    scene.known.begun_last_day = 5;
    expect(&scene, ANSWER_FULL, "confirm saw-old open send begun", SENT);
    scene.known.begun_last_day = 6;
    expect(&scene, ANSWER_LOOP, "confirm saw-old block",
           "6 packages were begun to this device within 24 hours, 6 are allowed: the loop guard closes");

    /* Neither a resume nor waiting nor a refusal is a loop. */
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

    /* The same hop goes on in its attempt, however often it is begun anew. */
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

    /* A dialect check-in from where the hop did not begin is a third version. */
    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_SENDING);
    scene.known.attempt_from = version_of("1125");
    expect(&scene, ANSWER_FULL, "confirm saw-other open send begun", SENT);
}

/* ---- reasons ---- */

static void test_long_reasons_end_at_a_character(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known.package = PACKAGE_FAILED;
    scene.known.target = version_of("999999999.999999999.999999999");
    says(&scene, "999999999.999999999.99999999.9");
    for (size_t ascii = 0; ascii < 3; ascii++) { /* the cut falls on each byte of a character once */
        memset(scene.known.package_error, 'x', sizeof scene.known.package_error);
        for (size_t i = ascii; i + 3 < sizeof scene.known.package_error; i += 3)
            memcpy(scene.known.package_error + i, "水", 3);
        scene.known.package_error[sizeof scene.known.package_error - 1] = '\0';
        memset(&scene.decision, 'x', sizeof scene.decision);
        decision_make(&scene.checkin, &scene.known, &limits, &scene.decision);
        assert_int_equal(scene.decision.answer, ANSWER_NOT_ALLOWED);
        size_t length = strnlen(scene.decision.reason, REASON_SIZE);
        assert_true(length >= REASON_SIZE - 4 && length < REASON_SIZE);
        assert_true(slice_is_clean_utf8(slice_of(scene.decision.reason)));
    }
}

static void test_unproven_goes_out_only_by_somebodys_word(void **state)
{
    (void)state;
    struct scene scene = scene_of(CHECKIN_DIALECT);
    scene.known.package = PACKAGE_UNPROVEN;
    expect(
        &scene, ANSWER_NOT_ALLOWED, "confirm",
        "the package 1138→1162 could not be applied here and is unproven: it goes out once an admin has released it");
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

/* What a lower grade says is kept beside, ends nothing, and is still served by its own words. */
static void test_a_lower_grade_claims(void **state)
{
    static const struct {
        const char *version, *facts;
        enum grade grade;
    } cases[] = {
        {"1138", "", GRADE_UNAUTHENTICATED},
        {"1162", "claim", GRADE_UNAUTHENTICATED},
        {"1125", "claim", GRADE_LINK},
        {"1162", "confirm saw-target", GRADE_HOST},
        {"1162", "confirm saw-target", GRADE_ADMIN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
        char facts[200], all[220];
        scene.known.confirmed = version_of("1138");
        scene.known.confirmed_grade = GRADE_HOST;
        scene.known.grade = cases[i].grade;
        scene.known.target = version_of("1162");
        scene.known.blocked = true; /* so that only the report is recorded */
        says(&scene, cases[i].version);
        decision_make(&scene.checkin, &scene.known, &limits, &scene.decision);
        snprintf(all, sizeof all, "%s%s", scene.decision.claim ? "claim" : "",
                 facts_of(&scene.decision, facts));
        assert_string_equal(all, cases[i].facts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lower_grade_claims),
        cmocka_unit_test(test_unproven_goes_out_only_by_somebodys_word),
        cmocka_unit_test(test_base),
        cmocka_unit_test(test_who_asks_in_order),
        cmocka_unit_test(test_new_devices),
        cmocka_unit_test(test_links_that_are_none),
        cmocka_unit_test(test_blocked),
        cmocka_unit_test(test_a_check_in_moves_the_attempt),
        cmocka_unit_test(test_another_firmware_is_a_third_version),
        cmocka_unit_test(test_reports_that_change_nothing),
        cmocka_unit_test(test_a_link_is_no_evidence),
        cmocka_unit_test(test_came_back_old_is_offered_again),
        cmocka_unit_test(test_way_up_in_order),
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_a_range_from_0_waits_too),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_loop_guard),
        cmocka_unit_test(test_serving_and_the_attempt),
        cmocka_unit_test(test_long_reasons_end_at_a_character),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("decision", tests, NULL, NULL);
}
