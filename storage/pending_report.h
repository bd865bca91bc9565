/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Attempts that wait for a report, and how long they wait. The time is measured in uptime: how long the
   server has run in total. While the server is down no device can report. And a wall clock that is set
   does not change the uptime. */
#ifndef DFOTA_STORAGE_PENDING_REPORT_H
#define DFOTA_STORAGE_PENDING_REPORT_H

#include "storage/db.h"

/* The uptime as it was last stored; at least the time since which any attempt waits. */
bool uptime_load(struct db *db, int64_t *ret_ms, struct error *err) __attribute__((warn_unused_result));
bool uptime_store(struct db *db, int64_t ms, struct error *err) __attribute__((warn_unused_result));

/* An attempt that waits already begins anew. */
bool pending_report_add(struct db *db, int64_t attempt_id, int64_t since_ms, struct error *err)
    __attribute__((warn_unused_result));
bool pending_report_any(struct db *db, bool *ret, struct error *err) __attribute__((warn_unused_result));
/* Ids of the attempts that have waited since until_ms or longer, at most `limit`; *ret is the caller's
   (free). */
bool pending_report_due(struct db *db, int64_t until_ms, int64_t limit, int64_t **ret, size_t *ret_count,
                        struct error *err) __attribute__((warn_unused_result));
bool pending_report_drop(struct db *db, int64_t attempt_id, struct error *err)
    __attribute__((warn_unused_result));

#endif
