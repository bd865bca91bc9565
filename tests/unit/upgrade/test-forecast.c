/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* How often devices ask, and how long a campaign takes at that rhythm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "upgrade/forecast.h"

#define NOW (1000 * DAY_MS)

static const struct {
    const char *what;
    struct rhythm rhythm;
    int64_t interval_ms;
} intervals[] = {
    {"it never asked", {.check_ins = 0}, 0},
    {"it asked once", {NOW, NOW, 1, 0, 0}, 0},
    {"it asked five times in a row: its package was made", {NOW - MINUTE_MS, NOW, 5, 0, 0}, 0},
    {"once a day, with many questions in a row", {NOW - 3 * DAY_MS, NOW, 40, 3, 3 * DAY_MS}, DAY_MS},
    {"every 30 seconds, without a pause", {NOW - HOUR_MS, NOW, 121, 0, 0}, 30 * 1000},
    {"every 30 seconds, and off the network twice", {NOW - DAY_MS, NOW, 2800, 2, 2 * HOUR_MS}, HOUR_MS},
};

static void test_interval_of_a_device(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof intervals / sizeof *intervals; i++)
        if (rhythm_interval(&intervals[i].rhythm) != intervals[i].interval_ms)
            fail_msg("%s", intervals[i].what);
}

static struct rhythm asks_every(int64_t interval_ms, int64_t last_ms)
{
    return (struct rhythm){last_ms - interval_ms, last_ms, 2, 1, interval_ms};
}

static void test_a_sample_of_devices(void **state)
{
    (void)state;
    struct rhythm list[RHYTHM_SAMPLE + 1] = {{.check_ins = 0}};
    struct rhythm_sum sum;
    rhythm_sum_up(list, 4, NOW, &sum);
    assert_int_equal(sum.devices, 4);
    assert_int_equal(sum.known, 0);
    assert_int_equal(sum.typical_ms, 0);
    for (unsigned i = 0; i < 10; i++)
        list[i] = asks_every((10 - i) * HOUR_MS, NOW);
    list[0].last_seen_ms = NOW - 31 * HOUR_MS;
    list[1].last_seen_ms = NOW - 27 * HOUR_MS;
    rhythm_sum_up(list, 12, NOW, &sum);
    assert_int_equal(sum.devices, 12);
    assert_int_equal(sum.known, 10);
    assert_int_equal(sum.quiet, 1);
    assert_int_equal(sum.typical_ms, 5 * HOUR_MS);
    assert_int_equal(sum.slow_ms, 9 * HOUR_MS);
    rhythm_sum_up(list, 1, NOW, &sum);
    assert_int_equal(sum.slow_ms, 10 * HOUR_MS);
    rhythm_sum_up(list, RHYTHM_SAMPLE + 1, NOW, &sum);
    assert_int_equal(sum.devices, RHYTHM_SAMPLE);
}

static const struct stage all[] = {{.kind = STAGE_ALL, .settle_ms = 9 * DAY_MS, .approvals = 2}};
static const struct stage three[] = {{.kind = STAGE_DEVICES, .size = 5, .settle_ms = DAY_MS, .approvals = 1},
                                     {.kind = STAGE_PERCENT, .size = 10, .settle_ms = 2 * DAY_MS},
                                     {.kind = STAGE_ALL, .settle_ms = 9 * DAY_MS, .approvals = 2}};

static const struct {
    const char *what;
    struct forecast_work work;
    unsigned rounds;
    int64_t settle_ms;
    unsigned approvals;
} works[] = {
    {"one hop: a question for the package, and one that confirms it", {10, 10, 1, 0, all, 1}, 2, 0, 0},
    {"two hops share the question in the middle", {10, 10, 2, 0, all, 1}, 3, 0, 0},
    {"the canary of each hop takes a round", {10, 10, 2, 2, all, 1}, 5, 0, 0},
    {"stages go one after the other, and settle before the next",
     {150, 150, 1, 1, three, 3},
     7,
     3 * DAY_MS,
     1},
    {"a stage that reaches no further device", {4, 4, 1, 0, three, 3}, 2, 3 * DAY_MS, 1},
    {"no device has a path", {0, 10, 2, 1, three, 3}, 0, 0, 0},
};

static void test_rounds(void **state)
{
    (void)state;
    const struct rhythm_sum rhythm = {.known = 1, .typical_ms = 10, .slow_ms = 20}, unknown = {.known = 0};
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        struct forecast forecast;
        int64_t rounds = works[i].rounds, settle_ms = works[i].settle_ms;
        forecast_make(&works[i].work, &rhythm, &forecast);
        if (forecast.rounds != works[i].rounds || forecast.settle_ms != settle_ms ||
            forecast.approvals != works[i].approvals || forecast.typical_ms != rounds * 10 + settle_ms ||
            forecast.slow_ms != rounds * 20 + settle_ms)
            fail_msg("%s: %u rounds", works[i].what, forecast.rounds);
        forecast_make(&works[i].work, &unknown, &forecast);
        assert_int_equal(forecast.rounds, works[i].rounds);
        assert_int_equal(forecast.typical_ms, 0);
        assert_int_equal(forecast.slow_ms, 0);
    }
}

int main(void)
{
    cmocka_set_message_output(CM_OUTPUT_TAP);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_interval_of_a_device),
                                       cmocka_unit_test(test_a_sample_of_devices),
                                       cmocka_unit_test(test_rounds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
