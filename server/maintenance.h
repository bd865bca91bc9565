/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What is done from time to time: attempts that nobody reports on become `silent`, the ledger's old rows are removed,
   the wall clock is looked at. One thread, which waits for the writer. */
#ifndef DFOTA_SERVER_MAINTENANCE_H
#define DFOTA_SERVER_MAINTENANCE_H

#include "server/context.h"

struct maintenance;

bool maintenance_start(struct daemon *daemon, struct maintenance **ret, struct error *err)
    __attribute__((warn_unused_result));
void maintenance_stop(struct maintenance *maintenance); /* before the writer; NULL is fine */

#endif
