/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A table of options: what is read from a command line, what is refused and in which words, and the help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/options.h"

struct target {
    const char *file, *form;
    bool wait, help;
    uint64_t count;
    int pairs;
};

static bool read_pair(char *text, void *member, struct error *err)
{
    if (!strchr(text, '='))
        return error_set(err, ERROR_BAD_REQUEST, "takes A=B, not '%s'", text);
    ++*(int *)member;
    return true;
}

static const struct options_row rows[] = {
    {"file", 'f', "FILE", "the file", OPTIONS_TEXT, offsetof(struct target, file), 0, 0, NULL, false},
    {"output", 'o', "table|json|csv", "the form", OPTIONS_WORD, offsetof(struct target, form), 0, 0, NULL,
     false},
    {"wait", 'w', NULL, "wait until the package is ready, and look again every two seconds", OPTIONS_FLAG,
     offsetof(struct target, wait), 0, 0, NULL, false},
    {"count", 0, "N", "how many", OPTIONS_NUMBER, offsetof(struct target, count), 1, 99, NULL, false},
    {"pair", 0, "A=B", "a pair", OPTIONS_OTHER, offsetof(struct target, pairs), 0, 0, read_pair, true},
    {"a-name-that-is-very-long", 0, "N", "help on a line of its own", OPTIONS_NUMBER,
     offsetof(struct target, count), 0, 9, NULL, false},
    {"file-name", 0, "NAME", "the name", OPTIONS_TEXT, offsetof(struct target, file), 0, 0, NULL, false},
};
#define ROWS (sizeof rows / sizeof *rows)
static struct options_table table = {rows, ROWS, NULL, false};
static struct target target;
static struct options_result result;
static char *argv[16];
static char line[256];

static int split(const char *words)
{
    int argc = 1;
    strcpy(line, words);
    argv[0] = (char *)"program";
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return argc;
}

static bool parse(const char *words, struct error *err)
{
    int argc = split(words);
    target = (struct target){.count = 7};
    return options_parse(&table, argc, argv, &target, &result, err);
}

static void assert_reads(const char *words)
{
    struct error err = {0};
    if (!parse(words, &err))
        fail_msg("%s: %s", words, err.text);
}

static void assert_refuses(const char *words, const char *sentence)
{
    struct error err = {0};
    assert_false(parse(words, &err));
    assert_string_equal(err.text, sentence);
    assert_int_equal(err.code, ERROR_BAD_REQUEST);
}

/* Bit i of `rows_given`: rows[i] was given. */
static void assert_given(unsigned rows_given)
{
    for (size_t i = 0; i < ROWS; i++)
        assert_int_equal(result.given[i], rows_given >> i & 1);
}

static void test_values_reach_their_members(void **state)
{
    (void)state;
    assert_reads("one --file=a -ojson --wait two --count 99 --pair a=b --pair c=d three");
    assert_string_equal(target.file, "a");
    assert_string_equal(target.form, "json");
    assert_true(target.wait);
    assert_int_equal(target.count, 99);
    assert_int_equal(target.pairs, 2);
    assert_given(0x1f);
    assert_string_equal(result.words[0], "one");
    assert_string_equal(result.words[1], "two");
    assert_string_equal(result.words[2], "three");
    assert_null(result.words[3]);
}

static void test_what_is_not_given_stays(void **state)
{
    (void)state;
    assert_reads("");
    assert_int_equal(target.count, 7);
    assert_null(target.file);
    assert_given(0);
    assert_null(result.words[0]);
}

static void test_an_empty_argv(void **state)
{
    struct error err;
    (void)state;
    assert_true(options_parse(&table, 0, (char *[]){NULL}, &target, &result, &err));
    assert_null(result.words[0]);
}

static void test_short_names(void **state)
{
    (void)state;
    assert_reads("-wf name --cou 3");
    assert_true(target.wait);
    assert_string_equal(target.file, "name");
    assert_int_equal(target.count, 3);
    assert_reads("--file a"); /* whole, though others begin with it */
    assert_string_equal(target.file, "a");
}

static void test_two_dashes_end_the_options(void **state)
{
    (void)state;
    assert_reads("-w -- --file a");
    assert_null(target.file);
    assert_string_equal(result.words[0], "--file");
}

static void test_the_first_word_ends_the_options(void **state)
{
    (void)state;
    table.stop_at_word = true;
    assert_reads("-w word --file a");
    table.stop_at_word = false;
    assert_null(target.file);
    assert_string_equal(result.words[0], "word");
    assert_string_equal(result.words[1], "--file");
}

static void test_rows_can_be_left_out(void **state)
{
    (void)state;
    static const bool takes[ROWS] = {false, true, true, true, true, true, true};
    table.takes = takes;
    assert_refuses("-f a", "there is no option -f");
    table.takes = NULL;
}

static void test_refusals_name_the_option_and_what_it_takes(void **state)
{
    (void)state;
    assert_refuses("--nothing", "there is no option --nothing");
    assert_refuses("--nothing=3", "there is no option --nothing");
    assert_refuses("-x", "there is no option -x");
    assert_refuses("-wx", "there is no option -x");
    assert_refuses("--fi a", "--fi is the beginning of several options: write the whole name");
    assert_refuses("--file", "--file needs an argument: FILE");
    assert_refuses("-o", "--output needs an argument: table|json|csv");
    assert_refuses("--wait=3", "--wait takes no argument");
    assert_refuses("-o xml", "--output takes table, json or csv, not 'xml'");
    assert_refuses("-o tab", "--output takes table, json or csv, not 'tab'");
    assert_refuses("--count 100", "--count takes a whole number from 1 to 99, not '100'");
    assert_refuses("--count 0", "--count takes a whole number from 1 to 99, not '0'");
    assert_refuses("--count -1", "--count takes a whole number from 1 to 99, not '-1'");
    assert_refuses("--pair a", "--pair takes A=B, not 'a'");
    assert_refuses("-w --wait", "--wait is given twice");
}

static void test_help(void **state)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    (void)state;
    assert_non_null(out);
    static const bool takes[ROWS] = {[0] = true, [2] = true, [5] = true};
    table.takes = takes;
    options_print_help(out, &table);
    table.takes = NULL;
    fclose(out);
    assert_string_equal(text,
                        "  -f, --file FILE              the file\n"
                        "  -w, --wait                   wait until the package is ready, and look again\n"
                        "                               every two seconds\n"
                        "      --a-name-that-is-very-long N\n"
                        "                               help on a line of its own\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_reach_their_members),
        cmocka_unit_test(test_what_is_not_given_stays),
        cmocka_unit_test(test_an_empty_argv),
        cmocka_unit_test(test_short_names),
        cmocka_unit_test(test_two_dashes_end_the_options),
        cmocka_unit_test(test_the_first_word_ends_the_options),
        cmocka_unit_test(test_rows_can_be_left_out),
        cmocka_unit_test(test_refusals_name_the_option_and_what_it_takes),
        cmocka_unit_test(test_help),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
