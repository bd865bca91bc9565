/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/watch.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_S 2
#define CLEAR   "\033[H\033[2J"

static void print_head(const struct session *session, const struct command *command)
{
    char text[32];
    time_t now = time(NULL);
    struct tm parts;
    if (isatty(STDOUT_FILENO))
        fputs(CLEAR, stdout);
    if (session->json || session->options->print_csv || !gmtime_r(&now, &parts) ||
        !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &parts))
        return;
    printf("%s  %s (every %d s; Ctrl+C ends it)\n\n", text, command->name, PAUSE_S);
}

bool watch_run(struct session *session, const struct command *command, struct failure *fail)
{
    while (!client_is_late(session->client)) {
        print_head(session, command);
        if (!command->run(session, fail))
            return false;
        if (fflush(stdout) != 0)
            return true; /* main() says so */
        sleep(PAUSE_S);
    }
    return true;
}
