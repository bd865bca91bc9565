/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The rules of campaigns in a decision; buckets, texts and outcomes of devices. */
#include "tests/unit/upgrade/test-decision.h"

#define PAUSED "the campaign spring is paused: rain"

static struct scene in_campaign(enum attempt_state state)
{
    struct scene scene = scene_with(CHECKIN_DIALECT, state);
    scene.known.attempt_target = scene.known.target;
    strcpy(scene.known.campaign, "spring");
    strcpy(scene.known.campaign_why, "rain");
    scene.known.finish_transfers = true;
    return scene;
}

static void test_a_device_that_no_stage_admits_is_up_to_date(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT);
    (void)state;
    strcpy(scene.known.campaign, "spring");
    strcpy(scene.known.campaign_stage, "stage 1 of 3 admits 5 devices");
    expect(&scene, ANSWER_FULL, "confirm open send begun", SENT);
    scene.known.campaign_holds = true;
    expect(&scene, ANSWER_UP_TO_DATE, "confirm",
           "the campaign spring has not reached this device: stage 1 of 3 admits 5 devices");
    says(&scene, "1162");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm", "1162 is the target");
}

static void test_a_paused_campaign_begins_nothing(void **state)
{
    struct scene scene = scene_of(CHECKIN_DIALECT), waiting = in_campaign(ATTEMPT_WAITING);
    (void)state;
    strcpy(scene.known.campaign, "spring");
    strcpy(scene.known.campaign_why, "rain");
    scene.known.campaign_paused = waiting.known.campaign_paused = true;
    expect(&scene, ANSWER_UP_TO_DATE, "confirm", PAUSED);
    expect(&waiting, ANSWER_UP_TO_DATE, "confirm", PAUSED);
}

static void test_a_paused_campaign_lets_downloads_end_or_not(void **state)
{
    (void)state;
    for (enum attempt_state is = ATTEMPT_WAITING; is <= ATTEMPT_DELIVERED; is++) {
        struct scene scene = in_campaign(is);
        bool unfinished = is == ATTEMPT_SENDING || is == ATTEMPT_INTERRUPTED;
        scene.known.campaign_paused = true;
        decision_make(&scene.checkin, &scene.known, &limits, &scene.decision);
        assert_int_equal(scene.decision.answer, unfinished ? ANSWER_FULL : ANSWER_UP_TO_DATE);
        from_byte(&scene, 4096);
        decision_make(&scene.checkin, &scene.known, &limits, &scene.decision);
        assert_int_equal(scene.decision.answer, unfinished ? ANSWER_PART : ANSWER_BAD_RANGE);
        scene.known.finish_transfers = false;
        expect(&scene, ANSWER_UP_TO_DATE, is == ATTEMPT_DELIVERED ? "confirm saw-old" : "confirm", PAUSED);
        scene.checkin.range = (struct range){.present = false};
        decision_make(&scene.checkin, &scene.known, &limits, &scene.decision);
        assert_int_equal(scene.decision.answer, ANSWER_UP_TO_DATE);
    }
}

static void assert_words(const struct scene *scene, const char *words)
{
    char text[REASON_TEXT_SIZE];
    assert_string_equal(reason_text(scene->decision.reason, REASON_ENGLISH, text), words);
}

static void test_a_download_to_another_target_does_not_go_on(void **state)
{
    struct scene scene = in_campaign(ATTEMPT_SENDING);
    (void)state;
    scene.known.campaign_paused = true;
    scene.known.attempt_target = version_of("1147");
    decision_make(&scene.checkin, &scene.known, &limits, &scene.decision);
    assert_words(&scene, PAUSED);
}

static void test_a_paused_campaign_begins_no_other_package(void **state)
{
    struct scene hop = in_campaign(ATTEMPT_SENDING), base = hop, link = in_campaign(ATTEMPT_INTERRUPTED);
    (void)state;
    hop.known.campaign_paused = base.known.campaign_paused = link.known.campaign_paused = true;
    hop.known.attempt_to = version_of("1147");
    expect(&hop, ANSWER_UP_TO_DATE, "confirm unpin", PAUSED);
    says(&base, "1130");
    decision_make(&base.checkin, &base.known, &limits, &base.decision);
    assert_words(&base, PAUSED);
    link.checkin.source = CHECKIN_LINK;
    decision_make(&link.checkin, &link.known, &limits, &link.decision);
    assert_words(&link, PAUSED); /* the download was not begun over this link */
}

