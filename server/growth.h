/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Daily work that keeps the server small for years. Old rows go in small transactions, so that check-ins never wait long. */
#ifndef DFOTA_SERVER_GROWTH_H
#define DFOTA_SERVER_GROWTH_H

#include "server/context.h"

/* Removes old attempts, ended targets and counts of past days, as the configuration says; removes files that no row has named for
   unknown_files_keep_days; counts what is left. What fails is logged, and done again the next day. Not in the
   writer's thread. */
void growth_run(const struct daemon *daemon);

#endif
