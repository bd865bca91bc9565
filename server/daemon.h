/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Start and end of the server. */
#ifndef DFOTA_SERVER_DAEMON_H
#define DFOTA_SERVER_DAEMON_H

#include "server/config/config.h"

/* Runs the server until SIGTERM or SIGINT. The config is borrowed; argc and argv are those of main(), for a reload. */
bool daemon_run(const struct config *config, int argc, char **argv, struct error *err);

#endif
