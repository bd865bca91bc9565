/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl: the admin's command line of dfotad. Each command is in the file of its resource. */
#include "config.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "ctl/command.h"
#include "ctl/complete.h"
#include "ctl/confirm.h"
#include "ctl/option.h"
#include "ctl/output.h"
#include "ctl/progress.h"
#include "ctl/session.h"
#include "ctl/trait.h"
#include "ctl/watch.h"

/* Of the whole command line: help may name a command. */
static char **all_words;

bool help_show(struct session *session, struct failure *fail)
{
    (void)session;
    return command_print_help(stdout, all_words + 1, fail);
}

bool version_show(struct session *session, struct failure *fail)
{
    (void)session;
    (void)fail;
    puts("dfotactl " PACKAGE_VERSION);
    return true;
}

/* --csv of a command has its own columns; -o csv is the same. With --columns the answer decides which there are. */
static void unite_csv(const struct command *command, struct ctl_options *options)
{
    bool csv = options->output && strcmp(options->output, "csv") == 0;
    if (command->options[OPTION_PRINT_CSV] && (csv || options->print_csv)) {
        options->print_csv = true;
        if (csv || options->columns)
            options->output = options->columns ? "csv" : "table";
    }
}

static bool run_command(const struct command *command, struct ctl_options *options, char **args,
                        struct failure *fail)
{
    struct session session;
    unite_csv(command, options);
    if (trait_is_local(command))
        return session_open_offline(options, args, &session, fail) && command->run(&session, fail);
    if (!session_open(options, args, &session, fail))
        return false;
    bool ok = confirm_ask(&session, command, fail) &&
              (options->watch ? watch_run(&session, command, fail) : command->run(&session, fail)) &&
              output_end(fail);
    session_close(&session);
    return ok;
}

static bool run(struct ctl_options *options, char **words, struct failure *fail)
{
    const struct command *command;
    char **args;
    all_words = words;
    if (options->program_version)
        return version_show(NULL, fail);
    if (options->help || (words[0] && !words[1] && command_is_group(words[0])))
        return command_print_help(stdout, words, fail);
    return command_find(words, &command, &args, fail) && command_check(command, options, args, fail) &&
           run_command(command, options, args, fail);
}

static bool parse(int argc, char **argv, struct ctl_options *options, char ***ret_words, struct failure *fail)
{
    char **rest;
    return option_parse_first(argc, argv, options, &rest, fail) &&
           option_parse_rest(rest, command_options(rest), options, ret_words, fail);
}

/* Also when the command line is wrong. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "-ojson") == 0 || strcmp(argv[i], "--output=json") == 0 ||
            (i + 1 < argc && (strcmp(argv[i], "-o") == 0 || strcmp(argv[i], "--output") == 0) &&
             strcmp(argv[i + 1], "json") == 0))
            return true;
    return false;
}

int main(int argc, char **argv)
{
    struct ctl_options options = {0};
    struct failure fail = {0};
    char **words;
    bool json = wants_json(argc, argv);
    text_begin();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (argc > 1 && strcmp(argv[1], "--complete") == 0) {
        complete_print(argv + 2);
        return EXIT_DONE;
    }
    bool ok = parse(argc, argv, &options, &words, &fail) && run(&options, words, &fail);
    progress_end();
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("dfotactl: cannot write to standard output\n", stderr);
        return ok ? EXIT_USAGE : (int)fail.status;
    }
    if (!ok)
        failure_print(stderr, &fail, json || (options.output && strcmp(options.output, "json") == 0));
    curl_global_cleanup();
    return ok ? EXIT_DONE : (int)fail.status;
}
