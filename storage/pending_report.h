/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Attempts that wait for a report, and the time that they wait in: how long the server has run in all. While it does
   not run no device can report, and no wall clock that is set makes that time shorter or longer. */
#ifndef DFOTA_STORAGE_PENDING_REPORT_H
#define DFOTA_STORAGE_PENDING_REPORT_H

#include "storage/db.h"

/* How far it had come when it was stored last; never less than what an attempt waits since. */
bool uptime_load(struct db *db, int64_t *ret_ms, struct error *err) __attribute__((warn_unused_result));
bool uptime_store(struct db *db, int64_t ms, struct error *err) __attribute__((warn_unused_result));

/* Anew, where it waits already. */
bool pending_report_add(struct db *db, int64_t attempt_id, int64_t since_ms, struct error *err)
    __attribute__((warn_unused_result));
bool pending_report_any(struct db *db, bool *ret, struct error *err) __attribute__((warn_unused_result));
/* Ids of those that wait since until_ms or longer, at most `limit`; *ret is the caller's (free). */
bool pending_report_due(struct db *db, int64_t until_ms, int64_t limit, int64_t **ret, size_t *ret_count,
                        struct error *err) __attribute__((warn_unused_result));
bool pending_report_drop(struct db *db, int64_t attempt_id, struct error *err)
    __attribute__((warn_unused_result));

#endif
