/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#ifndef DFOTA_CTL_WATCH_H
#define DFOTA_CTL_WATCH_H

#include <stdbool.h>
#include "ctl/command.h"

/* Runs the command every two seconds until it is interrupted, --timeout has passed, or a run fails. A terminal is
   cleared before each run; elsewhere a line with the time comes first. */
bool watch_run(struct session *session, const struct command *command, struct failure *fail);

#endif