static void test_a_campaign_that_was_given_up_can_end_its_downloads(void **state)
{
    struct scene scene = in_campaign(ATTEMPT_INTERRUPTED);
    (void)state;
    scene.known.target.count = 0;
    from_byte(&scene, 4096);
    decision_make(&scene.checkin, &scene.known, &limits, &scene.decision);
    assert_int_equal(scene.decision.answer, ANSWER_PART);
    strcpy(scene.known.attempt_stopped_by, "spring");
    expect(&scene, ANSWER_UP_TO_DATE, "confirm",
           "the campaign spring does not lead to 1162 any more, and its downloads do not go on");
    from_byte(&scene, 0);
    decision_make(&scene.checkin, &scene.known, &limits, &scene.decision);
    assert_words(&scene, "no target is set for this firmware");
}

static void test_outcomes_follow_attempts(void **state)
{
    static const struct {
        enum campaign_outcome before;
        enum attempt_state is;
        bool to_target;
        enum campaign_outcome after;
    } rows[] = {
        {OUTCOME_ADMITTED, ATTEMPT_CONFIRMED, true, OUTCOME_CONFIRMED},
        {OUTCOME_ADMITTED, ATTEMPT_NOT_BY_US, true, OUTCOME_CONFIRMED},
        {OUTCOME_ADMITTED, ATTEMPT_CONFIRMED, false, OUTCOME_ADMITTED},
        {OUTCOME_NOT_APPLIED, ATTEMPT_CONFIRMED, false, OUTCOME_ADMITTED},
        {OUTCOME_ADMITTED, ATTEMPT_NOT_APPLIED, true, OUTCOME_NOT_APPLIED},
        {OUTCOME_CONFIRMED, ATTEMPT_NOT_APPLIED, true, OUTCOME_NOT_APPLIED},
        {OUTCOME_ADMITTED, ATTEMPT_DIVERGED, false, OUTCOME_DIVERGED},
        {OUTCOME_ADMITTED, ATTEMPT_SILENT, true, OUTCOME_SILENT},
        {OUTCOME_SILENT, ATTEMPT_CONFIRMED, true, OUTCOME_CONFIRMED},
        {OUTCOME_SILENT, ATTEMPT_WAITING, true, OUTCOME_ADMITTED},
        {OUTCOME_NOT_APPLIED, ATTEMPT_WAITING, true, OUTCOME_NOT_APPLIED},
        {OUTCOME_NOT_APPLIED, ATTEMPT_ABANDONED, true, OUTCOME_NOT_APPLIED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(campaign_outcome_after(rows[i].before, rows[i].is, rows[i].to_target),
                         rows[i].after);
}

static void test_stages_in_words(void **state)
{
    const struct stage stages[] = {
        {.kind = STAGE_DEVICES, .size = 1}, {.kind = STAGE_PERCENT, .size = 10}, {.kind = STAGE_ALL}};
    static const char *const texts[] = {"stage 1 of 3 admits 1 device",
                                        "stage 2 of 3 admits 10 % of the devices",
                                        "stage 3 of 3 admits all devices"};
    char reason[REASON_SIZE], text[REASON_TEXT_SIZE];
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        stage_reason(stages, 3, i, reason);
        assert_string_equal(reason_text(reason, REASON_ENGLISH, text), texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_device_that_no_stage_admits_is_up_to_date),
        cmocka_unit_test(test_a_paused_campaign_begins_nothing),
        cmocka_unit_test(test_a_paused_campaign_lets_downloads_end_or_not),
        cmocka_unit_test(test_a_download_to_another_target_does_not_go_on),
        cmocka_unit_test(test_a_paused_campaign_begins_no_other_package),
        cmocka_unit_test(test_a_campaign_that_was_given_up_can_end_its_downloads),
        cmocka_unit_test(test_outcomes_follow_attempts),
        cmocka_unit_test(test_stages_in_words),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
