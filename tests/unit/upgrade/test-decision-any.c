/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Invariants of every decision, with random requests. */
#include "test-decision.h"

static uint32_t random_below(uint32_t limit)
{
    static uint32_t state = 20260921;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % limit;
}

static bool mostly(void)
{
    return random_below(8) != 0;
}

static struct version random_version(void)
{
    static const char *const versions[] = {NULL,   "1125", "1138", "1138", "1138",
                                           "1150", "1162", "1162", "1170"};
    return version_of(versions[random_below(sizeof versions / sizeof *versions)]);
}

static void randomise_device(struct snapshot *known)
{
    known->product_known = mostly();
    known->secret = mostly() ? SECRET_FINE : (enum secret_state)random_below(SECRET_MISSING + 1);
    known->id_usable = mostly();
    known->firmware_named = mostly();
    known->firmware_known = mostly();
    known->firmware_elsewhere = random_below(2);
    known->device_known = mostly();
    known->admission_full = !mostly();
    known->refuse_new = !mostly();
    known->hold_new = !mostly();
    known->retired = known->device_known && !mostly();
    known->held_out = known->device_known && !mostly();
    known->held = known->device_known && !known->retired && !mostly();
    known->link_unknown = !mostly();
    known->link_revoked = !mostly();
    known->blocked = !mostly();
    known->confirmed = random_version();
    known->grade = (enum grade)(GRADE_UNAUTHENTICATED + random_below(GRADE_COUNT - GRADE_UNAUTHENTICATED));
    known->confirmed_grade = mostly() ? GRADE_NONE : (enum grade)random_below(GRADE_COUNT);
}

static void randomise_package(struct snapshot *known)
{
    known->format_set = mostly();
    known->max_package_bytes = mostly() ? 491520 : 30000;
    known->target = random_version();
    known->base_known = mostly();
    known->package = mostly() ? PACKAGE_READY : (enum package_state)random_below(6);
    known->package_full = known->package == PACKAGE_READY && !mostly();
    known->package_size = 1 + random_below(60000);
    known->base_full = !mostly();
    if (!known->package_full && !mostly())
        snprintf(known->target_core, sizeof known->target_core, "2034");
}

static void randomise_attempt(struct snapshot *known)
{
    known->attempt_open = mostly();
    known->attempt_unclear = !mostly();
    known->attempt_state = (enum attempt_state)random_below(ATTEMPT_DELIVERED + 1);
    do {
        known->attempt_from = random_version();
        known->attempt_to = random_version();
    } while (known->attempt_from.count == 0 ||
             version_compare(&known->attempt_from, &known->attempt_to) >= 0);
    known->attempt_same_firmware = mostly();
    known->attempt_by_link = random_below(2);
    known->attempt_active_ms = NOW - (int64_t)random_below(30) * HOUR_MS;
    known->pinned_servable = mostly();
    known->pinned_full = !mostly();
    known->pinned_size = 1 + random_below(60000);
    known->begun_last_day = random_below(8);
    known->link_deliveries = random_below(5);
    known->link_delivered_ms = NOW - (int64_t)random_below(48) * HOUR_MS;
}

static struct scene random_scene(void)
{
    struct scene scene = scene_of(random_below(2) ? CHECKIN_LINK : CHECKIN_DIALECT);
    scene.checkin.version = random_version();
    if (random_below(2))
        scene.checkin.range = (struct range){.present = mostly(),
                                             .bad = !mostly(),
                                             .has_last = random_below(2),
                                             .first = random_below(2) ? random_below(60000) : 0,
                                             .last = random_below(60000)};
    randomise_device(&scene.known);
    randomise_package(&scene.known);
    randomise_attempt(&scene.known);
    scene.known.base = decision_base(&scene.checkin, &scene.known.confirmed);
    return scene;
}

static bool is_from_middle(const struct checkin *checkin)
{
    return checkin->range.present && checkin->range.first > 0;
}

