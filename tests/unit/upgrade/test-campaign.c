/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Campaigns: which devices a stage admits, when its gate holds, waits or breaks, and what an admin may write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "upgrade/campaign.h"

#define HOUR_MS 3600000LL
#define NOW_MS  (1000000 * HOUR_MS)

static void test_life(void **state)
{
    (void)state;
    enum campaign_state at = CAMPAIGN_DRAFT;
    assert_false(campaign_apply(&at, CAMPAIGN_PAUSE));
    assert_true(campaign_apply(&at, CAMPAIGN_START));
    assert_true(campaign_is_live(at));
    assert_true(campaign_apply(&at, CAMPAIGN_PAUSE));
    assert_true(campaign_is_live(at));
    assert_false(campaign_apply(&at, CAMPAIGN_START));
    assert_true(campaign_apply(&at, CAMPAIGN_RESUME));
    assert_true(campaign_apply(&at, CAMPAIGN_CANCEL));
    for (int event = 0; event < CAMPAIGN_EVENT_COUNT; event++)
        assert_false(campaign_apply(&at, (enum campaign_event)event));
    assert_int_equal(at, CAMPAIGN_CANCELLED);
}

static void test_names(void **state)
{
    (void)state;
    for (int i = 0; i < CAMPAIGN_STATE_COUNT; i++) {
        enum campaign_state found;
        assert_true(campaign_state_parse(slice_of(campaign_state_name((enum campaign_state)i)), &found));
        assert_int_equal(found, i);
    }
    for (int i = 0; i < CAMPAIGN_OUTCOME_COUNT; i++) {
        enum campaign_outcome found;
        assert_true(
            campaign_outcome_parse(slice_of(campaign_outcome_name((enum campaign_outcome)i)), &found));
        assert_int_equal(found, i);
    }
    enum campaign_state none;
    assert_false(campaign_state_parse(slice_of("stopped"), &none));
}

static const struct {
    const char *what;
    struct stage stages[2];
    unsigned current;
    struct stage_place place;
    bool admits;
} admissions[] = {
    {"all", {{.kind = STAGE_ALL}}, 0, {.audience = 0}, true},
    {"the fifth of five in a fixed audience",
     {{.kind = STAGE_DEVICES, .size = 5}},
     0,
     {.ranked = true, .rank = 4, .audience = 150},
     true},
    {"the sixth of five",
     {{.kind = STAGE_DEVICES, .size = 5}},
     0,
     {.ranked = true, .rank = 5, .audience = 150},
     false},
    {"the seventh of five, when two before are out",
     {{.kind = STAGE_DEVICES, .size = 5}},
     0,
     {.ranked = true, .rank = 6, .audience = 148, .reach = 7},
     true},
    {"the eighth of five, when two before are out",
     {{.kind = STAGE_DEVICES, .size = 5}},
     0,
     {.ranked = true, .rank = 7, .audience = 148, .reach = 7},
     false},
    {"ten percent of 150 are 15",
     {{.kind = STAGE_PERCENT, .size = 10}},
     0,
     {.ranked = true, .rank = 14, .audience = 150},
     true},
    {"the sixteenth is none of them",
     {{.kind = STAGE_PERCENT, .size = 10}},
     0,
     {.ranked = true, .rank = 15, .audience = 150},
     false},
    {"one percent of 5 is one device",
     {{.kind = STAGE_PERCENT, .size = 1}},
     0,
     {.ranked = true, .rank = 0, .audience = 5},
     true},
    {"ten percent of an open audience of 150, 14 are admitted",
     {{.kind = STAGE_PERCENT, .size = 10, .count = {0, 4, 10}}},
     0,
     {.audience = 150},
     true},
    {"15 are admitted",
     {{.kind = STAGE_PERCENT, .size = 10, .count = {0, 4, 11}}},
     0,
     {.audience = 150},
     false},
    {"a share of an open audience without devices is one device",
     {{.kind = STAGE_PERCENT, .size = 10}},
     0,
     {.audience = 0},
     true},
    {"that one is admitted",
     {{.kind = STAGE_PERCENT, .size = 10, .count = {0, 1}}},
     0,
     {.audience = 0},
     false},
    {"five of an open audience, four are admitted",
     {{.kind = STAGE_DEVICES, .size = 5, .count = {0, 2, 1, 1}}},
     0,
     {.audience = 3},
     true},
    {"five are admitted",
     {{.kind = STAGE_DEVICES, .size = 5, .count = {0, 2, 1, 1, 0, 1}}},
     0,
     {.audience = 150},
     false},
    {"eight after five, seven are admitted",
     {{.kind = STAGE_DEVICES, .size = 5, .count = {0, 0, 5}},
      {.kind = STAGE_DEVICES, .size = 8, .count = {0, 2}}},
     1,
     {.audience = 150},
     true},
    {"eight after five, eight are admitted",
     {{.kind = STAGE_DEVICES, .size = 5, .count = {0, 0, 5}},
      {.kind = STAGE_DEVICES, .size = 8, .count = {0, 3}}},
     1,
     {.audience = 150},
     false},
};

