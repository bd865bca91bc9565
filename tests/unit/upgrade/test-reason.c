/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Reasons: the table in two languages, the form in which they are kept, and what is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "upgrade/reason.h"

static void expect_text_at(int line, const char *kept, enum reason_language language, const char *wanted)
{
    char text[REASON_TEXT_SIZE];
    if (strcmp(reason_text(kept, language, text), wanted) != 0)
        fail_msg("line %d: '%s' instead of '%s'", line, text, wanted);
}
#define expect_text(kept, language, wanted) expect_text_at(__LINE__, kept, language, wanted)

/* ---- The table ---- */

static unsigned params_of(const char *text)
{
    unsigned set = 0;
    for (const char *at = text; (at = strchr(at, '{')); at++) {
        assert_in_range(at[1], '0', '0' + REASON_PARAMS_MAX - 1);
        assert_int_equal(at[2], '}');
        set |= 1u << (at[1] - '0');
    }
    return set;
}

static void test_both_languages_have_the_same_parameters(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REASON_CODE_COUNT; i++) {
        enum reason_code code = (enum reason_code)i, found = REASON_CODE_COUNT;
        const char *name = reason_code_name(code), *english = reason_template(code, REASON_ENGLISH),
                   *chinese = reason_template(code, REASON_CHINESE);
        assert_true(reason_code_parse(slice_of(name), &found) &&
                    found == code); /* no code is twice in the table */
        assert_true(strlen(name) <= 30 && strspn(name, "abcdefghijklmnopqrstuvwxyz-") == strlen(name));
        assert_true(slice_is_clean_utf8(slice_of(english)) && slice_is_clean_utf8(slice_of(chinese)));
        if (params_of(english) != params_of(chinese))
            fail_msg("%s: the two texts have different parameters", name);
        assert_int_equal(params_of(english), (1u << reason_param_count(code)) - 1);
    }
}

static void test_each_reason_in_both_languages(void **state)
{
    static const struct reason_value values[] = {R_TEXT("<0>"), R_TEXT("<1>"), R_TEXT("<2>"),
                                                 R_TEXT("<3>"), R_TEXT("<4>"), R_END};
    (void)state;
    for (unsigned i = 0; i < REASON_CODE_COUNT; i++) {
        char kept[REASON_SIZE], text[REASON_TEXT_SIZE], value[16];
        reason_write(kept, sizeof kept, (enum reason_code)i, values);
        assert_true(reason_is(kept, (enum reason_code)i));
        for (int language = REASON_ENGLISH; language <= REASON_CHINESE; language++) {
            reason_text(kept, (enum reason_language)language, text);
            assert_null(strchr(text, '{'));
            for (unsigned n = 0; n < reason_param_count((enum reason_code)i); n++) {
                snprintf(value, sizeof value, "<%u>", n);
                assert_non_null(strstr(text, value));
            }
        }
    }
}

/* ---- One reason ---- */

static void test_a_reason_is_kept_as_json_on_one_line(void **state)
{
    char gate[REASON_SIZE], kept[REASON_SIZE];
    (void)state;
    reason_write(gate, sizeof gate, REASON(REASON_GATE_SILENT, R_NUMBER(1), R_NUMBER(3), R_NUMBER(2)));
    reason_write(kept, sizeof kept, REASON(REASON_CAMPAIGN_PAUSED, R_TEXT("spring"), R_TEXT(gate)));
    assert_string_equal(kept, "[\"campaign-paused\",\"spring\",[\"gate-silent\",\"1\",\"3\",\"2\"]]");
    expect_text(
        kept, REASON_ENGLISH,
        "the campaign spring is paused: stage 1: devices that are silent after delivery: 3, allowed are 2");
    expect_text(kept, REASON_CHINESE, "升级任务 spring 已暂停：第 1 阶段：3 台设备送达后无响应，允许 2 台");
    reason_write(kept, sizeof kept, REASON(REASON_DEVICE_RETIRED));
    assert_string_equal(kept, "[\"device-retired\"]");
    expect_text(kept, REASON_CHINESE, "该设备已退役");
}

