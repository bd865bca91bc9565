/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The allowance: whether a download may begin now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "upgrade/allowance.h"

#define NOON INT64_C(1795953600000) /* 2026-11-29 12:00 UTC, 20:00+08:00 */
#define NIGHT                                                                                                \
    {                                                                                                        \
        1320, 360, 480                                                                                       \
    }                  /* 22:00-06:00+08:00 */
#define PACKAGE 491520 /* bytes; 30 seconds at the lowest rate */

#define AT_NIGHT                                                                                             \
    "at this hour no download of this firmware begins: the device waits until 2026-11-29 22:00+08:00"
#define ASKS_SOON(n, key)                                                                                    \
    "as many transfers run as " key " allows (" n "): the device waits for the end of one"
#define ASKS_LATER(n, key)                                                                                   \
    "as many transfers run as " key " allows (" n "): the wait is long, and the device must ask again later"
#define USED(used, most, until)                                                                              \
    "the device was sent " used                                                                              \
    " bytes in 2026-11, the package has 491520, and max_bytes_per_month is " most ": it waits until " until

static const struct {
    const char *what;
    struct allowance_limits limits;
    struct allowance allowance;
    struct allowance_use use;
    int64_t now_ms;
    bool has_begun;
    enum allowance_answer answer;
    int64_t wait_ms;
    const char *why;
} rows[] = {
    {"no limit", {0, 0}, {{0, 1440, 0}, 0}, {1000, 200, 1 << 30}, NOON, false, ALLOWANCE_BEGIN, 0, ""},
    {"a struct of zeros is no limit", {0, 0}, {{0, 0, 0}, 0}, {9, 9, 9}, NOON, false, ALLOWANCE_BEGIN, 0, ""},

    /* hours */
    {"closed", {0, 0}, {NIGHT, 0}, {0, 0, 0}, NOON, false, ALLOWANCE_LATER, 2 * HOUR_MS, AT_NIGHT},
    {"… also for who began", {0, 0}, {NIGHT, 0}, {0, 0, 0}, NOON, true, ALLOWANCE_BEGIN, 0, ""},
    {"closed for three minutes",
     {0, 0},
     {NIGHT, 0},
     {0, 0, 0},
     NOON + 2 * HOUR_MS - 180000,
     false,
     ALLOWANCE_SOON,
     180000,
     AT_NIGHT},
    {"… and for a little more",
     {0, 0},
     {NIGHT, 0},
     {0, 0, 0},
     NOON + 2 * HOUR_MS - 180001,
     false,
     ALLOWANCE_LATER,
     180001,
     AT_NIGHT},
    {"open", {0, 0}, {NIGHT, 0}, {0, 0, 0}, NOON + 2 * HOUR_MS, false, ALLOWANCE_BEGIN, 0, ""},

    /* bytes of the month */
    {"the last bytes of a month",
     {0, 0},
     {{0, 1440, 0}, 1000000},
     {0, 0, 1000000 - PACKAGE},
     NOON,
     false,
     ALLOWANCE_BEGIN,
     0,
     ""},
    {"one byte too many",
     {0, 0},
     {{0, 1440, 0}, 1000000},
     {0, 0, 1000001 - PACKAGE},
     NOON,
     false,
     ALLOWANCE_LATER,
     36 * HOUR_MS,
     USED("508481", "1000000", "2026-12-01 00:00+00:00")},
    {"… on another clock",
     {0, 0},
     {{0, 1440, 480}, 1000000},
     {0, 0, 1000001 - PACKAGE},
     NOON,
     false,
     ALLOWANCE_LATER,
     28 * HOUR_MS,
     USED("508481", "1000000", "2026-12-01 00:00+08:00")},
    {"… also for who began, because the bytes are sent again",
     {0, 0},
     {{0, 1440, 0}, 1000000},
     {0, 0, 1000001 - PACKAGE},
     NOON,
     true,
     ALLOWANCE_LATER,
     36 * HOUR_MS,
     USED("508481", "1000000", "2026-12-01 00:00+00:00")},
    {"more than all",
     {0, 0},
     {{0, 1440, 0}, 1000000},
     {0, 0, 2000000},
     NOON,
     false,
     ALLOWANCE_LATER,
     36 * HOUR_MS,
     USED("2000000", "1000000", "2026-12-01 00:00+00:00")},
    {"the month ends in a minute",
     {0, 0},
     {{0, 1440, 0}, 1000000},
     {0, 0, 1000000},
     NOON + 36 * HOUR_MS - 60000,
     false,
     ALLOWANCE_SOON,
     60000,
     USED("1000000", "1000000", "2026-12-01 00:00+00:00")},
    {"the month begins when the hours are closed",
     {0, 0},
     {{600, 660, 480}, 1000000},
     {0, 0, 1000000},
     NOON,
     false,
     ALLOWANCE_LATER,
     38 * HOUR_MS,
     USED("1000000", "1000000", "2026-12-01 10:00+08:00")},
    {"the package fits no month",
     {0, 0},
     {{0, 1440, 0}, PACKAGE - 1},
     {0, 0, 0},
     NOON,
     false,
     ALLOWANCE_NEVER,
     0,
     "the package has 491520 bytes, but max_bytes_per_month is 491519"},
    {"… just fits", {0, 0}, {{0, 1440, 0}, PACKAGE}, {0, 0, 0}, NOON, false, ALLOWANCE_BEGIN, 0, ""},

    /* transfers */
    {"the last place", {4, 0}, {{0, 1440, 0}, 0}, {3, 9, 0}, NOON, false, ALLOWANCE_BEGIN, 0, ""},
    {"no place",
     {4, 0},
     {{0, 1440, 0}, 0},
     {4, 0, 0},
     NOON,
     false,
     ALLOWANCE_SOON,
     7500,
     ASKS_SOON("4", "max_transfers")},
    {"… also for who begins again",
     {4, 0},
     {{0, 1440, 0}, 0},
     {4, 0, 0},
     NOON,
     true,
     ALLOWANCE_SOON,
     7500,
     ASKS_SOON("4", "max_transfers")},
    {"more run, because downloads were continued",
     {4, 0},
     {{0, 1440, 0}, 0},
     {40, 0, 0},
     NOON,
     false,
     ALLOWANCE_SOON,
     7500,
     ASKS_SOON("4", "max_transfers")},
    {"23 wait for four places",
     {4, 0},
     {{0, 1440, 0}, 0},
     {4, 23, 0},
     NOON,
     false,
     ALLOWANCE_SOON,
     180000,
     ASKS_SOON("4", "max_transfers")},
    {"24 do",
     {4, 0},
     {{0, 1440, 0}, 0},
     {4, 24, 0},
     NOON,
     false,
     ALLOWANCE_LATER,
     187500,
     ASKS_LATER("4", "max_transfers")},
    {"five wait for one place",
     {1, 0},
     {{0, 1440, 0}, 0},
     {1, 5, 0},
     NOON,
     false,
     ALLOWANCE_SOON,
     180000,
     ASKS_SOON("1", "max_transfers")},
    {"six do",
     {1, 0},
     {{0, 1440, 0}, 0},
     {1, 6, 0},
     NOON,
     false,
     ALLOWANCE_LATER,
     210000,
     ASKS_LATER("1", "max_transfers")},
    {"the rate is enough for two",
     {9, 49151},
     {{0, 1440, 0}, 0},
     {2, 0, 0},
     NOON,
     false,
     ALLOWANCE_SOON,
     15000,
     ASKS_SOON("2", "max_bytes_per_second")},
    {"the rate is enough for three",
     {9, 49152},
     {{0, 1440, 0}, 0},
     {2, 0, 0},
     NOON,
     false,
     ALLOWANCE_BEGIN,
     0,
     ""},
    {"both allow two",
     {2, 32768},
     {{0, 1440, 0}, 0},
     {2, 0, 0},
     NOON,
     false,
     ALLOWANCE_SOON,
     15000,
     ASKS_SOON("2", "max_transfers")},

    /* The long wait is named. */
    {"hours and transfers",
     {1, 0},
     {NIGHT, 0},
     {1, 0, 0},
     NOON,
     false,
     ALLOWANCE_LATER,
     2 * HOUR_MS,
     AT_NIGHT},
    {"month and hours",
     {0, 0},
     {NIGHT, 1000000},
     {0, 0, 1000000},
     NOON,
     false,
     ALLOWANCE_LATER,
     28 * HOUR_MS,
     USED("1000000", "1000000", "2026-12-01 00:00+08:00")},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct allowance_wish wish = {rows[i].now_ms, PACKAGE, rows[i].has_begun};
        struct allowance_verdict verdict;
        char why[REASON_TEXT_SIZE];
        memset(&verdict, 0xA5, sizeof verdict);
        allowance_decide(&rows[i].limits, &rows[i].allowance, &rows[i].use, &wish, &verdict);
        int64_t wait_ms = verdict.until_ms ? verdict.until_ms - rows[i].now_ms : 0;
        reason_text(verdict.why, REASON_ENGLISH, why);
        if (verdict.answer != rows[i].answer || wait_ms != rows[i].wait_ms || strcmp(why, rows[i].why) != 0)
            fail_msg("%s: answer %d, %lld ms, %s", rows[i].what, (int)verdict.answer, (long long)wait_ms,
                     why);
        assert_int_equal(verdict.for_transfer, strstr(rows[i].why, "transfers run as") != NULL);
    }
}

static void test_number_of_transfers(void **state)
{
    static const struct {
        struct allowance_limits limits;
        uint64_t most;
    } numbers[] = {
        {{0, 0}, 0},         {{7, 0}, 7},     {{0, 16384}, 1}, {{0, 16384 * 3 - 1}, 2},
        {{2, 16384 * 3}, 2}, {{9, 32768}, 2}, {{0, 100}, 1},   {{5, 100}, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_int_equal(allowance_transfers(&numbers[i].limits), numbers[i].most);
}

/* A fair share of the rate is never below the lowest rate. */
static void test_share(void **state)
{
    (void)state;
    for (uint64_t rate = ALLOWANCE_LEAST_RATE; rate < 2000000; rate += 997) {
        const struct allowance_limits limits = {0, rate};
        assert_true(rate / allowance_transfers(&limits) >= ALLOWANCE_LEAST_RATE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_number_of_transfers),
        cmocka_unit_test(test_share),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
