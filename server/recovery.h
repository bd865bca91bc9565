/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* At start: puts in order what a killed server or an older version left. */
#ifndef DFOTA_SERVER_RECOVERY_H
#define DFOTA_SERVER_RECOVERY_H

#include "server/context.h"

/* Removes packages that this version no longer sends and blobs that no row names, ends transfers that were cut off. Before
   the writer starts; needs daemon->blobs and the config. */
bool recovery_run(struct daemon *daemon, struct db *db, struct error *err)
    __attribute__((warn_unused_result));

#endif