static void test_what_is_no_reason_is_plain_text(void **state)
{
    static const char *const plain[] = {"",
                                        "1162 is the target",
                                        "rain",
                                        "[",
                                        "[]",
                                        "[\"rain\"]",
                                        "[\"device-retired\"",
                                        "[\"device-retired\"] ",
                                        "[\"device-retired\",\"1\"]",
                                        "[\"up-to-date\"]",
                                        "[\"up-to-date\",1]",
                                        "[\"up-to-date\",\"1]",
                                        "[\"up-to-date\",\"1\\\"]",
                                        "[\"up-to-date\",[]]",
                                        "[\"up-to-date\",[\"rain\"]]",
                                        "[\"up-to-date\",[[[[",
                                        "[\"up-to-date\",[\"up-to-date\",\"1\"]",
                                        "[\"up-to-date\",\"1\",]"};
    struct reason reason;
    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        assert_false(reason_parse(slice_of(plain[i]), &reason));
        expect_text(plain[i], REASON_ENGLISH, plain[i]);
        expect_text(plain[i], REASON_CHINESE, plain[i]);
    }
    assert_false(reason_is("this device is retired", REASON_DEVICE_RETIRED));
}

static void test_any_text_can_be_a_parameter(void **state)
{
    static const struct {
        const char *given, *shown;
    } texts[] = {
        {"", ""},
        {"\"quoted\" \\ [1,2] {0}", "\"quoted\" \\ [1,2] {0}"},
        {"升级包 →", "升级包 →"},
        {"two\nlines\t\x01", "two lines  "},
        {"cut \xE6\xB0", "cut   "},
        {"odd \xFF\x80 bytes \xC3", "odd    bytes  "},
    };
    char kept[REASON_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char wanted[200];
        reason_write(kept, sizeof kept, REASON(REASON_PACKAGE_FAILED, R_TEXT(texts[i].given), R_TEXT("x")));
        assert_true(slice_is_clean_utf8(slice_of(kept)) && reason_is(kept, REASON_PACKAGE_FAILED));
        snprintf(wanted, sizeof wanted, "the package %s could not be made: x", texts[i].shown);
        expect_text(kept, REASON_ENGLISH, wanted);
    }
    reason_write(kept, sizeof kept, REASON(REASON_RANGE_MALFORMED));
    reason_write(kept, sizeof kept, REASON(REASON_HOP_OVERSIZE, R_NUMBER(UINT64_MAX)));
    expect_text(kept, REASON_ENGLISH, "18446744073709551615 bytes, the limit is ");
}

/* ---- Long reasons ---- */

static void test_the_longest_parameter_is_cut_at_a_character(void **state)
{
    char kept[REASON_SIZE], text[REASON_TEXT_SIZE], error[1000];
    (void)state;
    for (size_t size = 128; size <= sizeof kept; size += size < sizeof kept - 8 ? 7 : 1)
        for (size_t ascii = 0; ascii < 3; ascii++) {
            memset(error, '\\', ascii);
            for (size_t i = ascii; i + 4 < sizeof error; i += 3)
                memcpy(error + i, "水", 4);
            reason_write(kept, size, REASON(REASON_PACKAGE_FAILED, R_TEXT("1→2"), R_TEXT(error)));
            assert_true(strlen(kept) < size && strlen(kept) + 4 >= size);
            assert_true(reason_is(kept, REASON_PACKAGE_FAILED));
            reason_text(kept, REASON_ENGLISH, text);
            assert_true(strstr(text, "the package 1→2 could not be made: ") == text);
            assert_true(slice_is_clean_utf8(slice_of(text)));
        }
}

