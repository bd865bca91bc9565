/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <stdint.h>
#include <string.h>
#include "base/text.h"
#include "ctl/option.h"
#include "ctl/trait.h"

#define HELP_LEFT 32 /* columns of the left side of the list */

/* How many arguments fit "FIRMWARE [VERSION] FILE…". */
static void count_arguments(const char *arguments, size_t *ret_min, size_t *ret_max)
{
    *ret_min = *ret_max = 0;
    for (const char *at = arguments; *at;) {
        size_t len = strcspn(at, " ");
        if (*at != '[')
            ++*ret_min;
        if (memmem(at, len, "…", strlen("…")))
            *ret_max = SIZE_MAX;
        else if (*ret_max != SIZE_MAX)
            ++*ret_max;
        at += len + (at[len] ? 1 : 0);
    }
}

/* Whether each given option is one of every command or of this one, and each required one is given. */
static bool check_options(const struct command *command, const bool given[OPTIONS], struct failure *fail)
{
    bool takes[OPTIONS];
    command_list_options(command, takes);
    for (unsigned i = OPTION_HELP + 1; i < OPTIONS; i++)
        if (given[i] && !takes[i])
            return failure_set(fail, EXIT_USAGE, "%s does not take --%s; dfotactl help %s lists its options",
                               command->name, option_name(i), command->name);
    for (unsigned i = 0; i < OPTIONS; i++)
        if (command->required[i] && !given[i] && i != OPTION_BY) /* DFOTA_BY is as good */
            return failure_set(fail, EXIT_USAGE, "%s needs --%s %s", command->name, option_name(i),
                               option_row(i)->argument);
    return true;
}

bool command_check(const struct command *command, const struct ctl_options *options, char **args,
                   struct failure *fail)
{
    size_t count = 0, min, max;
    while (args[count])
        count++;
    count_arguments(command->arguments, &min, &max);
    if (!check_options(command, options->given, fail))
        return false;
    if (max == 0 && count > 0)
        return failure_set(fail, EXIT_USAGE, "%s takes no arguments, and '%s' is one", command->name,
                           args[0]);
    if (count < min || count > max)
        return failure_set(fail, EXIT_USAGE, "%s takes these arguments: %s; dfotactl help %s explains them",
                           command->name, command->arguments, command->name);
    return true;
}

/* "device links FIRMWARE --csv FILE": the name, the arguments, the options that are required. */
static void format_usage(const struct command *command, char *out, size_t size)
{
    char options[96] = "";
    option_format(command->required, options, sizeof options);
    snprintf(out, size, "%s%s%s%s", command->name, command->arguments[0] ? " " : "", command->arguments,
             options);
}

static void print_line(FILE *out, const struct command *command)
{
    char left[128];
    format_usage(command, left, sizeof left);
    size_t width = text_width(left);
    fprintf(out, "  %s", left);
    if (width > HELP_LEFT) {
        putc('\n', out);
        text_blanks(out, 2);
        width = 0;
    }
    text_blanks(out, HELP_LEFT + 2 - width);
    text_wrap(out, HELP_LEFT + 4, command->summary);
}

/* The options of every command, and those up to `last`. */
static void print_global(FILE *out, enum option_id last)
{
    bool set[OPTIONS];
    for (unsigned i = 0; i < OPTIONS; i++)
        set[i] = i <= last;
    fputs("\nOptions of every command:\n", out);
    option_print_help(out, set);
}

static void print_all(FILE *out, const char *group)
{
    if (group)
        fprintf(out, "Usage: dfotactl [options] %s COMMAND\n\n", group);
    else
        fputs(
            "Usage: dfotactl [options] COMMAND\n"
            "The admin's command line of dfotad, the FOTA delta server.\n\n",
            out);
    for (size_t i = 0; i < command_table_count; i++)
        if (!group || command_in_group(&command_table[i], group))
            print_line(out, &command_table[i]);
    print_global(out, group ? OPTION_HELP : OPTION_PROGRAM_VERSION);
    fputs(
        "\nExit status: 0 done; 1 the server refused; 2 wrong command line, or an error\n"
        "with a local file; 3 no answer from the server, or an answer that is not\n"
        "understood; 4 --wait ended without success, or doctor found a fault.\n"
        "dfotactl help COMMAND explains a command; ls is list, and rm is delete. The\n"
        "manual page is dfotactl(1).\n",
        out);
}

static void print_one(FILE *out, const struct command *command)
{
    char usage[128];
    format_usage(command, usage, sizeof usage);
    fputs("Usage: dfotactl [options] ", out);
    text_wrap(out, sizeof "Usage: dfotactl [options] " - 1, usage);
    text_wrap(out, 0, command->summary);
    if (command->details) {
        putc('\n', out);
        text_wrap(out, 0, command->details);
    }
    bool takes[OPTIONS];
    command_list_options(command, takes);
    if (memchr(takes, true, sizeof takes)) {
        fputs("\nOptions:\n", out);
        option_print_help(out, takes);
    }
    print_global(out, OPTION_HELP);
}

void command_list_options(const struct command *command, bool ret[OPTIONS])
{
    memcpy(ret, command->options, sizeof command->options);
    ret[OPTION_WATCH] |= trait_reads(command);
    ret[OPTION_BY] |= trait_changes(command);
    ret[OPTION_YES] |= trait_asks(command);
}

const bool *command_options(char **words)
{
    static const bool none[OPTIONS];
    const struct command *command;
    struct failure ignored;
    char **args;
    return command_find(words, &command, &args, &ignored) ? command->options : none;
}

bool command_print_help(FILE *out, char **words, struct failure *fail)
{
    const struct command *command;
    char **args;
    if (words[0] && !(command_is_group(words[0]) && !words[1])) {
        if (!command_find(words, &command, &args, fail))
            return false;
        print_one(out, command);
    } else {
        print_all(out, words[0]);
    }
    return true;
}
