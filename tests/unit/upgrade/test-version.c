/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Versions: parsing, comparing, formatting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "upgrade/version.h"

static struct version version_of(const char *text)
{
    struct version version;
    if (!version_parse(slice_of(text), &version))
        fail_msg("'%s' is a version", text);
    return version;
}

static void test_reads_and_normalises(void **state)
{
    static const struct {
        const char *text, *normal;
    } cases[] = {
        {"1138", "1138"},
        {"V1138", "1138"},
        {"v1138", "1138"},
        {"2046.001.000", "2046.1.0"},
        {"1103.1.2", "1103.1.2"},
        {"000000000000000000000000000000000000001138", "1138"},
        {"0", "0"},
        {"0.0.0", "0.0.0"},
        {"1.2.3.4.5.6.7.8", "1.2.3.4.5.6.7.8"},
        {"999999999.999999999.999999999", "999999999.999999999.999999999"},
        {"999999999.999999999.99999999.9", "999999999.999999999.99999999.9"}, /* 30 characters */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct version version = version_of(cases[i].text);
        char normal[VERSION_TEXT_SIZE];
        version_format(&version, normal);
        assert_string_equal(normal, cases[i].normal);
    }
}

static void test_refuses_what_is_none(void **state)
{
    static const char *const cases[] = {
        "",
        "V",
        ".",
        "1.",
        ".1",
        "1..2",
        "VV1",
        "1138 ",
        " 1138",
        "-1",
        "+1",
        "1,2",
        "1_2",
        "1a",
        "0x10",
        "latest",
        "1000000000",
        "1.2.3.4.5.6.7.8.9",
        "１１３８",
        "1\n",
        "18446744073709551617",
        "999999999.999999999.999999999.9",
        "999999999.999999999.99999999.10", /* 31 characters */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct version version = {.part = {77}, .count = 1};
        if (version_parse(slice_of(cases[i]), &version))
            fail_msg("'%s' is no version", cases[i]);
        assert_int_equal(version.part[0], 77); /* untouched */
        assert_int_equal(version.count, 1);
    }
    struct version version;
    assert_false(version_parse((struct slice){NULL, 0}, &version));
    assert_false(version_parse((struct slice){"11\00038", 5}, &version));
    assert_true(
        version_parse((struct slice){"1138garbage", 4}, &version)); /* no byte beyond the slice is read */
    assert_int_equal(version.part[0], 1138);
}

static void test_compares_numbers_not_text(void **state)
{
    static const char *const ascending[] = {"0",       "9",         "10",       "99",     "1125",
                                            "1138",    "1138.0",    "1138.0.1", "1138.1", "1138.2",
                                            "1138.10", "1138.10.0", "2046.1.0", "100000", "999999999"};
    size_t count = sizeof ascending / sizeof *ascending;
    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            struct version a = version_of(ascending[i]), b = version_of(ascending[k]);
            int order = version_compare(&a, &b);
            if ((order < 0) != (i < k) || (order > 0) != (i > k))
                fail_msg("%s against %s gives %d", ascending[i], ascending[k], order);
        }
    }
    /* Unused parts are ignored. */
    struct version left = {.part = {1138, 9}, .count = 1}, right = {.part = {1138, 7}, .count = 1};
    assert_int_equal(version_compare(&left, &right), 0);
    right.count = 2;
    assert_true(version_compare(&left, &right) < 0);
    assert_true(version_compare(&right, &left) > 0);

    struct version padded = version_of("V2046.001.000"), plain = version_of("2046.1.0");
    assert_int_equal(version_compare(&padded, &plain), 0);
}

static void test_no_version_is_below_all_and_writes_nothing(void **state)
{
    struct version none = {.count = 0}, zero = version_of("0");
    char text[VERSION_TEXT_SIZE] = "x";
    (void)state;
    assert_true(version_compare(&none, &zero) < 0);
    version_format(&none, text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_and_normalises),
        cmocka_unit_test(test_refuses_what_is_none),
        cmocka_unit_test(test_compares_numbers_not_text),
        cmocka_unit_test(test_no_version_is_below_all_and_writes_nothing),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("version", tests, NULL, NULL);
}
