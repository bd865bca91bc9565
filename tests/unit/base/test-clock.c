/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Stored times compared with now, and times in user input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

#define NOW 1795370263000LL

static void test_stored_times(void **state)
{
    static const struct {
        int64_t stored_ms, clamped_ms;
        bool ahead, within_an_hour;
    } rows[] = {
        {0, 0, false, false},
        {NOW - HOUR_MS, NOW - HOUR_MS, false, false},
        {NOW - HOUR_MS + 1, NOW - HOUR_MS + 1, false, true},
        {NOW, NOW, false, true},
        {NOW + 1, NOW, false, true},
        {NOW + CLOCK_AHEAD_MS, NOW, false, true}, /* a small correction of the clock changes nothing */
        {NOW + CLOCK_AHEAD_MS + 1, NOW, true, false},
        {NOW + 30 * 24 * HOUR_MS, NOW, true, false},
        {INT64_MAX, NOW, true, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(clock_clamp(rows[i].stored_ms, NOW), rows[i].clamped_ms);
        assert_int_equal(clock_is_ahead(rows[i].stored_ms, NOW), rows[i].ahead);
        assert_int_equal(clock_is_within(rows[i].stored_ms, HOUR_MS, NOW), rows[i].within_an_hour);
    }
}

static void test_typed_times(void **state)
{
    static const struct {
        uint64_t ms;
        const char *fault; /* NULL: none */
    } rows[] = {
        {NOW, NULL},
        {946684800000, NULL},
        {7258118399999, NULL},
        {NOW / 1000, "seconds"},
        {946684800, "seconds"},
        {0, "before the year 2000"},
        {1, "before the year 2000"},
        {86400000, "before the year 2000"},
        {946684799999, "before the year 2000"},
        {7258118400000, "after the year 2199"},
        {NOW * 1000ULL, "after the year 2199"},
        {UINT64_MAX, "after the year 2199"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *fault = clock_fault(rows[i].ms);
        if (!rows[i].fault)
            assert_null(fault);
        else
            assert_non_null(strstr(fault, rows[i].fault));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stored_times),
        cmocka_unit_test(test_typed_times),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
