/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Why the loop guard has closed: a table of causes and their sentences; every combination has a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "upgrade/guard.h"

static const struct {
    struct guard_facts facts;
    enum guard_cause cause;
    const char *text;
} rows[] = {
    {{.begun = 5, .completed = 5, .not_applied = 5, .packages = 1, .from_versions = 1},
     GUARD_NOT_APPLIED,
     "the same package was fetched completely and the old version came back 5 times: check the base image and "
     "the package"},
    {{.begun = 5, .completed = 4, .not_applied = 4, .packages = 2, .from_versions = 2, .by_link = true},
     GUARD_NOT_APPLIED,
     "2 packages were fetched completely, and the old version came back 4 times: check the base image and the "
     "package"},
    {{.begun = 5, .from_versions = 1, .most_bytes_acked = 20000, .size_bytes = 43059},
     GUARD_NEVER_WHOLE,
     "none of 5 downloads was completed, at most 20000 of 43059 bytes arrived: check the network of the module"},
    {{.begun = 5, .completed = 0, .by_link = true, .size_bytes = 7},
     GUARD_NEVER_WHOLE,
     "none of 5 downloads was completed, at most 0 of 7 bytes arrived: check the network of the module"},
    {{.begun = 3, .completed = 3, .packages = 1, .by_link = true},
     GUARD_UNREPORTED,
     "3 downloads over a link were completed, and no version was reported: check the host"},
    {{.begun = 5, .completed = 4, .diverged = 2, .not_applied = 1, .from_versions = 2},
     GUARD_SHARED,
     "two modules seem to use this id (versions that downloads began from: 2)"},
    {{.begun = 5, .shared = true, .from_versions = 1},
     GUARD_SHARED,
     "two modules seem to use this id (versions that downloads began from: 1)"},
    {{.begun = 5, .completed = 2, .packages = 1, .from_versions = 1},
     GUARD_UNCLEAR,
     "2 of 5 downloads were completed, and no report explains the others"},
    {{.begun = 5, .completed = 1, .diverged = 1, .from_versions = 1},
     GUARD_UNCLEAR,
     "1 of 5 downloads were completed, and no report explains the others"},
};

static void test_each_cause_has_a_sentence(void **state)
{
    char text[GUARD_TEXT_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(guard_find_cause(&rows[i].facts), rows[i].cause);
        assert_string_equal(guard_explain(&rows[i].facts, text), rows[i].text);
    }
}

static void test_the_largest_numbers_fit(void **state)
{
    char text[GUARD_TEXT_SIZE];
    (void)state;
    for (unsigned i = 0; i < 64; i++) {
        struct guard_facts facts = {.begun = INT64_MAX,
                                    .completed = i & 1 ? INT64_MAX : 0,
                                    .not_applied = i & 2 ? INT64_MAX : 0,
                                    .diverged = i & 4 ? INT64_MAX : 0,
                                    .from_versions = INT64_MAX,
                                    .packages = i & 8 ? INT64_MAX : 0,
                                    .most_bytes_acked = INT64_MAX,
                                    .size_bytes = INT64_MAX,
                                    .by_link = i & 16,
                                    .shared = i & 32};
        assert_true(strlen(guard_explain(&facts, text)) > 20 && strlen(text) < sizeof text - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_cause_has_a_sentence),
        cmocka_unit_test(test_the_largest_numbers_fit),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
