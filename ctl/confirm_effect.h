/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the question before a command says: its effect, in numbers. */
#ifndef DFOTA_CTL_CONFIRM_EFFECT_H
#define DFOTA_CTL_CONFIRM_EFFECT_H

#include <stdbool.h>
#include "ctl/command.h"
#include "ctl/session.h"

#define CONFIRM_EFFECT_SIZE 800

struct confirm_question {
    /* Writes what the command would do, as whole sentences. Where the API allows it, the command is then carried out
       only on what was read here (If-Match). */
    bool (*describe)(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail);
    bool can_be_stopped; /* asked on a terminal only: a script needs no --yes */
};

/* NULL: the command does not ask. */
const struct confirm_question *confirm_effect_find(command_run *run);

#endif