/* Firmware is sent only within the limits, and only the requested bytes. */
static void check_bytes(const struct scene *scene)
{
    const struct checkin *checkin = &scene->checkin;
    const struct snapshot *known = &scene->known;
    const struct decision *decision = &scene->decision;
    bool firmware = decision->answer == ANSWER_FULL || decision->answer == ANSWER_PART;

    assert_int_equal(decision->send, firmware);
    assert_int_equal(decision->begun, firmware && !decision->resume);
    if (firmware) {
        uint64_t size = decision->resume ? known->pinned_size : known->package_size;
        assert_true(decision->first < decision->end && decision->end <= size &&
                    size <= known->max_package_bytes);
        assert_int_equal(decision->answer == ANSWER_PART, checkin->range.present);
        assert_int_equal(decision->resume, is_from_middle(checkin));
        assert_true(decision->first == (checkin->range.present ? checkin->range.first : 0));
        assert_true(!checkin->range.bad && !known->blocked);
        assert_false(known->retired || known->held_out || known->held || decision->hold);
        assert_true(known->format_set || (decision->resume ? known->pinned_full : known->package_full));
    }
    if (decision->begun || decision->answer == ANSWER_WAIT)
        assert_true(known->base.count > 0 && (known->base_known || known->package_full) &&
                    version_compare(&known->base, &known->target) < 0);
    if (is_from_middle(checkin)) /* a request from the middle begins nothing new */
        assert_false(decision->open_attempt || decision->queue_packages || decision->answer == ANSWER_FULL);
    if (decision->resume)
        assert_false(known->attempt_unclear);
}

/* The recorded facts fit together, in their order. */
static void check_facts(const struct scene *scene)
{
    const struct snapshot *known = &scene->known;
    const struct decision *decision = &scene->decision;
    enum attempt_state state = known->attempt_state;
    bool open = known->attempt_open;

    if (decision->unpin)
        assert_true(open && !decision->send && !decision->end_attempt && !is_from_middle(&scene->checkin));
    if (decision->end_attempt) {
        assert_true(open && attempt_apply(&state, decision->attempt_event));
        open = attempt_is_open(state);
        assert_false(open);
        if (decision->attempt_event == EVENT_SUPERSEDE)
            assert_true(decision->open_attempt);
    }
    if (decision->open_attempt) {
        assert_false(open); /* at most one attempt is open */
        open = true;
        state = ATTEMPT_WAITING;
        assert_true(decision->send || decision->answer == ANSWER_WAIT);
    }
    if (decision->send)
        assert_true(open && attempt_apply(&state, EVENT_SEND) && state == ATTEMPT_SENDING);
    if (decision->answer == ANSWER_WAIT)
        assert_true(open);
    if (decision->queue_packages)
        assert_int_equal(decision->answer, ANSWER_WAIT);
    if (decision->block)
        assert_int_equal(decision->answer, ANSWER_LOOP);
}

/* Only evidence of a sufficient grade changes the version or ends an attempt. A link is never evidence. */
static void check_evidence(const struct scene *scene)
{
    const struct checkin *checkin = &scene->checkin;
    const struct snapshot *known = &scene->known;
    const struct decision *decision = &scene->decision;
    bool lower = known->grade < known->confirmed_grade;

    if (decision->claim)
        assert_true(lower && version_compare(&checkin->version, &known->confirmed) != 0);
    assert_false(decision->claim && decision->confirm);
    assert_false(lower && decision->confirm);
    if (lower || checkin->source == CHECKIN_LINK)
        assert_true(!decision->end_attempt || decision->attempt_event == EVENT_SUPERSEDE);
    if (checkin->source == CHECKIN_LINK) {
        assert_false(decision->confirm || decision->admit);
    } else {
        assert_true(!decision->confirm || checkin->version.count > 0);
        assert_false(decision->notice_stale_link);
    }
}

static void check_invariants(const struct scene *scene)
{
    check_bytes(scene);
    check_facts(scene);
    check_evidence(scene);
    assert_true(scene->decision.reason[0] && slice_is_clean_utf8(slice_of(scene->decision.reason)));
}

/* Without the secret nothing is sent and nothing is recorded. */
static void check_secret(const struct scene *scene)
{
    const struct decision *decision = &scene->decision;
    enum secret_state secret = scene->known.secret;
    if (secret == SECRET_FINE)
        return;
    assert_int_equal(decision->answer, secret == SECRET_WRONG_PATH ? ANSWER_NO_PATH : ANSWER_BAD_PRODUCT);
    assert_false(decision->admit || decision->confirm || decision->claim || decision->end_attempt ||
                 decision->unpin || decision->open_attempt || decision->send || decision->block);
}

static void test_whatever_is_asked(void **state)
{
    unsigned seen[ANSWER_COUNT] = {0};
    (void)state;
    for (unsigned i = 0; i < 300000; i++) {
        struct scene scene = random_scene();
        decision_make(&scene.checkin, &scene.known, &limits, &scene.decision);
        check_invariants(&scene);
        check_secret(&scene);
        seen[scene.decision.answer]++;
    }
    for (unsigned answer = 0; answer < ANSWER_COUNT; answer++)
        assert_true(seen[answer] > 500); /* otherwise the test proves nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whatever_is_asked),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("decision-any", tests, NULL, NULL);
}