static void test_admissions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof admissions / sizeof *admissions; i++)
        if (stage_admits(admissions[i].stages, admissions[i].current, &admissions[i].place) !=
            admissions[i].admits)
            fail_msg("%s", admissions[i].what);
}

#define OPEN                                                                                                 \
    {                                                                                                        \
        .ranked = false                                                                                      \
    }
#define FIXED                                                                                                \
    {                                                                                                        \
        .ranked = true, .audience = 150                                                                      \
    }

static const struct {
    const char *what;
    struct stage stage;
    struct stage_place audience;
    enum gate gate;
    const char *why;
} gates[] = {
    {"no gate", {.kind = STAGE_DEVICES, .size = 5, .count = {0, 1}}, OPEN, GATE_HOLDS, ""},
    {"four of five are asked for, three have confirmed",
     {.kind = STAGE_DEVICES, .size = 5, .least_confirmed = 4, .count = {0, 2, 3}},
     OPEN,
     GATE_WAITS,
     "stage 1: 3 of 4 devices have confirmed"},
    {"… four have",
     {.kind = STAGE_DEVICES, .size = 5, .least_confirmed = 4, .count = {0, 1, 4}},
     OPEN,
     GATE_HOLDS,
     ""},
    {"80 % of five, of whom two are admitted",
     {.kind = STAGE_DEVICES, .size = 5, .confirmed_percent = 80, .count = {0, 0, 2}},
     OPEN,
     GATE_WAITS,
     "stage 1: 2 of 4 devices have confirmed"},
    {"80 % of the 15 that are ten percent",
     {.kind = STAGE_PERCENT, .size = 10, .confirmed_percent = 80, .count = {0, 0, 11}},
     FIXED,
     GATE_WAITS,
     "stage 1: 11 of 12 devices have confirmed"},
    {"80 % of ten percent of an open audience, of whom two are admitted",
     {.kind = STAGE_PERCENT, .size = 10, .confirmed_percent = 80, .count = {0, 0, 2}},
     {.audience = 150},
     GATE_WAITS,
     "stage 1: 2 of 12 devices have confirmed"},
    {"all that the stage for all of an open audience has admitted",
     {.kind = STAGE_ALL, .confirmed_percent = 100, .count = {0, 1, 2}},
     {.audience = 150},
     GATE_WAITS,
     "stage 1: 2 of 3 devices have confirmed"},
    {"more asked for than the stage has",
     {.kind = STAGE_DEVICES, .size = 5, .least_confirmed = 9, .count = {0, 0, 5}},
     OPEN,
     GATE_HOLDS,
     ""},
    {"one device more failed than allowed",
     {.kind = STAGE_DEVICES, .size = 5, .most_failed = 1, .count = {0, 0, 3, 1, 1}},
     OPEN,
     GATE_BROKEN,
     "stage 1: devices that did not apply a package: 2, allowed are 1"},
    {"as many failed as allowed",
     {.kind = STAGE_DEVICES, .size = 5, .most_failed = 2, .least_confirmed = 3, .count = {0, 0, 3, 1, 1}},
     OPEN,
     GATE_HOLDS,
     ""},
    {"all of five, and two may fail and did",
     {.kind = STAGE_DEVICES, .size = 5, .confirmed_percent = 100, .most_failed = 2, .count = {0, 0, 3, 2}},
     OPEN,
     GATE_HOLDS,
     ""},
    {"one of these is still on its way",
     {.kind = STAGE_DEVICES, .size = 5, .confirmed_percent = 100, .most_failed = 2, .count = {0, 1, 2, 2}},
     OPEN,
     GATE_WAITS,
     "stage 1: 2 of 3 devices have confirmed"},
    {"all failed, and all may fail: one must confirm",
     {.kind = STAGE_DEVICES, .size = 2, .confirmed_percent = 100, .most_failed = 2, .count = {0, 0, 0, 2}},
     OPEN,
     GATE_WAITS,
     "stage 1: 0 of 1 devices have confirmed"},
    {"90 % of ten, and failures are not subtracted",
     {.kind = STAGE_DEVICES, .size = 10, .confirmed_percent = 90, .most_failed = 2, .count = {0, 0, 8, 2}},
     OPEN,
     GATE_WAITS,
     "stage 1: 8 of 9 devices have confirmed"},
    {"a silent device",
     {.kind = STAGE_DEVICES, .size = 5, .count = {0, 0, 4, 0, 0, 1}},
     OPEN,
     GATE_BROKEN,
     "stage 1: devices that are silent after delivery: 1, allowed are 0"},
    {"confirmed an hour ago, a day is asked for",
     {.kind = STAGE_DEVICES,
      .size = 1,
      .settle_ms = 24 * HOUR_MS,
      .count = {0, 0, 1},
      .last_confirmed_ms = NOW_MS - HOUR_MS},
     OPEN,
     GATE_WAITS,
     "stage 1: the last confirmation is not old enough"},
    {"confirmed a day ago",
     {.kind = STAGE_DEVICES,
      .size = 1,
      .settle_ms = 24 * HOUR_MS,
      .count = {0, 0, 1},
      .last_confirmed_ms = NOW_MS - 24 * HOUR_MS},
     OPEN,
     GATE_HOLDS,
     ""},
    {"confirmed in the future, as a wrong clock says",
     {.kind = STAGE_DEVICES,
      .size = 1,
      .settle_ms = HOUR_MS,
      .count = {0, 0, 1},
      .last_confirmed_ms = NOW_MS + 24 * HOUR_MS},
     OPEN,
     GATE_WAITS,
     "stage 1: the last confirmation is not old enough"},
    {"no confirmation is needed, and the stage began an hour ago",
     {.kind = STAGE_DEVICES, .size = 1, .settle_ms = 24 * HOUR_MS},
     {.stage_started_ms = NOW_MS - HOUR_MS},
     GATE_WAITS,
     "stage 1: the stage is not old enough"},
    {"no confirmation is needed, and the stage began a day ago",
     {.kind = STAGE_DEVICES, .size = 1, .settle_ms = 24 * HOUR_MS},
     {.stage_started_ms = NOW_MS - 24 * HOUR_MS},
     GATE_HOLDS,
     ""},
    {"as many failed as an admin accepted",
     {.kind = STAGE_DEVICES, .size = 5, .most_failed = 1, .accepted_failed = 3, .count = {0, 0, 2, 3}},
     OPEN,
     GATE_HOLDS,
     ""},
    {"one more failed than an admin accepted",
     {.kind = STAGE_DEVICES, .size = 5, .most_failed = 1, .accepted_failed = 3, .count = {0, 0, 1, 4}},
     OPEN,
     GATE_BROKEN,
     "stage 1: devices that did not apply a package: 4, allowed are 3"},
    {"one more is silent than an admin accepted",
     {.kind = STAGE_DEVICES, .size = 5, .accepted_silent = 1, .count = {0, 0, 1, 0, 0, 2}},
     OPEN,
     GATE_BROKEN,
     "stage 1: devices that are silent after delivery: 2, allowed are 1"},
    {"a second admin is asked for",
     {.kind = STAGE_DEVICES, .size = 1, .approvals = 2, .approved = 1, .count = {0, 0, 1}},
     OPEN,
     GATE_WAITS,
     "stage 1: 1 of 2 admins have approved"},
    {"both have approved",
     {.kind = STAGE_DEVICES, .size = 1, .approvals = 2, .approved = 2, .count = {0, 0, 1}},
     OPEN,
     GATE_HOLDS,
     ""},
};

