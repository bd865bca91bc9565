/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/option.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    char letter;
    const char *argument, *help;
} table[OPTIONS] = {
#define X(id, name, letter, argument, help) [id] = {name, letter, argument, help},
    OPTION_TABLE(X)
#undef X
};

#define LONG_BASE 256 /* what getopt_long returns for table[i] is LONG_BASE + i */

static char token[512];

/* Keeps the token out of /proc/PID/cmdline once it has been read. */
static bool take_token(char *argument, struct failure *fail)
{
    if (strlen(argument) >= sizeof token)
        return failure_set(fail, EXIT_USAGE, "the token is too long");
    strcpy(token, argument);
    memset(argument, 'x', strlen(argument));
    return true;
}

/* What getopt takes for letters: how == "+:" stops at the first word, ":" does not. */
static void list_letters(const char *how, char out[2 * OPTIONS + 3])
{
    size_t used = strlen(how);
    strcpy(out, how);
    for (int i = 0; i < OPTIONS; i++) {
        if (table[i].letter)
            out[used++] = table[i].letter;
        if (table[i].letter && table[i].argument)
            out[used++] = ':';
    }
    out[used] = '\0';
}

static int find_letter(int letter)
{
    for (int i = 0; i < OPTIONS; i++)
        if (table[i].letter == letter)
            return i;
    return -1;
}

/* Two options have the name csv: what `device links` reads, and what lists print. */
static bool is_other_csv(int id, bool behind, int argc, char **argv)
{
    bool reads = !behind || (argc > 2 && strcmp(argv[1], "device") == 0 && strcmp(argv[2], "links") == 0);
    return id == (reads ? OPTION_PRINT_CSV : OPTION_CSV);
}

/* One run of getopt: before the command it stops at the first word, behind it options may stand anywhere. */
static bool parse_part(int argc, char **argv, bool behind, struct options *options, struct failure *fail)
{
    struct option longs[OPTIONS + 1] = {{0}};
    for (int i = 0, used = 0; i < OPTIONS; i++) {
        bool argument = table[i].argument && (behind || i != OPTION_VERSION);
        if (is_other_csv(i, behind, argc, argv))
            continue;
        longs[used++] =
            (struct option){table[i].name, argument ? required_argument : no_argument, NULL, LONG_BASE + i};
    }
    char letters[2 * OPTIONS + 3];
    list_letters(behind ? ":" : "+:", letters);
    optind = 0; /* glibc: start afresh */
    opterr = 0;
    int got;
    while ((got = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        int id = got >= LONG_BASE ? got - LONG_BASE : find_letter(got);
        if (got == ':')
            return failure_set(fail, EXIT_USAGE, "%s needs an argument", argv[optind - 1]);
        if (got == '?' && (optopt == 0 || optopt >= LONG_BASE))
            return failure_set(fail, EXIT_USAGE, "%s is no option, or not complete", argv[optind - 1]);
        if (got == '?' || id < 0)
            return failure_set(fail, EXIT_USAGE, "-%c is no option", optopt);
        if (id == OPTION_VERSION && !behind)
            options->program_version = true;
        else if (id == OPTION_TOKEN && !take_token(optarg, fail))
            return false;
        else {
            options->value[id] = id == OPTION_TOKEN ? token : optarg ? optarg : "";
            options->given |= OPTION_BIT(id);
        }
    }
    return true;
}

bool option_parse(int argc, char **argv, struct options *ret, char ***ret_words, struct failure *fail)
{
    struct options options = {0};
    static char *none[] = {NULL};
    if (argc < 1) {
        *ret = options;
        *ret_words = none;
        return true;
    }
    if (!parse_part(argc, argv, false, &options, fail))
        return false;
    /* getopt wants a program name in front: the slot before the first word is spent. */
    int first = optind - 1;
    if (!parse_part(argc - first, argv + first, true, &options, fail))
        return false;
    *ret = options;
    *ret_words = argv + first + optind;
    return true;
}

void option_print_help(FILE *out, uint64_t mask)
{
    for (int i = 0; i < OPTIONS; i++) {
        if (!(mask & OPTION_BIT(i)))
            continue;
        char left[48];
        snprintf(left, sizeof left, "--%s%s%s", table[i].name, table[i].argument ? " " : "",
                 table[i].argument ? table[i].argument : "");
        if (table[i].letter)
            fprintf(out, "  -%c, %-22s %s\n", table[i].letter, left, table[i].help);
        else
            fprintf(out, "      %-22s %s\n", left, table[i].help);
    }
}

void option_format(uint64_t mask, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < OPTIONS && used < size; i++)
        if (mask & OPTION_BIT(i))
            used +=
                (size_t)snprintf(out + used, size - used, " --%s%s%s", table[i].name,
                                 table[i].argument ? " " : "", table[i].argument ? table[i].argument : "");
}

const char *option_name(uint64_t mask)
{
    static char name[48];
    snprintf(name, sizeof name, "--%s", table[__builtin_ctzll(mask)].name);
    return name;
}
