/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/guard.h"

#include "base/clock.h"
#include "storage/entities.h"

enum { SUM_UP, BLOCKED };
static const char *const sql[] = {
    [SUM_UP] =
        "SELECT count(*) FILTER (WHERE delivered_ms IS NOT NULL), count(*) FILTER (WHERE state = 'not_applied'), "
        "count(*) FILTER (WHERE state = 'diverged'), count(DISTINCT from_version), count(DISTINCT package_sha256) "
        "FILTER (WHERE delivered_ms IS NOT NULL), coalesce(max(bytes_acked), 0), coalesce(max(size_bytes), 0) "
        "FROM attempt WHERE device_id = $1 AND ($2 = '' OR origin = $2) AND sent_ms > $3 AND sent_ms <= $4",
    [BLOCKED] =
        "SELECT id FROM device WHERE firmware_id = $1 AND blocked <> 0 AND id > $2 ORDER BY id LIMIT $3",
};
DB_TABLE(guard, ENTITY_GUARD);

bool guard_sum_up(struct db *db, int64_t device_id, const char *origin, int64_t since_ms, int64_t now_ms,
                  struct guard_facts *ret, struct error *err)
{
    bool found;
    return db_row(
        db,
        QUERY(SUM_UP,
              PARAMS(P_INT(device_id), P_TEXT(origin), P_INT(since_ms), P_INT(now_ms + CLOCK_AHEAD_MS)),
              FIELDS(F_INT(&ret->completed), F_INT(&ret->not_applied), F_INT(&ret->diverged),
                     F_INT(&ret->from_versions), F_INT(&ret->packages), F_INT(&ret->most_bytes_acked),
                     F_INT(&ret->size_bytes))),
        &found, err);
}

bool guard_list_blocked(struct db *db, int64_t firmware_id, int64_t after, int64_t limit, int64_t **ret,
                        size_t *ret_count, struct error *err)
{
    int64_t row = 0;
    return db_list(
        db, QUERY(BLOCKED, PARAMS(P_INT(firmware_id), P_INT(after), P_INT(limit)), FIELDS(F_INT(&row))), &row,
        sizeof row, ret, ret_count, err);
}
