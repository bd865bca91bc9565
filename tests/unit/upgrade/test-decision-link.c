/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Offers over a link without reports. */
#include "test-decision.h"

static void test_offers(void **state)
{
    static const char stale[] =
        "the package 1138→1162 was delivered 3 times over this link, and no version was reported since";
    struct scene scene = scene_with(CHECKIN_LINK, ATTEMPT_DELIVERED);
    (void)state;
    scene.known.link_deliveries = 1;
    scene.known.link_delivered_ms = NOW - DAY_MS + 1;
    expect(&scene, ANSWER_UP_TO_DATE, "",
           "the package 1138→1162 was delivered over this link, and no version was reported since: the link "
           "offers it again from 2026-09-21 14:14 UTC");
    scene.known.link_delivered_ms = NOW - DAY_MS;
    expect(&scene, ANSWER_FULL, "supersede open send begun", SENT);
    scene.known.link_deliveries = 2;
    expect(&scene, ANSWER_FULL, "supersede open send begun", SENT);
    scene.known.link_deliveries = 3;
    expect(&scene, ANSWER_UP_TO_DATE, "stale", stale);
    scene.known.link_delivered_ms = NOW - 1; /* without waiting for the gap */
    expect(&scene, ANSWER_UP_TO_DATE, "stale", stale);
    scene.known.link_delivered_ms = NOW - 400 * DAY_MS; /* no limit in time */
    expect(&scene, ANSWER_UP_TO_DATE, "stale", stale);
    scene.known.package = PACKAGE_NONE; /* no package is made */
    expect(&scene, ANSWER_UP_TO_DATE, "stale", stale);

    scene.known.link_deliveries = 0; /* the old version was reported: the count begins again */
    scene.known.attempt_open = false;
    scene.known.package = PACKAGE_READY;
    expect(&scene, ANSWER_FULL, "open send begun", SENT);

    scene = scene_with(CHECKIN_DIALECT, ATTEMPT_DELIVERED); /* every request in the dialect is a report */
    scene.known.link_deliveries = 3;
    scene.known.link_delivered_ms = NOW - 1;
    expect(&scene, ANSWER_FULL, "confirm saw-old open send begun", SENT);
}

/* The clock was ahead at the delivery: the offer does not wait until that day. A small correction changes
   nothing. */
static void test_a_delivery_of_the_future_holds_nothing_up(void **state)
{
    (void)state;
    struct scene scene = scene_of(CHECKIN_LINK);
    scene.known.link_deliveries = 1;
    scene.known.link_delivered_ms = NOW + 30LL * DAY_MS;
    decision_make(&scene.checkin, &scene.known, &limits, &scene.decision);
    assert_int_equal(scene.decision.answer, ANSWER_FULL);
    scene.known.link_delivered_ms = NOW + 1000;
    decision_make(&scene.checkin, &scene.known, &limits, &scene.decision);
    assert_int_equal(scene.decision.answer, ANSWER_UP_TO_DATE);
}

/* One module on one link, with the records that the server would keep. */
struct life {
    struct snapshot known;
    int64_t begun_ms[100], delivered_ms[100];
    unsigned begun, delivered, served, notices;
};

static enum answer life_asks(struct life *life, int64_t now_ms, bool whole)
{
    struct scene scene = scene_of(CHECKIN_LINK);
    scene.known = life->known;
    scene.checkin.now_ms = now_ms;
    scene.known.link_deliveries = life->delivered;
    scene.known.link_delivered_ms = life->delivered ? life->delivered_ms[life->delivered - 1] : 0;
    for (unsigned i = 0; i < life->begun; i++)
        scene.known.begun_last_day += life->begun_ms[i] > now_ms - DAY_MS;

    struct decision *decision = &scene.decision;
    decision_make(&scene.checkin, &scene.known, &limits, decision);
    assert_false(decision->confirm);
    life->notices += decision->notice_stale_link;
    life->known.blocked = life->known.blocked || decision->block;
    if (decision->end_attempt) {
        assert_int_equal(decision->attempt_event, EVENT_SUPERSEDE);
        assert_true(attempt_apply(&life->known.attempt_state, decision->attempt_event));
        life->known.attempt_open = attempt_is_open(life->known.attempt_state);
    }
    if (decision->open_attempt) {
        assert_false(life->known.attempt_open);
        life->known.attempt_open = life->known.attempt_same_firmware = life->known.attempt_by_link = true;
        life->known.attempt_state = ATTEMPT_WAITING;
        life->known.attempt_from = version_of("1138");
        life->known.attempt_to = version_of("1162");
    }
    if (decision->send) {
        life->served++;
        assert_true(attempt_apply(&life->known.attempt_state, EVENT_SEND));
        assert_true(attempt_apply(&life->known.attempt_state, whole ? EVENT_ALL_ACKED : EVENT_CUT));
        if (whole)
            life->delivered_ms[life->delivered++] = now_ms;
    }
    if (decision->begun)
        life->begun_ms[life->begun++] = now_ms;
    return decision->answer;
}

static void test_a_link_that_goes_stale(void **state)
{
    /* The module asks every day, every hour, every five days, and every day one minute early. */
    static const int64_t periods[] = {DAY_MS, HOUR_MS, 5 * DAY_MS, DAY_MS - MINUTE_MS};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct life life = {.known = scene_of(CHECKIN_LINK).known};
        unsigned refused = 0;
        for (int64_t now = NOW; now < NOW + 60 * DAY_MS; now += periods[i])
            refused += life_asks(&life, now, true) == ANSWER_UP_TO_DATE;
        assert_int_equal(life.served, 3);
        assert_true(refused >= 9 && life.notices >= 1);
        assert_true(life.delivered_ms[1] - life.delivered_ms[0] >= DAY_MS);
        assert_true(life.delivered_ms[2] - life.delivered_ms[1] >= DAY_MS);
        assert_int_equal(life.known.attempt_state, ATTEMPT_DELIVERED); /* nothing more is known */
        assert_false(life.known.blocked);
    }
}

static void test_a_link_that_is_cut_each_time(void **state)
{
    struct life life = {.known = scene_of(CHECKIN_LINK).known};
    (void)state;
    /* Without a delivery no offer is used up: the module may try again, but the loop guard counts. */
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(life_asks(&life, NOW + i * HOUR_MS, false), ANSWER_FULL);
    assert_int_equal(life.known.attempt_state, ATTEMPT_INTERRUPTED);
    assert_int_equal(life_asks(&life, NOW + 6 * HOUR_MS, false), ANSWER_LOOP);
    assert_int_equal(life_asks(&life, NOW + 60 * DAY_MS, false), ANSWER_LOOP); /* until an admin lifts it */
    assert_int_equal(life.served, 6);
    assert_int_equal(life.notices, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_delivery_of_the_future_holds_nothing_up),
        cmocka_unit_test(test_offers),
        cmocka_unit_test(test_a_link_that_goes_stale),
        cmocka_unit_test(test_a_link_that_is_cut_each_time),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("decision-link", tests, NULL, NULL);
}
