/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* server/template: words as they are written, and nothing else. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/cleanup.h"
#include "server/config/command_template.h"

static const struct command_template_value values[] = {{"old", "/a b/old", true},
                                                       {"out", "it's \"{old}\" $HOME", false}};

static void assert_words(const char *text, const char *const expected[])
{
    _cleanup_(cleanup_free) char **argv = NULL;
    struct error err;
    if (!command_template_expand(text, values, 2, &argv, &err))
        fail_msg("%s: %s", text, err.text);
    size_t n = 0;
    for (; expected[n]; n++)
        assert_string_equal(argv[n], expected[n]);
    assert_null(argv[n]);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_words(void **state)
{
    (void)state;
    assert_words("/bin/x {old}", WORDS("/bin/x", "/a b/old"));
    assert_words("  /bin/x\t \t{old}  ", WORDS("/bin/x", "/a b/old"));
    assert_words("/bin/x --old={old}/more", WORDS("/bin/x", "--old=/a b/old/more"));
    assert_words("/bin/x \"a  b\" 'c \" d' '' e\"f g\"h {old}",
                 WORDS("/bin/x", "a  b", "c \" d", "", "ef gh", "/a b/old"));
    assert_words("/bin/x 'in {old} quotes'", WORDS("/bin/x", "in /a b/old quotes"));
    assert_words("/x Z:\\a\\n $HOME `id` * ~ a;b|c>d {old}",
                 WORDS("/x", "Z:\\a\\n", "$HOME", "`id`", "*", "~", "a;b|c>d", "/a b/old"));
}

static void test_a_value_is_one_word_and_is_not_read_again(void **state)
{
    (void)state;
    assert_words("/x {old} {out}{out}", WORDS("/x", "/a b/old", "it's \"{old}\" $HOMEit's \"{old}\" $HOME"));
}

static void test_other_braces_mean_themselves(void **state)
{
    (void)state;
    assert_words("/x {old} {} { } {\"a\":1} {OLD} {old",
                 WORDS("/x", "/a b/old", "{}", "{", "}", "{a:1}", "{OLD}", "{old"));
}

static void test_errors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *needle;
    } cases[] = {
        {"", "{old} is missing"},
        {"/x", "{old} is missing"},
        {"x {old}", "absolute path"},
        {"{old} /x", "absolute path"},
        {"/x {old} {new}", "{new} is not known"},
        {"/x {old} 'a", "a quote ' is not closed"},
        {"/x \"{old} '", "a quote \" is not closed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char **argv = NULL;
        struct error err;
        assert_false(command_template_expand(cases[i].text, values, 2, &argv, &err));
        assert_null(argv);
        assert_int_equal(err.code, ERROR_INVALID);
        if (!strstr(err.text, cases[i].needle))
            fail_msg("%s: %s", cases[i].text, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_a_value_is_one_word_and_is_not_read_again),
        cmocka_unit_test(test_other_braces_mean_themselves),
        cmocka_unit_test(test_errors),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
