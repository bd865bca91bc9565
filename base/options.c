/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/options.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include "base/similar.h"
#include "base/slice.h"
#include "base/text.h"

#define LONG_BASE 256 /* getopt_long() returns LONG_BASE + i for rows[i] */
#define LEFT_MAX  24  /* columns for "--name ARGUMENT"; the help of a longer one begins on the next line */
#define SHOWN_MAX 100 /* bytes of a wrong value in an error */

static bool takes_part(const struct options_table *table, size_t i)
{
    return !table->takes || table->takes[i];
}

static void list_longs(const struct options_table *table, struct option out[OPTIONS_MAX + 1])
{
    for (size_t i = 0; i < table->count; i++)
        if (takes_part(table, i))
            *out++ = (struct option){table->rows[i].name,
                                     table->rows[i].argument ? required_argument : no_argument, NULL,
                                     LONG_BASE + (int)i};
    *out = (struct option){0};
}

static void list_letters(const struct options_table *table, char out[2 * OPTIONS_MAX + 3])
{
    if (table->stop_at_word)
        *out++ = '+';
    *out++ = ':';
    for (size_t i = 0; i < table->count; i++) {
        if (!takes_part(table, i) || !table->rows[i].letter)
            continue;
        *out++ = table->rows[i].letter;
        if (table->rows[i].argument)
            *out++ = ':';
    }
    *out = '\0';
}

/* The row for what getopt returned or left in optopt; table->count when there is no such row. */
static size_t find_row(const struct options_table *table, int got)
{
    size_t i = 0;
    if (got >= LONG_BASE)
        return (size_t)got - LONG_BASE;
    while (i < table->count && !(takes_part(table, i) && table->rows[i].letter == got))
        i++;
    return i;
}

static bool is_ambiguous(const struct options_table *table, const char *name)
{
    size_t found = 0, len = strcspn(name, "=");
    for (size_t i = 0; i < table->count; i++)
        found += takes_part(table, i) && strncmp(table->rows[i].name, name, len) == 0;
    return found > 1;
}

/* There is no such option; offers one that is like it. */
static bool refuse_name(const struct options_table *table, const char *word, struct error *err)
{
    char name[SIMILAR_MAX + 1];
    int len = (int)strcspn(word, "=");
    snprintf(name, sizeof name, "%.*s", len, word);
    struct similar similar = {.word = name + strspn(name, "-")};
    for (size_t i = 0; i < table->count; i++)
        if (takes_part(table, i))
            similar_offer(&similar, table->rows[i].name, strlen(table->rows[i].name));
    if (similar.best)
        return error_set(err, ERROR_BAD_REQUEST, "there is no option %.*s; did you mean --%.*s?", len, word,
                         (int)similar.best_len, similar.best);
    return error_set(err, ERROR_BAD_REQUEST, "there is no option %.*s", len, word);
}

/* Says why getopt refused `word`. */
static bool refuse(const struct options_table *table, int got, const char *word, struct error *err)
{
    size_t i = optopt ? find_row(table, optopt) : table->count;
    if (got == ':' && i < table->count)
        return error_set(err, ERROR_BAD_REQUEST, "--%s needs an argument: %s", table->rows[i].name,
                         table->rows[i].argument);
    if (optopt >= LONG_BASE)
        return error_set(err, ERROR_BAD_REQUEST, "--%s takes no argument", table->rows[i].name);
    if (optopt)
        return error_set(err, ERROR_BAD_REQUEST, "there is no option -%c", optopt);
    if (is_ambiguous(table, word + strspn(word, "-")))
        return error_set(err, ERROR_BAD_REQUEST,
                         "%s is the beginning of several options: write the whole name", word);
    return refuse_name(table, word, err);
}

/* "table|json" as "table or json" */
static void list_words(const char *argument, char *out, size_t size)
{
    struct slice rest = slice_of(argument), word;
    out[0] = '\0';
    for (size_t used = 0; used < size && slice_split(&rest, '|', &word);)
        used += (size_t)snprintf(out + used, size - used, "%s%.*s",
                                 !used      ? ""
                                 : rest.ptr ? ", "
                                            : " or ",
                                 (int)word.len, word.ptr);
}

