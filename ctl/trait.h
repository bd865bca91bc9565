/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What kind of command it is. It decides over the options that many commands share. */
#ifndef DFOTA_CTL_TRAIT_H
#define DFOTA_CTL_TRAIT_H

#include <stdbool.h>
#include "ctl/command.h"

bool trait_is_local(const struct command *command); /* needs no server and no token */
bool trait_reads(const struct command *command);    /* only shows something: takes --watch */
bool trait_changes(const struct command *command);  /* changes something on the server: takes --by */
bool trait_asks(const struct command *command);     /* cannot be undone: asks, and takes --yes (confirm.c) */

#endif
