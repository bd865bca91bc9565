/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Times as text, written and read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/timestamp.h"

static void test_written(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {946684800000, "2000-01-01T00:00:00.000Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {1483228799999, "2016-12-31T23:59:59.999Z"},
        {1795370263007, "2026-11-22T17:57:43.007Z"},
        {4107542399999, "2100-02-28T23:59:59.999Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {7258118399999, "2199-12-31T23:59:59.999Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {253402300800000, ""},
        {INT64_MAX, ""},
        {INT64_MIN, ""},
    };
    char text[TIMESTAMP_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(timestamp_format(rows[i].ms, text), rows[i].text[0] != '\0');
        assert_string_equal(text, rows[i].text);
    }
}

static void test_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"946684800000", 946684800000},
        {"7258118399999", 7258118399999},
        {"2000-01-01T00:00:00Z", 946684800000},
        {"2000-01-01T08:00:00+08:00", 946684800000},
        {"1999-12-31T23:30:00-00:30", 946684800000},
        {"2199-12-31T23:59:59.999Z", 7258118399999},
        {"2026-11-22T17:57:43.007Z", 1795370263007},
        {"2026-11-22t17:57:43.0079999999999999z", 1795370263007},
        {"2026-11-22 17:57:43.5-00:00", 1795370263500},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"2016-12-31T23:59:60Z", 1483228800000}, /* leap seconds */
        {"2016-12-31T23:59:60.999Z", 1483228800000},
        {"2017-01-01T07:59:60+08:00", 1483228800000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        int64_t ms = 0;
        assert_true(timestamp_read(slice_of(rows[i].text), &ms, &err));
        assert_int_equal(ms, rows[i].ms);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "takes a time like"},
        {"soon", "takes a time like"},
        {"2026-11-22", "takes a time like"},
        {"2026-11-22T10:00Z", "takes a time like"},
        {"2026-11-22T10:00:00.Z", "takes a time like"},
        {"+2026-11-22T10:00:00Z", "takes a time like"},
        {"2026-11-22T10:00:00", "needs an offset"},
        {"2026-11-22T10:00:00.5", "needs an offset"},
        {"2026-11-22T10:00:00 Z", "wrong offset"},
        {"2026-11-22T10:00:00ZZ", "wrong offset"},
        {"2026-11-22T10:00:00+0800", "wrong offset"},
        {"2026-11-22T10:00:00+24:00", "wrong offset"},
        {"2026-11-22T10:00:00+08:60", "wrong offset"},
        {"2026-00-22T10:00:00Z", "does not exist"},
        {"2026-13-22T10:00:00Z", "does not exist"},
        {"2026-11-00T10:00:00Z", "does not exist"},
        {"2026-02-29T10:00:00Z", "does not exist"},
        {"2100-02-29T10:00:00Z", "does not exist"},
        {"2026-11-22T24:00:00Z", "does not exist"},
        {"2026-11-22T10:60:00Z", "does not exist"},
        {"2026-11-22T10:00:61Z", "does not exist"},
        {"2016-12-31T22:59:60Z", "does not exist"},
        {"2016-12-30T23:59:60Z", "does not exist"},
        {"1999-12-31T23:59:59.999Z", "before the year 2000 or after 2199"},
        {"0000-01-01T00:00:00Z", "before the year 2000 or after 2199"},
        {"2200-01-01T00:00:00Z", "before the year 2000 or after 2199"},
        {"1795370263", "looks like seconds"},
        {"7258118400000", "after the year 2199"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        int64_t ms = 7;
        assert_false(timestamp_read(slice_of(rows[i].text), &ms, &err));
        assert_non_null(strstr(err.text, rows[i].why));
        assert_int_equal(err.code, ERROR_INVALID);
        assert_int_equal(ms, 7);
    }
}

static void test_round(void **state)
{
    (void)state;
    for (int64_t ms = 946684800000; ms < 7258118400000; ms += 86399999LL * 3) {
        char text[TIMESTAMP_SIZE];
        struct error err;
        int64_t again = 0;
        assert_true(timestamp_format(ms, text) && timestamp_read(slice_of(text), &again, &err));
        assert_int_equal(again, ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_round),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
