/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Hours of the day with a fixed offset from UTC, and the months of that clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/clock.h"
#include "upgrade/hours.h"

/* UTC */
static int64_t at(int year, int month, int day, int hour, int minute)
{
    struct tm tm = {
        .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute};
    return (int64_t)timegm(&tm) * 1000;
}

static struct hours hours(const char *text)
{
    struct hours found;
    if (!hours_parse(slice_of(text), &found))
        fail_msg("'%s' is a range", text);
    return found;
}

static void test_texts(void **state)
{
    static const struct {
        const char *text;
        struct hours is;
    } good[] = {
        {"always", {0, 1440, 0}},
        {"22:00-06:00+08:00", {1320, 360, 480}},
        {"00:00-24:00+05:30", {0, 1440, 330}},
        {"09:15-17:45-03:30", {555, 1065, -210}},
        {"00:00-00:01+00:00", {0, 1, 0}},
        {"23:59-24:00+14:00", {1439, 1440, 840}},
        {"23:00-00:00-00:00", {1380, 0, 0}},
    };
    static const char *const bad[] = {
        "",
        "Always",
        "never",
        "22:00-06:00",
        "22:00-06:00Z",
        "22:00-06:00+8:00",
        "22:00-06:00+0800",
        "2:00-06:00+08:00",
        "22:60-06:00+08:00",
        "24:01-06:00+08:00",
        "24:00-06:00+08:00",
        "25:00-06:00+08:00",
        "22:00-22:00+08:00",
        "22:00-06:00+14:01",
        "22:00-06:00+08:60",
        "22:00_06:00+08:00",
        "22:00-06:00*08:00",
        "22:00-06:00+08:00 ",
        " 22:00-06:00+08:00",
        "22.00-06:00+08:00",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const struct hours is = hours(good[i].text);
        if (is.from != good[i].is.from || is.to != good[i].is.to || is.offset_min != good[i].is.offset_min)
            fail_msg("%s: %d to %d, %d", good[i].text, is.from, is.to, is.offset_min);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct hours is;
        if (hours_parse(slice_of(bad[i]), &is))
            fail_msg("'%s' is no range", bad[i]);
        assert_int_equal(hours_of(bad[i]).to, 1440);
    }
}

/* `opens` as it is shown; NULL: it is open at this moment. */
static void test_next_open(void **state)
{
    const struct {
        const char *text;
        int64_t now_ms;
        const char *opens;
    } rows[] = {
        {"always", at(2026, 11, 29, 12, 0), NULL},
        {"00:00-24:00+08:00", at(2026, 11, 29, 15, 59), NULL},
        {"00:00-24:00+08:00", at(2026, 11, 29, 16, 0), NULL},
        /* over midnight, in the clock of +08:00: 14:00 to 22:00 UTC */
        {"22:00-06:00+08:00", at(2026, 11, 29, 13, 59), "2026-11-29 22:00+08:00"},
        {"22:00-06:00+08:00", at(2026, 11, 29, 14, 0), NULL},
        {"22:00-06:00+08:00", at(2026, 11, 29, 16, 0), NULL},
        {"22:00-06:00+08:00", at(2026, 11, 29, 21, 59), NULL},
        {"22:00-06:00+08:00", at(2026, 11, 29, 22, 0), "2026-11-30 22:00+08:00"},
        {"23:00-00:00+00:00", at(2026, 11, 29, 23, 30), NULL},
        {"23:00-00:00+00:00", at(2026, 11, 30, 0, 0), "2026-11-30 23:00+00:00"},
        /* within a day, with half an hour in the offset: 03:45 to 12:15 UTC */
        {"09:15-17:45+05:30", at(2026, 11, 29, 3, 44), "2026-11-29 09:15+05:30"},
        {"09:15-17:45+05:30", at(2026, 11, 29, 3, 45), NULL},
        {"09:15-17:45+05:30", at(2026, 11, 29, 12, 14), NULL},
        {"09:15-17:45+05:30", at(2026, 11, 29, 12, 15), "2026-11-30 09:15+05:30"},
        /* west of UTC: 12:45 to 21:15 UTC */
        {"09:15-17:45-03:30", at(2026, 11, 29, 21, 15), "2026-11-30 09:15-03:30"},
        {"09:15-17:45-03:30", at(2026, 11, 29, 2, 0), "2026-11-29 09:15-03:30"},
        {"09:15-17:45-03:30", at(2026, 11, 29, 12, 45), NULL},
        /* over the ends of a year and of a leap February */
        {"01:00-02:00+00:00", at(2026, 12, 31, 23, 0), "2027-01-01 01:00+00:00"},
        {"01:00-02:00+00:00", at(2028, 2, 28, 3, 0), "2028-02-29 01:00+00:00"},
        {"01:00-02:00+00:00", at(2028, 2, 29, 3, 0), "2028-03-01 01:00+00:00"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct hours is = hours(rows[i].text);
        char text[HOURS_TIME_SIZE];
        int64_t opens_ms = hours_next_open(&is, rows[i].now_ms);
        hours_time_text(&is, opens_ms, text);
        if (rows[i].opens ? strcmp(text, rows[i].opens) != 0 : opens_ms != rows[i].now_ms)
            fail_msg("row %zu, %s: %s", i, rows[i].text, text);
        assert_true(opens_ms >= rows[i].now_ms && hours_next_open(&is, opens_ms) == opens_ms);
    }
}

static void test_months(void **state)
{
    const struct {
        const char *text;
        int64_t now_ms;
        const char *month;
        int64_t ends_ms;
    } rows[] = {
        {"always", at(2026, 11, 1, 0, 0), "2026-11", at(2026, 12, 1, 0, 0)},
        {"always", at(2026, 11, 30, 23, 59), "2026-11", at(2026, 12, 1, 0, 0)},
        {"always", at(2026, 12, 31, 23, 59), "2026-12", at(2027, 1, 1, 0, 0)},
        {"00:00-24:00+08:00", at(2026, 11, 30, 15, 59), "2026-11", at(2026, 11, 30, 16, 0)},
        {"00:00-24:00+08:00", at(2026, 11, 30, 16, 0), "2026-12", at(2026, 12, 31, 16, 0)},
        {"00:00-24:00-03:30", at(2027, 1, 1, 3, 29), "2026-12", at(2027, 1, 1, 3, 30)},
        {"00:00-24:00+05:30", at(2028, 2, 29, 18, 29), "2028-02", at(2028, 2, 29, 18, 30)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct hours is = hours(rows[i].text);
        char text[MONTH_TEXT_SIZE];
        int64_t month = hours_month(&is, rows[i].now_ms);
        if (strcmp(hours_month_text(month, text), rows[i].month) != 0 ||
            hours_month_start(&is, month + 1) != rows[i].ends_ms)
            fail_msg("row %zu: %s", i, text);
    }
}

/* The calendar is that of the C library. */
static void test_each_day(void **state)
{
    const struct hours utc = hours("always");
    (void)state;
    for (int64_t day = -40000; day < 90000; day++) {
        time_t seconds = (time_t)(day * DAY_MS / 1000);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        int64_t month = hours_month(&utc, day * DAY_MS);
        assert_int_equal(month, (tm.tm_year + 1900) * 12 + tm.tm_mon);
        assert_true(hours_month_start(&utc, month) == (day - tm.tm_mday + 1) * DAY_MS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_next_open),
        cmocka_unit_test(test_months),
        cmocka_unit_test(test_each_day),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
