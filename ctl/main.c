/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl: the admin's command line of dfotad. Each command is in the file of its resource. */
#include "config.h"

#include <curl/curl.h>
#include <stdio.h>
#include "base/text.h"
#include "ctl/command.h"
#include "ctl/option.h"
#include "ctl/progress.h"
#include "ctl/session.h"

static bool run(const struct ctl_options *options, char **words, struct failure *fail)
{
    const struct command *command;
    struct session session;
    char **args;
    if (options->program_version) {
        puts("dfotactl " PACKAGE_VERSION);
        return true;
    }
    if (options->help)
        return command_print_help(stdout, words, fail);
    if (!command_find(words, &command, &args, fail) || !command_check(command, options, args, fail))
        return false;
    if (command_is_offline(command))
        session_open_offline(options, args, &session);
    else if (!session_open(options, args, &session, fail))
        return false;
    bool ok = command->run(&session, fail);
    session_close(&session);
    return ok;
}

static bool parse(int argc, char **argv, struct ctl_options *options, char ***ret_words, struct failure *fail)
{
    char **rest;
    return option_parse_first(argc, argv, options, &rest, fail) &&
           option_parse_rest(rest, command_options(rest), options, ret_words, fail);
}

int main(int argc, char **argv)
{
    struct ctl_options options = {0};
    struct failure fail = {0};
    char **words;
    text_begin();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    bool ok = parse(argc, argv, &options, &words, &fail) && run(&options, words, &fail);
    progress_end();
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("dfotactl: cannot write to standard output\n", stderr);
        return ok ? EXIT_USAGE : (int)fail.status;
    }
    if (!ok) {
        fputs("dfotactl: ", stderr);
        text_put(stderr, fail.text);
        if (fail.code[0]) {
            fputs(" (", stderr);
            text_put(stderr, fail.code);
            fputs(")", stderr);
        }
        fputs("\n", stderr);
    }
    curl_global_cleanup();
    return ok ? EXIT_DONE : (int)fail.status;
}
