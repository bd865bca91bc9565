/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Offers for libfota3, and the meaning of its result codes. */
#include "test-decision.h"

#include "upgrade/turnkey.h"

#define OFFERED "the package 1138→1162 of 43059 bytes is offered"

static struct scene offer_scene(void)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    scene.checkin.offer = true;
    return scene;
}

static void test_an_offer_opens_an_attempt_and_sends_nothing(void **state)
{
    (void)state;
    struct scene scene = offer_scene();
    expect(&scene, ANSWER_FULL, "confirm open", OFFERED);
    scene.known.begun_last_day = 5;
    expect(&scene, ANSWER_FULL, "confirm open", OFFERED);
}

static void test_what_is_on_its_way_stays(void **state)
{
    static const enum attempt_state states[] = {ATTEMPT_WAITING, ATTEMPT_SENDING, ATTEMPT_INTERRUPTED};
    (void)state;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        struct scene scene = scene_with(CHECKIN_DIALECT, states[i]);
        scene.checkin.offer = true;
        expect(&scene, ANSWER_FULL, "confirm", OFFERED); /* open, and its bytes unchanged */
    }
    struct scene scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED);
    scene.checkin.offer = true;
    expect(&scene, ANSWER_FULL, "confirm saw-old open", OFFERED); /* the old version was reported */
}

static void test_refusals_are_those_of_every_check_in(void **state)
{
    (void)state;
    struct scene scene = offer_scene();
    scene.known.package = PACKAGE_NONE;
    expect(&scene, ANSWER_WAIT, "confirm queue open", "the package 1138→1162 is queued to be generated");
    scene = offer_scene();
    scene.known.blocked = true;
    expect(&scene, ANSWER_LOOP, "confirm", BLOCKED);
    scene = offer_scene();
    scene.known.no_address = true;
    expect(&scene, ANSWER_NOT_ALLOWED, "confirm",
           "the server does not know the URL under which devices reach it: set the config key "
           "public_device_url");
    scene.checkin.offer = false; /* who is sent the bytes needs none */
    expect(&scene, ANSWER_FULL, "confirm open send begun", SENT);
}

static void test_the_same_number_means_what_its_form_says(void **state)
{
    (void)state;
    assert_non_null(strstr(turnkey_meaning(TURNKEY_QUERY, 1), "SHA-256"));
    assert_non_null(strstr(turnkey_meaning(TURNKEY_JSON, 1), "reports the announced version"));
    assert_non_null(strstr(turnkey_meaning(TURNKEY_QUERY, 0), "the restart that applies it follows"));
    assert_non_null(strstr(turnkey_meaning(TURNKEY_JSON, 0), "the restart that applies it follows"));
    assert_non_null(strstr(turnkey_meaning(TURNKEY_JSON, 2), "the device compares"));
    assert_non_null(strstr(turnkey_meaning(TURNKEY_JSON, 3), "another error"));
    assert_null(turnkey_meaning(TURNKEY_JSON, 9));
    assert_null(turnkey_meaning(TURNKEY_NONE, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_offer_opens_an_attempt_and_sends_nothing),
        cmocka_unit_test(test_what_is_on_its_way_stays),
        cmocka_unit_test(test_refusals_are_those_of_every_check_in),
        cmocka_unit_test(test_the_same_number_means_what_its_form_says),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("turnkey", tests, NULL, NULL);
}