static void test_a_nested_reason_that_is_cut_is_in_english(void **state)
{
    char inner[REASON_SIZE], kept[REASON_SIZE], text[REASON_TEXT_SIZE], error[REASON_SIZE];
    (void)state;
    memset(error, 'x', sizeof error);
    error[sizeof error - 1] = '\0';
    reason_write(inner, sizeof inner, REASON(REASON_HOP_FAILED, R_TEXT(error)));
    reason_write(kept, sizeof kept,
                 REASON(REASON_NO_PATH, R_TEXT("1"), R_TEXT("2"), R_TEXT("1→2"), R_TEXT(inner)));
    assert_true(reason_is(kept, REASON_NO_PATH));
    reason_text(kept, REASON_CHINESE, text);
    assert_non_null(strstr(text, "没有从 1 到 2 的升级路径，因为 1→2：could not be made: xxx"));
}

static void test_reasons_in_reasons(void **state)
{
    char kept[2][REASON_SIZE], text[REASON_TEXT_SIZE];
    struct reason reason;
    (void)state;
    reason_write(kept[0], sizeof kept[0], REASON(REASON_UP_TO_DATE, R_TEXT("]\"[")));
    for (unsigned i = 0; i < 100; i++) {
        reason_write(kept[!(i % 2)], sizeof kept[0], REASON(REASON_UP_TO_DATE, R_TEXT(kept[i % 2])));
        assert_true(reason_parse(slice_of(kept[!(i % 2)]), &reason) && reason.count == 1);
        reason_text(kept[!(i % 2)], REASON_CHINESE, text);
        assert_true(slice_is_clean_utf8(slice_of(text)));
        if (i == 0)
            expect_text(kept[1], REASON_ENGLISH, "]\"[ is the target is the target");
    }
}

static void test_a_text_that_is_too_long_ends_at_a_character(void **state)
{
    char text[REASON_TEXT_SIZE], plain[2000];
    (void)state;
    for (size_t ascii = 0; ascii < 3; ascii++) {
        memset(plain, 'x', ascii);
        for (size_t i = ascii; i + 4 < sizeof plain; i += 3)
            memcpy(plain + i, "水", 4);
        reason_text(plain, REASON_CHINESE, text);
        assert_true(strlen(text) < sizeof text && strlen(text) + 3 >= sizeof text);
        assert_true(slice_is_clean_utf8(slice_of(text)) && strncmp(plain, text, strlen(text)) == 0);
    }
}

/* Parsing and wording end, and stay in their buffers, whatever was stored. */
static void test_whatever_is_stored(void **state)
{
    static const char alphabet[] = "[[[]]],,\"\"\\\\x";
    char text[REASON_TEXT_SIZE], kept[REASON_SIZE], any[700];
    unsigned parsed = 0;
    struct reason reason;
    (void)state;
    srand(1);
    for (unsigned round = 0; round < 30000; round++) {
        reason_write(kept, sizeof kept, REASON(REASON_HOP_FAILED, R_TEXT("\"[\\]")));
        reason_write(any, REASON_SIZE,
                     REASON(REASON_NO_PATH, R_TEXT("1"), R_TEXT("2"), R_TEXT("3"), R_TEXT(kept)));
        size_t length = strlen(any);
        for (int i = rand() % 3; i > 0; i--)
            any[(size_t)rand() % length] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];
        parsed += reason_parse(slice_of(any), &reason);
        reason_text(any, REASON_CHINESE, text);
        assert_true(strlen(text) < sizeof text);
        reason_write(kept, sizeof kept, REASON(REASON_HOP_FAILED, R_TEXT(any)));
        assert_true(reason_is(kept, REASON_HOP_FAILED));
    }
    assert_true(parsed > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_languages_have_the_same_parameters),
        cmocka_unit_test(test_each_reason_in_both_languages),
        cmocka_unit_test(test_a_reason_is_kept_as_json_on_one_line),
        cmocka_unit_test(test_what_is_no_reason_is_plain_text),
        cmocka_unit_test(test_any_text_can_be_a_parameter),
        cmocka_unit_test(test_the_longest_parameter_is_cut_at_a_character),
        cmocka_unit_test(test_a_nested_reason_that_is_cut_is_in_english),
        cmocka_unit_test(test_reasons_in_reasons),
        cmocka_unit_test(test_a_text_that_is_too_long_ends_at_a_character),
        cmocka_unit_test(test_whatever_is_stored),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
