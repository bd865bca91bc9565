/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Outcomes: a table of states for upgrades and downgrades; every combination has exactly one outcome. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "upgrade/outcome.h"

static struct version version(const char *text)
{
    struct version parsed = {.count = 0};
    if (text[0])
        assert_true(version_parse(slice_of(text), &parsed));
    return parsed;
}

#define NO_ATTEMPT (-1)

struct row {
    const char *target, *confirmed, *asked;
    bool downgrades, blocked, by_us;
    int state; /* NO_ATTEMPT */
    bool to_target, reachable;
    const char *outcome;
};

static struct outcome_facts facts_of(const struct row *row)
{
    struct outcome_facts facts = {.target = version(row->target),
                                  .downgrades = row->downgrades,
                                  .confirmed = version(row->confirmed),
                                  .asked = version(row->asked),
                                  .blocked = row->blocked,
                                  .by_us = row->by_us,
                                  .attempted = row->state != NO_ATTEMPT,
                                  .to_target = row->to_target};
    if (facts.attempted)
        facts.state = (enum attempt_state)row->state;
    return facts;
}

static const struct row rows[] = {
    /* up */
    {"5", "", "", false, false, false, NO_ATTEMPT, false, true, "not_begun"},
    {"5", "1", "1", false, false, false, NO_ATTEMPT, false, true, "not_begun"},
    {"5", "1", "1", false, false, false, NO_ATTEMPT, false, false, "unreachable"},
    {"5", "", "1", false, false, false, NO_ATTEMPT, false, false, "unreachable"},
    {"5", "1", "1", false, false, false, ATTEMPT_WAITING, true, false, "unreachable"},
    {"5", "1", "1", false, false, false, ATTEMPT_DELIVERED, true, false, "delivered"},
    {"5", "1", "1", false, false, false, ATTEMPT_NOT_APPLIED, true, true, "not_applied"},
    {"5", "1", "1", false, true, false, ATTEMPT_NOT_APPLIED, true, true, "blocked"},
    {"5", "5", "5", false, true, true, ATTEMPT_CONFIRMED, true, true, "confirmed"},
    {"5", "6", "6", false, true, false, ATTEMPT_DIVERGED, true, true, "above"},
    {"5", "6", "6", false, false, false, NO_ATTEMPT, false, false, "above"},
    {"5", "3", "3", false, false, false, ATTEMPT_CONFIRMED, false, true, "on_the_way"},
    {"5", "3", "3", false, false, false, ATTEMPT_CONFIRMED, false, false, "unreachable"},
    {"5", "1", "1", false, false, false, ATTEMPT_CONFIRMED, true, true,
     "not_begun"}, /* it was at the target and left it */
    {"5", "", "5", false, false, false, NO_ATTEMPT, false, false,
     "not_begun"}, /* the version of a link is not a report */
    /* the target without a delivery from here, and a hop without one */
    {"5", "5", "1", false, false, false, NO_ATTEMPT, false, true, "confirmed_not_by_us"},
    {"5", "5", "1", false, false, false, ATTEMPT_NOT_BY_US, true, true, "confirmed_not_by_us"},
    {"5", "5", "1", false, true, true, ATTEMPT_NOT_BY_US, true, true, "confirmed"}, /* delivered earlier */
    {"5", "3", "3", false, false, false, ATTEMPT_NOT_BY_US, false, true, "on_the_way"},
    {"5", "3", "3", false, false, false, ATTEMPT_NOT_BY_US, false, false, "unreachable"},
    {"5", "1", "1", false, false, false, ATTEMPT_NOT_BY_US, true, true, "not_begun"},
    /* back down */
    {"5", "9", "9", true, false, false, NO_ATTEMPT, false, true, "not_begun"},
    {"5", "9", "9", true, false, false, NO_ATTEMPT, false, false, "unreachable"},
    {"5", "9", "9", true, false, false, ATTEMPT_WAITING, true, true, "waiting"},
    {"5", "9", "9", true, false, false, ATTEMPT_NOT_APPLIED, true, true, "not_applied"},
    {"5", "9", "9", true, true, false, ATTEMPT_NOT_APPLIED, true, true, "blocked"},
    {"5", "9", "9", true, false, false, ATTEMPT_SILENT, true, true, "silent"},
    {"5", "7", "7", true, false, false, ATTEMPT_CONFIRMED, false, true, "on_the_way"},
    {"5", "5", "5", true, false, true, ATTEMPT_CONFIRMED, true, true, "confirmed"},
    {"5", "3", "3", true, false, false, NO_ATTEMPT, false, true, "not_begun"},
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct outcome_facts facts = facts_of(&rows[i]);
        bool by_attempt;
        assert_string_equal(outcome_of(&facts, rows[i].reachable, &by_attempt), rows[i].outcome);
    }
}

static void test_each_combination_has_one_with_a_known_name(void **state)
{
    static const char *const versions[] = {"", "1", "5", "9"};
    (void)state;
    for (unsigned bits = 0; bits < 32; bits++)
        for (int attempt = NO_ATTEMPT; attempt < ATTEMPT_STATE_COUNT; attempt++)
            for (unsigned v = 0; v < 16; v++) {
                const struct row row = {"5",       versions[v / 4], versions[v % 4], bits & 1, bits & 2,
                                        bits & 16, attempt,         bits & 4,        bits & 8, ""};
                const struct outcome_facts facts = facts_of(&row);
                bool by_attempt;
                const char *outcome = outcome_of(&facts, row.reachable, &by_attempt);
                assert_true(outcome_is_name(slice_of(outcome)));
                assert_true(!by_attempt || facts.attempted);
                if (facts.blocked && by_attempt)
                    fail_msg("blocked, and yet %s", outcome);
            }
    assert_false(outcome_is_name(slice_of("lost")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_each_combination_has_one_with_a_known_name),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
