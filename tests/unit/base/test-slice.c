/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Functions that read untrusted bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/slice.h"

#define SLICE(literal) ((struct slice){literal, sizeof(literal) - 1})

static void test_equal_and_affixes(void **state)
{
    (void)state;
    assert_true(slice_equal(SLICE("ab"), (struct slice){"abc", 2}));
    assert_false(slice_equal(SLICE("ab"), SLICE("abc")));
    assert_false(slice_equal(SLICE("ab"), SLICE("aB")));
    assert_false(slice_equal(SLICE("a"), SLICE("b")));
    assert_true(slice_equal((struct slice){NULL, 0}, SLICE("")));
    assert_false(slice_is(SLICE("ab\0c"), "ab"));
    assert_true(slice_starts(SLICE("abc"), "ab"));
    assert_true(slice_starts(SLICE("abc"), ""));
    assert_true(slice_starts(SLICE("ab"), "ab"));
    assert_false(slice_starts(SLICE("a"), "ab"));
    assert_false(slice_starts(SLICE("xbc"), "ab"));
    assert_true(slice_ends(SLICE("abc"), "bc"));
    assert_true(slice_ends(SLICE("bc"), "bc"));
    assert_false(slice_ends(SLICE("c"), "bc"));
    assert_int_equal(slice_of(NULL).len, 0);
}

static void test_split(void **state)
{
    struct slice rest = SLICE("a,,b,"), head;
    static const char *const parts[] = {"a", "", "b", ""};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_true(slice_split(&rest, ',', &head));
        assert_true(slice_is(head, parts[i]));
    }
    assert_false(slice_split(&rest, ',', &head));

    rest = SLICE("");
    assert_true(slice_split(&rest, ',', &head)); /* "" is one empty part, NULL is none */
    assert_int_equal(head.len, 0);
    assert_false(slice_split(&rest, ',', &head));
}

