/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Who asks, and what the reported version changes. */
#include "test-decision.h"

/* ---- The base ---- */

static void test_base(void **state)
{
    static const struct {
        enum checkin_source source;
        const char *asked, *confirmed, *base;
    } cases[] = {
        {CHECKIN_DIALECT, "1138", NULL, "1138"},
        {CHECKIN_DIALECT, "1138", "1147", "1138"}, /* the device reports it */
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

/* ---- Who asks ---- */

static void test_who_asks_in_order(void **state)
{
    /* Everything is wrong; each step corrects what was refused. */
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known = (struct snapshot){.base = version_of("1138")};
    expect(&scene, ANSWER_BAD_PRODUCT, "", "the project_key is missing or unknown");
    scene.known.product_known = true;
    expect(&scene, ANSWER_BAD_DEVICE, "", "the request contains no valid imei, mac or uid");
    scene.known.id_usable = true;
    expect(&scene, ANSWER_BAD_FIRMWARE, "", "the request contains no valid firmware_name");
    scene.known.firmware_named = true;
    expect(&scene, ANSWER_BAD_FIRMWARE, "", "the product has no firmware with this name");
    scene.known.firmware_elsewhere = true;
    expect(&scene, ANSWER_NOT_TOGETHER, "", "the firmware belongs to another product");
    scene.known.firmware_known = true;
    scene.known.admission_full = true;
    expect(&scene, ANSWER_NOT_ALLOWED, "", "the product's daily limit of new devices is reached");
    scene.known.admission_full = false;
    expect(&scene, ANSWER_UP_TO_DATE, "admit confirm", "no target is set for this firmware");
}

static void test_new_devices(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known.device_known = false;
    expect(&scene, ANSWER_FULL, "admit confirm open send begun", SENT);
    scene.known.base_known = false; /* admitted too: the admin sees that its image is missing */
    expect(&scene, ANSWER_NO_BASE, "admit confirm",
           "the image of 1138 is missing on the server: no package can be made from it");
    scene = scene_of(CHECKIN_DIALECT);
    scene.known.admission_full = true; /* does not matter for a known device */
    expect(&scene, ANSWER_FULL, "confirm open send begun", SENT);
}

static void test_unknown_devices_of_a_product(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known.device_known = false;
    scene.known.hold_new = true;
    expect(&scene, ANSWER_UP_TO_DATE, "admit hold confirm", "an admin must admit this device first");
    scene.known.admission_full = true; /* held devices count too */
    expect(&scene, ANSWER_NOT_ALLOWED, "", "the product's daily limit of new devices is reached");
    scene.known.refuse_new = true;
    expect(&scene, ANSWER_NOT_ALLOWED, "",
           "the product refuses unknown devices: an admin must add this device first");
    scene = scene_of(CHECKIN_DIALECT); /* neither matters for a known device */
    scene.known.hold_new = scene.known.refuse_new = true;
    expect(&scene, ANSWER_FULL, "confirm open send begun", SENT);
}

static void test_held_and_retired_devices(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    scene.known.held = true;
    expect(&scene, ANSWER_UP_TO_DATE, "confirm", "an admin must admit this device first");
    scene.known.held_out = true;
    expect(&scene, ANSWER_UP_TO_DATE, "confirm", "this device is held out of all campaigns");
    scene.known.blocked = true;
    scene.known.retired = true;
    expect(&scene, ANSWER_UP_TO_DATE, "confirm", "this device is retired");
    scene = scene_with(CHECKIN_LINK, ATTEMPT_INTERRUPTED);
    scene.known.retired = true;
    from_byte(&scene, 1000);
    expect(&scene, ANSWER_UP_TO_DATE, "", "this device is retired");
}

static void test_links_that_are_none(void **state)
{
    struct scene scene = scene_of(CHECKIN_LINK);
    (void)state;
    scene.known.link_revoked = true;
    expect(&scene, ANSWER_NOT_ALLOWED, "", "this link is revoked");
    scene.known.link_unknown = true;
    expect(&scene, ANSWER_BAD_DEVICE, "", "this link does not exist");
    scene = scene_of(CHECKIN_DIALECT); /* ignored in the dialect */
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

/* ---- The reported version ---- */

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
    assert_false(decision_report(&target, &scene.known, &event)); /* no open attempt */
    scene = scene_with(CHECKIN_LINK, ATTEMPT_DELIVERED);
    assert_false(decision_report(&none, &scene.known, &event));
    assert_true(decision_report(&target, &scene.known, &event));

    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
    says(&scene, NULL);
    expect(&scene, ANSWER_NO_BASE, "", "the request contains no valid version");
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

/* A version of a lower grade becomes a claim and ends no attempt. */
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
        cmocka_unit_test(test_base),
        cmocka_unit_test(test_who_asks_in_order),
        cmocka_unit_test(test_new_devices),
        cmocka_unit_test(test_unknown_devices_of_a_product),
        cmocka_unit_test(test_held_and_retired_devices),
        cmocka_unit_test(test_links_that_are_none),
        cmocka_unit_test(test_blocked),
        cmocka_unit_test(test_a_check_in_moves_the_attempt),
        cmocka_unit_test(test_another_firmware_is_a_third_version),
        cmocka_unit_test(test_reports_that_change_nothing),
        cmocka_unit_test(test_a_link_is_no_evidence),
        cmocka_unit_test(test_came_back_old_is_offered_again),
        cmocka_unit_test(test_a_lower_grade_claims),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("decision", tests, NULL, NULL);
}
