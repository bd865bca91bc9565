/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The question before a command that cannot be undone. */
#ifndef DFOTA_CTL_CONFIRM_H
#define DFOTA_CTL_CONFIRM_H

#include <stdbool.h>
#include "ctl/command.h"

bool confirm_knows(command_run *run);

/* Asks, with the effect in numbers from the server, unless --yes is given. EXIT_USAGE: the answer was not yes, or
   there is no terminal. True at once for a command that does not ask. */
bool confirm_ask(struct session *session, const struct command *command, struct failure *fail);

#endif
