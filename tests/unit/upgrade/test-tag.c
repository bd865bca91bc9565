/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "upgrade/tag.h"

static void assert_tags(const char *text, const char *wanted)
{
    char tags[TAGS_SIZE];
    struct error err = {.text = ""};
    if (!tags_parse(slice_of(text), tags, &err))
        fail_msg("'%s': %s", text, err.text);
    assert_string_equal(tags, wanted);
}

static void test_are_sorted_and_counted_once(void **state)
{
    (void)state;
    assert_tags("", "");
    assert_tags(" ,; ", "");
    assert_tags("south north", "north south");
    assert_tags("b,a;c a,,b", "a b c");
    assert_tags("ab a abc", "a ab abc");
    assert_tags("村泵 9 pump:2", "9 pump:2 村泵");
}

static void test_refuses_what_is_not_a_tag(void **state)
{
    static const char *const bad[] = {
        "=1+1", "-a", "a/b", "a=b", "(a)", "\"a\"", "\x01", "a\xFF", "012345678901234567890123456789012"};
    char tags[TAGS_SIZE];
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(tags_parse(slice_of(bad[i]), tags, &err));
        assert_int_equal(err.code, ERROR_INVALID);
        assert_false(tag_is_valid(slice_of(bad[i])));
    }
    assert_false(tag_is_valid(slice_of("")));
    assert_true(tag_is_valid(slice_of("01234567890123456789012345678901")));
}

static void test_has_a_limit(void **state)
{
    char tags[TAGS_SIZE] = "", before[TAGS_SIZE];
    struct error err;
    (void)state;
    for (int i = 0; i < TAGS_MAX; i++) {
        char tag[TAG_SIZE];
        snprintf(tag, sizeof tag, "tag-with-thirty-two-bytes-now-%02d", i);
        assert_true(tags_add(tags, slice_of(tag), &err));
    }
    memcpy(before, tags, sizeof before);
    assert_int_equal(strlen(tags), TAGS_SIZE - 1);
    assert_false(tags_add(tags, slice_of("more"), &err));
    assert_true(tags_add(tags, slice_of("tag-with-thirty-two-bytes-now-03"), &err));
    assert_string_equal(tags, before);
}

static void test_removes_whole_tags_only(void **state)
{
    char tags[TAGS_SIZE] = "a ab b";
    (void)state;
    assert_true(tags_have(tags, slice_of("ab")));
    assert_false(tags_have(tags, slice_of("a b")));
    tags_remove(tags, slice_of("abc"));
    assert_string_equal(tags, "a ab b");
    tags_remove(tags, slice_of("ab"));
    assert_string_equal(tags, "a b");
    tags_remove(tags, slice_of("b"));
    assert_string_equal(tags, "a");
    tags_remove(tags, slice_of("a"));
    assert_string_equal(tags, "");
    assert_false(tags_have(tags, slice_of("a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_are_sorted_and_counted_once),
        cmocka_unit_test(test_refuses_what_is_not_a_tag),
        cmocka_unit_test(test_has_a_limit),
        cmocka_unit_test(test_removes_whole_tags_only),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