static bool take_word(const struct options_row *row, const char *text, const char **member, struct error *err)
{
    struct slice rest = slice_of(row->argument), word;
    char list[128];
    while (slice_split(&rest, '|', &word))
        if (slice_is(word, text)) {
            *member = text;
            return true;
        }
    list_words(row->argument, list, sizeof list);
    return error_set(err, ERROR_BAD_REQUEST, "--%s takes %s, not '%.*s'", row->name, list, SHOWN_MAX, text);
}

static bool take_number(const struct options_row *row, const char *text, uint64_t *member, struct error *err)
{
    uint64_t value;
    if (!slice_u64(slice_of(text), &value) || value < row->least || value > row->most)
        return error_set(err, ERROR_BAD_REQUEST,
                         "--%s takes a whole number from %" PRIu64 " to %" PRIu64 ", not '%.*s'", row->name,
                         row->least, row->most, SHOWN_MAX, text);
    *member = value;
    return true;
}

static bool take(const struct options_row *row, char *text, void *target, struct error *err)
{
    void *member = (char *)target + row->member;
    struct error why;
    switch (row->kind) {
    case OPTIONS_FLAG:
        *(bool *)member = true;
        return true;
    case OPTIONS_TEXT:
        *(const char **)member = text;
        return true;
    case OPTIONS_WORD:
        return take_word(row, text, member, err);
    case OPTIONS_NUMBER:
        return take_number(row, text, member, err);
    case OPTIONS_OTHER:
        break;
    }
    return row->read(text, member, &why) || error_set(err, why.code, "--%s %s", row->name, why.text);
}

bool options_parse(const struct options_table *table, int argc, char **argv, void *target,
                   struct options_result *ret, struct error *err)
{
    static char *no_words[] = {NULL};
    struct option longs[OPTIONS_MAX + 1];
    char letters[2 * OPTIONS_MAX + 3];
    struct options_result result = {.words = no_words};
    list_longs(table, longs);
    list_letters(table, letters);
    optind = 0; /* glibc: getopt starts again */
    opterr = 0;
    for (int got; argc > 0 && (got = getopt_long(argc, argv, letters, longs, NULL)) != -1;) {
        size_t i = find_row(table, got);
        if (got == '?' || got == ':' || i == table->count)
            return refuse(table, got, argv[optind - 1], err);
        const struct options_row *row = &table->rows[i];
        if (result.given[i] && !row->repeats)
            return error_set(err, ERROR_BAD_REQUEST, "--%s is given twice", row->name);
        if (!take(row, optarg, target, err))
            return false;
        result.given[i] = true;
    }
    if (argc > 0)
        result.words = argv + optind;
    *ret = result;
    return true;
}

static size_t name_width(const struct options_row *row)
{
    return strlen("--") + strlen(row->name) + (row->argument ? 1 + strlen(row->argument) : 0);
}

static size_t left_width(const struct options_table *table)
{
    size_t left = 0;
    for (size_t i = 0; i < table->count; i++) {
        size_t width = name_width(&table->rows[i]);
        if (width <= LEFT_MAX && width > left)
            left = width;
    }
    return left;
}

void options_print_help(FILE *out, const struct options_table *table)
{
    static const char before[] = "  -x, ";
    size_t left = left_width(table), indent = sizeof before - 1 + left + 2;
    for (size_t i = 0; i < table->count; i++) {
        const struct options_row *row = &table->rows[i];
        if (!takes_part(table, i))
            continue;
        if (row->letter)
            fprintf(out, "  -%c, ", row->letter);
        else
            text_blanks(out, sizeof before - 1);
        fprintf(out, "--%s%s%s", row->name, row->argument ? " " : "", row->argument ? row->argument : "");
        if (name_width(row) > left) {
            putc('\n', out);
            text_blanks(out, indent);
        } else {
            text_blanks(out, left + 2 - name_width(row));
        }
        text_wrap(out, indent, row->help);
    }
}
