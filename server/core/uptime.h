/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* How long the server has run in total, this run included, measured with the boot clock. The time to wait
   for a device's report is measured with it. A change of the wall clock has no effect on it. It does not
   grow while the server is down, because no device can report then. */
#ifndef DFOTA_SERVER_CORE_UPTIME_H
#define DFOTA_SERVER_CORE_UPTIME_H

#include "storage/db.h"

/* Reads the stored total. Call before any thread is started. */
bool uptime_begin(struct db *db, struct error *err) __attribute__((warn_unused_result));
int64_t uptime_now_ms(void); /* any thread */

#endif
