/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/option.h"

#include <string.h>
#include "ctl/when.h"

#define MEMBER(member)               offsetof(struct ctl_options, member)
#define FLAG(member)                 OPTIONS_FLAG, MEMBER(member), 0, 0, NULL
#define TEXT(member)                 OPTIONS_TEXT, MEMBER(member), 0, 0, NULL
#define WORD(member)                 OPTIONS_WORD, MEMBER(member), 0, 0, NULL
#define NUMBER(member, least, most)  OPTIONS_NUMBER, MEMBER(member), least, most, NULL
#define OTHER(member, read_function) OPTIONS_OTHER, MEMBER(member), 0, 0, read_function

/* Copies the token and erases the original: /proc/PID/cmdline does not show it afterwards. */
static bool take_token(char *text, void *member, struct error *err)
{
    static char token[512];
    if (strlen(text) >= sizeof token)
        return error_set(err, ERROR_BAD_REQUEST, "is longer than %zu bytes", sizeof token - 1);
    strcpy(token, text);
    memset(text, 'x', strlen(text));
    *(const char **)member = token;
    return true;
}

static bool read_time(char *text, void *member, struct error *err)
{
    return when_read(text, false, member, err);
}

static bool read_time_or_date(char *text, void *member, struct error *err)
{
    return when_read(text, true, member, err);
}

static bool add_stage(char *text, void *member, struct error *err)
{
    struct ctl_stages *stages = member;
    if (stages->count == CTL_STAGES_MAX)
        return error_set(err, ERROR_BAD_REQUEST, "can be given %d times", CTL_STAGES_MAX);
    stages->text[stages->count++] = text;
    return true;
}

static const struct options_row rows[OPTIONS] = {
#define X(id, name, letter, argument, kind, help)                                                            \
    [OPTION_##id] = {name, letter, argument, help, kind, OPTION_##id == OPTION_STAGE},
    OPTION_TABLE(X)
#undef X
};

static bool parse(const struct options_table *table, int argc, char **argv, struct ctl_options *options,
                  char ***ret_words, struct failure *fail)
{
    struct options_result result;
    struct error err;
    if (!options_parse(table, argc, argv, options, &result, &err)) {
        bool hint = strncmp(err.text, "there is no option", 18) == 0 && !strstr(err.text, "did you mean");
        return failure_set(fail, EXIT_USAGE, "%s%s", err.text,
                           hint ? "; dfotactl help COMMAND lists the options" : "");
    }
    for (size_t i = 0; i < OPTIONS; i++)
        options->given[i] |= result.given[i];
    *ret_words = result.words;
    return true;
}

/* All options but two: another row has the same name. */
static void fill_set(bool set[OPTIONS], enum option_id without, enum option_id and_without)
{
    for (unsigned i = 0; i < OPTIONS; i++)
        set[i] = i != without && i != and_without;
}

bool option_parse_first(int argc, char **argv, struct ctl_options *options, char ***ret_rest,
                        struct failure *fail)
{
    bool takes[OPTIONS];
    const struct options_table table = {rows, OPTIONS, takes, true};
    fill_set(takes, OPTION_VERSION, OPTION_PRINT_CSV);
    takes[OPTION_PUBLIC_KEY] = false;
    return parse(&table, argc, argv, options, ret_rest, fail);
}

bool option_parse_rest(char **rest, const bool own[OPTIONS], struct ctl_options *options, char ***ret_words,
                       struct failure *fail)
{
    bool takes[OPTIONS];
    const struct options_table table = {rows, OPTIONS, takes, false};
    int count = 0;
    fill_set(takes, OPTION_PROGRAM_VERSION, own[OPTION_CSV] ? OPTION_PRINT_CSV : OPTION_CSV);
    takes[own[OPTION_PUBLIC_KEY] ? OPTION_KEY : OPTION_PUBLIC_KEY] = false;
    *ret_words = rest;
    while (rest[count])
        count++;
    /* The parser skips argv[0]: here the slot before the first word, which was argv[0] or an option. */
    return count == 0 || parse(&table, count + 1, rest - 1, options, ret_words, fail);
}

void option_print_help(FILE *out, const bool set[OPTIONS])
{
    options_print_help(out, &(struct options_table){rows, OPTIONS, set, false});
}

void option_format(const bool set[OPTIONS], char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < OPTIONS && used < size; i++)
        if (set[i])
            used += (size_t)snprintf(out + used, size - used, " --%s%s%s", rows[i].name,
                                     rows[i].argument ? " " : "", rows[i].argument ? rows[i].argument : "");
}

const char *option_name(enum option_id id)
{
    return rows[id].name;
}

const struct options_row *option_row(enum option_id id)
{
    return &rows[id];
}
