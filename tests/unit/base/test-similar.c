/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* base/similar: the name that a mistyped word is like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/similar.h"

/* The best of the names for this word, or "". */
static const char *best(const char *word)
{
    static const char *const names[] = {"status", "list", "firmware", "device", "restore", "timeout", "x"};
    static char found[SIMILAR_MAX + 1];
    struct similar similar = {.word = word};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        similar_offer(&similar, names[i], strlen(names[i]));
    snprintf(found, sizeof found, "%.*s", (int)similar.best_len, similar.best ? similar.best : "");
    return found;
}

static void one_slip_is_found(void **state)
{
    (void)state;
    assert_string_equal(best("stauts"), "status"); /* swapped */
    assert_string_equal(best("lst"), "list");      /* missing */
    assert_string_equal(best("devicee"), "device");
    assert_string_equal(best("timeuot"), "timeout");
    assert_string_equal(best("firwmaer"), "firmware"); /* two slips in a long word */
}

static void a_beginning_is_found(void **state)
{
    (void)state;
    assert_string_equal(best("firm"), "firmware");
    assert_string_equal(best("fi"), "");
}

static void other_words_are_not(void **state)
{
    char word[3 * SIMILAR_MAX];
    (void)state;
    assert_string_equal(best("destroy"), "");
    assert_string_equal(best("y"), ""); /* one of one letter is not a slip */
    assert_string_equal(best(""), "");
    memset(word, 'a', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    assert_string_equal(best(word), "");
}

static void a_name_without_an_end_is_compared(void **state)
{
    struct similar similar = {.word = "imgae"};
    (void)state;
    similar_offer(&similar, "image upload", 5);
    assert_int_equal(similar.best_len, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_slip_is_found),
        cmocka_unit_test(a_beginning_is_found),
        cmocka_unit_test(other_words_are_not),
        cmocka_unit_test(a_name_without_an_end_is_compared),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
