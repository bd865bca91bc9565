/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl: the admin's command line of dfotad. Reads the command line; what each command does stands in the
   file of its resource. */
#include "config.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include "ctl/command.h"
#include "ctl/option.h"
#include "ctl/progress.h"
#include "ctl/session.h"
#include "ctl/text.h"

static bool run(const struct options *options, char **words, struct failure *fail)
{
    const struct command *command;
    struct session session;
    char **args;
    if (options->program_version) {
        puts("dfotactl " PACKAGE_VERSION);
        return true;
    }
    if (options->value[OPTION_HELP])
        return command_print_help(stdout, words, fail);
    if (!command_find(words, &command, &args, fail) || !command_check(command, options, args, fail) ||
        !session_open(options, args, &session, fail))
        return false;
    bool ok = command->run(&session, fail);
    session_close(&session);
    return ok;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct failure fail = {0};
    char **words;
    text_begin();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    bool ok = option_parse(argc, argv, &options, &words, &fail) && run(&options, words, &fail);
    progress_end();
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("dfotactl: standard output cannot be written\n", stderr);
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