static void test_gates(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof gates / sizeof *gates; i++) {
        char why[REASON_SIZE], text[REASON_TEXT_SIZE];
        enum gate gate = stage_gate(&gates[i].stage, 0, &gates[i].audience, NOW_MS, why);
        reason_text(why, REASON_ENGLISH, text);
        if (gate != gates[i].gate || strcmp(text, gates[i].why) != 0)
            fail_msg("%s: %d, %s", gates[i].what, gate, text);
    }
}

static void test_faults(void **state)
{
    static const struct {
        struct stage stages[3];
        size_t count;
        unsigned stage;
        const char *fault;
    } cases[] = {
        {{{.kind = STAGE_DEVICES, .size = 5}, {.kind = STAGE_PERCENT, .size = 10}, {.kind = STAGE_ALL}},
         3,
         0,
         NULL},
        {{{.kind = STAGE_ALL}}, 1, 0, NULL},
        {{{.kind = STAGE_ALL}}, 0, 1, "a campaign has 1 to 16 stages"},
        {{{.kind = STAGE_DEVICES, .size = 0}}, 1, 1, "the stage admits no device"},
        {{{.kind = STAGE_DEVICES, .size = 5}, {.kind = STAGE_PERCENT, .size = 101}},
         2,
         2,
         "a percentage is 1 to 100"},
        {{{.kind = STAGE_DEVICES, .size = 5, .confirmed_percent = 101}},
         1,
         1,
         "the share of confirmed devices is 0 to 100 percent"},
        {{{.kind = STAGE_DEVICES, .size = 5, .approvals = 3}},
         1,
         1,
         "at most two admins can be asked to approve"},
        {{{.kind = STAGE_ALL}, {.kind = STAGE_PERCENT, .size = 10}},
         2,
         2,
         "no stage can follow the one for all devices"},
        {{{.kind = STAGE_DEVICES, .size = 5}, {.kind = STAGE_DEVICES, .size = 5}},
         2,
         2,
         "the stage is not larger than the one before: sizes count from the start of the campaign"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned stage;
        const char *fault = stages_fault(cases[i].stages, cases[i].count, &stage);
        if (!cases[i].fault) {
            assert_null(fault);
            continue;
        }
        assert_non_null(fault);
        assert_string_equal(fault, cases[i].fault);
        assert_int_equal(stage, cases[i].stage);
    }
}

/* A random fleet, and a campaign that stops at a broken gate: no stage ever has more devices than it may, each admitted device
   is counted once, and a stage begins only when all gates before hold. */
static void test_random_campaigns(void **state)
{
    enum { DEVICES = 60 };
    (void)state;
    srand(4);
    for (int round = 0; round < 500; round++) {
        struct stage stages[] = {
            {.kind = STAGE_DEVICES, .size = 5, .least_confirmed = 3, .most_failed = 1, .most_silent = 1},
            {.kind = STAGE_PERCENT, .size = 20, .confirmed_percent = 50, .most_failed = 3, .most_silent = 3},
            {.kind = STAGE_ALL, .most_failed = DEVICES, .most_silent = DEVICES},
        };
        const unsigned reach[] = {5, 12, DEVICES};
        struct stage_place place = {.ranked = rand() % 2, .audience = DEVICES};
        int outcome[DEVICES] = {OUTCOME_WAITING}, of_stage[DEVICES];
        unsigned current = 0, admitted = 0;
        int share = rand() % 4;
        for (int step = 0; step < 1500; step++) {
            int i = rand() % DEVICES;
            place.rank = (unsigned)i;
            if (outcome[i] == OUTCOME_WAITING) {
                if (!stage_admits(stages, current, &place))
                    continue;
                admitted++;
                of_stage[i] = (int)current;
                outcome[i] = OUTCOME_ADMITTED;
                stages[current].count[OUTCOME_ADMITTED]++;
            } else if (outcome[i] == OUTCOME_ADMITTED) {
                struct stage *stage = &stages[of_stage[i]];
                stage->count[OUTCOME_ADMITTED]--;
                outcome[i] = rand() % 4 >= share ? OUTCOME_CONFIRMED : OUTCOME_NOT_APPLIED + rand() % 3;
                stage->count[outcome[i]]++;
            }
            assert_in_range(admitted, 0, reach[current]);
            char why[REASON_SIZE];
            enum gate gate = stage_gate(stages, current, &place, NOW_MS, why);
            assert_true((gate == GATE_HOLDS) == (why[0] == '\0'));
            if (gate == GATE_BROKEN)
                break;
            if (gate == GATE_HOLDS && current < 2) {
                assert_true(stages[current].count[OUTCOME_CONFIRMED] >= (current ? 0 : 3));
                current++;
            }
        }
        unsigned counted =
            stage_admitted(&stages[0]) + stage_admitted(&stages[1]) + stage_admitted(&stages[2]);
        assert_int_equal(counted, admitted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),  cmocka_unit_test(test_names),  cmocka_unit_test(test_admissions),
        cmocka_unit_test(test_gates), cmocka_unit_test(test_faults), cmocka_unit_test(test_random_campaigns),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
