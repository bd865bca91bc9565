/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* server/webhook/retry: how long a failed event waits, and when it is given up. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "server/webhook/retry.h"

#define DAY_MS (24LL * 3600 * 1000)

static void test_doubles_up_to_an_hour(void **state)
{
    static const int64_t expected_s[] = {5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600};
    (void)state;
    for (size_t i = 0; i < sizeof expected_s / sizeof *expected_s; i++)
        assert_int_equal(retry_delay_ms((int64_t)i + 1, 0), expected_s[i] * 1000);
    assert_int_equal(retry_delay_ms(INT64_MAX, 0), RETRY_LONGEST_MS);
    assert_int_equal(retry_delay_ms(0, 0), RETRY_FIRST_MS);
}

static void test_the_random_part_is_at_most_a_quarter(void **state)
{
    int64_t least = INT64_MAX, most = 0;
    (void)state;
    for (uint32_t random = 0; random < 20000; random += 7) {
        int64_t delay_ms = retry_delay_ms(1, random);
        least = delay_ms < least ? delay_ms : least;
        most = delay_ms > most ? delay_ms : most;
    }
    assert_int_equal(least, 5000);
    assert_in_range(most, 6200, 6250);
    assert_true(retry_delay_ms(100, UINT32_MAX) <= RETRY_LATEST_MS);
}

static void test_is_over_after_three_days(void **state)
{
    (void)state;
    assert_false(retry_is_over(1000, 1000 + 3 * DAY_MS - 1));
    assert_true(retry_is_over(1000, 1000 + 3 * DAY_MS));
    assert_false(retry_is_over(1000 + 400 * DAY_MS, 1000)); /* the clock was set back */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doubles_up_to_an_hour),
        cmocka_unit_test(test_the_random_part_is_at_most_a_quarter),
        cmocka_unit_test(test_is_over_after_three_days),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
