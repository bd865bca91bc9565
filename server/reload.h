/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The configurations of a running server, and what SIGHUP does. A reload is rare and a configuration is small, so the
   configurations that were replaced are kept until the server ends. A thread may go on using one, without a lock and
   without a count of references. Main thread only. */
#ifndef DFOTA_SERVER_RELOAD_H
#define DFOTA_SERVER_RELOAD_H

#include "server/context.h"

struct listeners;
struct reload;

/* Puts the configuration of the start into daemon->config: a copy of its struct, which the caller may still change until
   the first thread starts: *ret_config. `started` must outlive the reload. argc, argv: the command line of the start. */
bool reload_open(struct daemon *daemon, const struct config *started, int argc, char **argv,
                 struct config **ret_config, struct reload **ret, struct error *err)
    __attribute__((warn_unused_result));

/* Reads the configuration again and applies what a reload can change. An error changes nothing. Both are logged. */
void reload_run(struct reload *reload, struct listeners *listeners);

/* After all threads have ended. NULL is fine. */
void reload_close(struct reload *reload);

#endif
