/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* ctl/grid: where numbers stand in the table of pairs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ctl/grid.h"
#include "base/text.h"

#define MOST 40

static char labels[MOST][24];
static const char *label[MOST];
static struct grid_cell cell[MOST * MOST];

static void set_up(size_t count, bool wide)
{
    memset(cell, 0, sizeof cell);
    for (size_t i = 0; i < count; i++) {
        snprintf(labels[i], sizeof labels[i], wide ? "水.%d.1" : "%d", (int)(1138 + i));
        label[i] = labels[i];
    }
}

static void put(size_t count, size_t row, size_t column, const char *text, bool loud)
{
    struct grid_cell *at = &cell[row * count + column];
    snprintf(at->text, sizeof at->text, "%s", text);
    at->loud = loud;
}

static char *print(size_t count, size_t columns, bool colour)
{
    const struct grid grid = {"KB", label, count, cell};
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    grid_print(out, &grid, columns, colour);
    fclose(out);
    return text;
}

static void assert_prints(size_t count, size_t columns, bool colour, const char *expected)
{
    char *text = print(count, columns, colour);
    assert_string_equal(text, expected);
    free(text);
}

static void test_numbers_stand_under_each_other(void **state)
{
    (void)state;
    set_up(4, false);
    put(4, 0, 1, "12", false);
    put(4, 0, 2, "130", false);
    put(4, 0, 3, "12345!", true);
    put(4, 1, 2, "…", false);
    put(4, 1, 3, "x", false);
    assert_prints(4, 80, false,
                  "KB    1139  1140    1141\n"
                  "1138    12   130  12345!\n"
                  "1139           …       x\n"
                  "1140\n");
}

static void test_colours_take_no_room(void **state)
{
    (void)state;
    set_up(3, false);
    put(3, 0, 1, "7", false);
    put(3, 0, 2, "550", true);
    put(3, 1, 2, "9", false);
    assert_prints(3, 80, true,
                  "KB    1139  1140\n"
                  "1138     7   \033[31m550\033[0m\n"
                  "1139           9\n");
    assert_prints(3, 80, false,
                  "KB    1139  1140\n"
                  "1138     7   550\n"
                  "1139           9\n");
}

static void test_a_wide_table_comes_in_blocks(void **state)
{
    (void)state;
    set_up(5, false);
    put(5, 0, 4, "44", false);
    put(5, 3, 4, "4", false);
    /* 4 for the row's name and 6 for each column: two beside each other in 16, and no row that says nothing. */
    assert_prints(5, 16, false,
                  "KB    1139  1140\n"
                  "1138\n"
                  "1139\n"
                  "\n"
                  "KB    1141  1142\n"
                  "1138          44\n"
                  "1139\n"
                  "1140\n"
                  "1141           4\n");
    assert_prints(5, 15, false,
                  "KB    1139\n"
                  "1138\n"
                  "\n"
                  "KB    1140\n"
                  "1138\n"
                  "1139\n"
                  "\n"
                  "KB    1141\n"
                  "1138\n"
                  "1139\n"
                  "1140\n"
                  "\n"
                  "KB    1142\n"
                  "1138    44\n"
                  "1139\n"
                  "1140\n"
                  "1141     4\n");
}

static void test_no_line_is_too_wide_and_none_ends_with_blanks(void **state)
{
    (void)state;
    for (size_t count = 2; count <= MOST; count++) {
        set_up(count, count % 2 == 0);
        for (size_t i = 0; i < count * count; i += 3)
            put(count, i / count, i % count, i % 2 ? "550!" : "…", i % 2);
        char *text = print(count, 80, false);
        size_t names = 0;
        for (char *save, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
            assert_true(text_width(line) <= 80);
            assert_int_not_equal(line[strlen(line) - 1], ' ');
            if (strncmp(line, "KB", 2) == 0)
                for (const char *at = line; (at = strstr(at, "11")); at += 2)
                    names++;
        }
        assert_int_equal(names, count - 1); /* every column once */
        free(text);
    }
}

static void test_one_version_or_none_prints_nothing(void **state)
{
    (void)state;
    set_up(1, false);
    assert_prints(1, 80, false, "");
    assert_prints(0, 80, false, "");
}

static void test_a_name_cannot_steer_the_terminal(void **state)
{
    (void)state;
    set_up(2, false);
    label[1] = "1\033[2J";
    put(2, 0, 1, "5", false);
    assert_prints(2, 80, false,
                  "KB    1\\x1b[2J\n"
                  "1138         5\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_stand_under_each_other),
        cmocka_unit_test(test_colours_take_no_room),
        cmocka_unit_test(test_a_wide_table_comes_in_blocks),
        cmocka_unit_test(test_no_line_is_too_wide_and_none_ends_with_blanks),
        cmocka_unit_test(test_one_version_or_none_prints_nothing),
        cmocka_unit_test(test_a_name_cannot_steer_the_terminal),
    };
    text_begin();
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
