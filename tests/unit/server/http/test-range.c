/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The Range header: what is a single open or closed range, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "server/http/range.h"

static void test_absent(void **state)
{
    (void)state;
    struct range range;
    range_parse(false, slice_of("bytes=5-"), &range);
    assert_false(range.present);
    assert_false(range.bad);
}

static void test_good(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t first;
        bool has_last;
        uint64_t last;
    } row[] = {
        {"bytes=0-", 0, false, 0},   {"bytes=491520-", 491520, false, 0},
        {"bytes=0-0", 0, true, 0},   {"bytes=5-9", 5, true, 9},
        {"Bytes=7-", 7, false, 0},   {" bytes = 5 - 9 ", 5, true, 9},
        {"bytes= 5-", 5, false, 0},  {"bytes=5- ", 5, false, 0},
        {"bytes=007-", 7, false, 0}, {"bytes=18446744073709551615-", UINT64_MAX, false, 0},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct range range;
        range_parse(true, slice_of(row[i].text), &range);
        assert_true(range.present);
        if (range.bad)
            fail_msg("%s is refused", row[i].text);
        assert_true(range.first == row[i].first);
        assert_int_equal(range.has_last, row[i].has_last);
        assert_true(range.last == row[i].last);
    }
}

static void test_bad(void **state)
{
    (void)state;
    static const char *const text[] = {
        "",
        " ",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=-5",
        "bytes=5",
        "bytes 5-",
        "items=5-",
        "byte=5-",
        "bytess=5-",
        "bytes=5-3",
        "bytes=5-6,9-10",
        "bytes=5-,7-",
        "bytes=a-",
        "bytes=5-x",
        "bytes=+5-",
        "bytes=5--6",
        "bytes==5-",
        "bytes=0x5-",
        "bytes=5 5-",
        "bytes=18446744073709551616-",
        "bytes=0-18446744073709551616",
        "bytes=5-\n",
        "5-9",
    };
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        struct range range;
        range_parse(true, slice_of(text[i]), &range);
        assert_true(range.present);
        if (!range.bad)
            fail_msg("\"%s\" is taken", text[i]);
    }
    struct range range;
    range_parse(true, (struct slice){NULL, 0}, &range);
    assert_true(range.bad);
    range_parse(true, (struct slice){"bytes=5-\0", 9}, &range);
    assert_true(range.bad);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
