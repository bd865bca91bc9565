/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/confirm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"
#include "ctl/confirm_effect.h"
#include "ctl/link_revoke.h"

bool confirm_knows(command_run *run)
{
    return confirm_effect_find(run) != NULL;
}

/* A dry run changes nothing, and a rotation ends the present secret at once only without an overlap. */
static bool is_harmless(const struct session *session, const struct command *command)
{
    const struct ctl_options *options = session->options;
    bool rotates = command->run == secret_rotate || command->run == token_rotate;
    return options->dry_run || (rotates && !(options->given[OPTION_OVERLAP] && options->overlap_h == 0));
}

static bool ask(const char *effect, bool can_be_stopped)
{
    char typed[16] = "";
    text_wrap(stderr, 0, effect);
    fprintf(stderr, "%sContinue? [y/N] ", can_be_stopped ? "" : "This cannot be undone. ");
    if (!fgets(typed, sizeof typed, stdin))
        putc('\n', stderr);
    typed[strcspn(typed, "\r\n")] = '\0';
    return strcasecmp(typed, "y") == 0 || strcasecmp(typed, "yes") == 0;
}

bool confirm_ask(struct session *session, const struct command *command, struct failure *fail)
{
    const struct confirm_question *question = confirm_effect_find(command->run);
    char effect[CONFIRM_EFFECT_SIZE];
    bool terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    if (!question || session->options->yes || is_harmless(session, command) ||
        (question->can_be_stopped && !terminal))
        return true;
    if (command->run == device_revoke && !link_check_revoke(session, fail))
        return false;
    if (!terminal)
        return failure_set(
            fail, EXIT_USAGE,
            "%s cannot be undone, and there is no terminal to ask at: add --yes if you are sure",
            command->name);
    return question->describe(session, effect, fail) &&
           (ask(effect, question->can_be_stopped) || failure_set(fail, EXIT_USAGE, "nothing was changed"));
}