static void test_u64(void **state)
{
    static const char *const no_numbers[] = {
        "", "-1", "+1", " 1", "1 ", "1.0", "0x1", "a", "1e3", "18446744073709551616", "99999999999999999999"};
    uint64_t value = 5;
    (void)state;
    for (size_t i = 0; i < sizeof no_numbers / sizeof *no_numbers; i++)
        if (slice_u64(slice_of(no_numbers[i]), &value))
            fail_msg("'%s' is no number", no_numbers[i]);
    assert_int_equal(value, 5);
    assert_true(slice_u64(SLICE("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    assert_true(slice_u64(SLICE("00012"), &value));
    assert_int_equal(value, 12);
    assert_true(slice_u64((struct slice){"123", 2}, &value));
    assert_int_equal(value, 12);
}

static void test_percent_decode(void **state)
{
    static const char *const malformed[] = {"%",   "%4",  "a%",  "%zz", "%4g", "%4G",
                                            "%4`", "%4@", "%4:", "%4/", "%-1"};
    char out[16];
    size_t len;
    (void)state;
    assert_true(slice_percent_decode(SLICE("a%2Fb%00+c"), out, sizeof out, &len));
    assert_int_equal(len, 6);
    assert_memory_equal(out, "a/b\0+c", 7);
    assert_true(slice_percent_decode(SLICE("%2f%aa%fF%Af"), out, sizeof out, &len));
    assert_memory_equal(out, "/\xAA\xFF\xAF", 5);
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        if (slice_percent_decode(slice_of(malformed[i]), out, sizeof out, &len))
            fail_msg("'%s' is malformed", malformed[i]);
    assert_true(
        slice_percent_decode(SLICE("123456789012345"), out, sizeof out, &len)); /* exactly, with its NUL */
    assert_false(slice_percent_decode(SLICE("1234567890123456"), out, sizeof out, &len));
    assert_false(slice_percent_decode(SLICE(""), out, 0, &len));
    assert_true(slice_percent_decode((struct slice){NULL, 0}, out, 1, &len));
    assert_string_equal(out, "");
}

static void test_percent_encode_is_undone_by_decode(void **state)
{
    char all[256], encoded[800], decoded[300];
    size_t len;
    (void)state;
    for (unsigned i = 0; i < 256; i++)
        all[i] = (char)i;
    assert_true(slice_percent_encode((struct slice){all, 256}, encoded, sizeof encoded));
    for (const char *c = encoded; *c; c++)
        assert_non_null(strchr("%-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", *c));
    assert_true(slice_percent_decode(slice_of(encoded), decoded, sizeof decoded, &len));
    assert_int_equal(len, 256);
    assert_memory_equal(all, decoded, 256);

    assert_true(slice_percent_encode(SLICE("a.b_c~d-e"), encoded, sizeof encoded));
    assert_string_equal(encoded, "a.b_c~d-e");
    assert_true(slice_percent_encode(SLICE("a b"), encoded, 6));
    assert_string_equal(encoded, "a%20b");
    assert_false(slice_percent_encode(SLICE("a b"), encoded, 5));
    assert_false(slice_percent_encode(SLICE(""), encoded, 0));
}

static const struct {
    struct slice text;
    bool clean;
} utf8_texts[] = {
    {SLICE(""), true},
    {SLICE("plain"), true},
    {SLICE("with blank"), true},
    {SLICE("水泵"), true},
    {SLICE("\xE0\xA0\x80"), true},     /* U+0800 */
    {SLICE("\xED\x9F\xBF"), true},     /* U+D7FF */
    {SLICE("\xEE\x80\x80"), true},     /* U+E000 */
    {SLICE("\xF0\x90\x80\x80"), true}, /* U+10000 */
    {SLICE("\xED\xBF\xBF"), false},    /* the other half of a pair */
    {SLICE("plain\xE6\xB0"), false},
    {SLICE("\xF0\x9F\x9A\xB0"), true},
    {SLICE("\xF4\x8F\xBF\xBF"), true}, /* U+10FFFF */
    {SLICE("\xC2\xA0"), true},         /* U+00A0, the first after the control characters */
    {SLICE("a\0b"), false},            /* controls */
    {SLICE("\x1F"), false},
    {SLICE("\x7F"), false},
    {SLICE("\xC2\x85"), false},
    {SLICE("\xC2\x9F"), false},
    {SLICE("\x80"), false}, /* a continuation byte without a beginning */
    {SLICE("\xC3"), false}, /* cut off */
    {SLICE("\xE6\xB0"), false},
    {SLICE("\xF0\x9F\x9A"), false},
    {SLICE("\xC3("), false},
    {SLICE("\xC0\xAF"), false}, /* overlong */
    {SLICE("\xE0\x80\xAF"), false},
    {SLICE("\xF0\x80\x80\xAF"), false},
    {SLICE("\xED\xA0\x80"), false},     /* half a pair */
    {SLICE("\xF4\x90\x80\x80"), false}, /* above U+10FFFF */
    {SLICE("\xF8\x88\x80\x80\x80"), false},
    {SLICE("\xFF"), false},
};

static void test_clean_utf8(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof utf8_texts / sizeof *utf8_texts; i++)
        if (slice_is_clean_utf8(utf8_texts[i].text) != utf8_texts[i].clean)
            fail_msg("case %zu", i);
    assert_true(slice_is_clean_utf8((struct slice){"ok\xFF", 2})); /* no byte beyond the slice is read */
    assert_false(slice_is_clean_utf8((struct slice){"\xE6\xB0\xB4", 2}));
    assert_false(slice_is_clean_utf8((struct slice){"a\xE6\xB0\xB4", 3}));
}

static void test_copy(void **state)
{
    char out[4] = "zzz";
    (void)state;
    assert_false(slice_copy(SLICE("abcd"), out, sizeof out));
    assert_string_equal(out, "zzz");
    assert_true(slice_copy(SLICE("abc"), out, sizeof out));
    assert_string_equal(out, "abc");
    assert_true(slice_copy((struct slice){NULL, 0}, out, 1));
    assert_string_equal(out, "");
    assert_false(slice_copy(SLICE(""), out, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_and_affixes),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_u64),
        cmocka_unit_test(test_percent_decode),
        cmocka_unit_test(test_percent_encode_is_undone_by_decode),
        cmocka_unit_test(test_clean_utf8),
        cmocka_unit_test(test_copy),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("slice", tests, NULL, NULL);
}
