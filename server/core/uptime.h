/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* How long the server has run in all, this time included, by the boot clock: what waiting for a report is counted in.
   A wall clock that is set changes nothing in it, and while the server is down it stands still, because no device can
   report then. */
#ifndef DFOTA_SERVER_CORE_UPTIME_H
#define DFOTA_SERVER_CORE_UPTIME_H

#include "storage/db.h"

/* Reads where it stood. Before there are threads. */
bool uptime_begin(struct db *db, struct error *err) __attribute__((warn_unused_result));
int64_t uptime_now_ms(void); /* any thread */

#endif
