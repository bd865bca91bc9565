/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Periodic work, in one thread that waits for the writer: attempts without a report become `silent`, old
   rows of the ledger are removed, the wall clock is checked. */
#ifndef DFOTA_SERVER_MAINTENANCE_H
#define DFOTA_SERVER_MAINTENANCE_H

#include "server/context.h"

struct maintenance;

bool maintenance_start(struct daemon *daemon, struct maintenance **ret, struct error *err)
    __attribute__((warn_unused_result));
void maintenance_stop(
    struct maintenance *maintenance); /* call it before the writer is stopped; NULL is fine */

#endif
