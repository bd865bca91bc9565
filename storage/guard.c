/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/guard.h"

#include "base/clock.h"
#include "storage/entities.h"
#include "storage/fleet.h"

enum {
    SUM_UP,
    BLOCKED,
    BEGUN_ADD,
    BEGUN_IS_OLD,
    BEGUN_DROP,
    BEGUN_COUNT,
    BEGUN_FORGET,
    ORIGINS,
    HAS_ORIGIN,
    IS_CLOSED,
    CLOSE,
    REOPEN,
    LIST_CLOSED
};
static const char *const sql[] = {
    [SUM_UP] =
        "SELECT count(*) FILTER (WHERE delivered_ms IS NOT NULL), count(*) FILTER (WHERE state = 'not_applied'), "
        "count(*) FILTER (WHERE state = 'diverged'), count(DISTINCT from_version), count(DISTINCT package_sha256) "
        "FILTER (WHERE delivered_ms IS NOT NULL), coalesce(max(bytes_acked), 0), coalesce(max(size_bytes), 0) "
        "FROM attempt WHERE device_id = $1 AND ($2 = '' OR origin = $2) AND sent_ms > $3 AND sent_ms <= $4",
    [BLOCKED] =
        "SELECT id FROM device WHERE firmware_id = $1 AND blocked <> 0 AND id > $2 ORDER BY id LIMIT $3",
    [BEGUN_ADD] =
        "INSERT INTO begun (device_id, origin, begun_ms) VALUES ($1, $2, $3) "
        "ON CONFLICT (device_id, origin, begun_ms) DO UPDATE SET packages = begun.packages + 1",
    [BEGUN_IS_OLD] =
        "SELECT EXISTS (SELECT 1 FROM begun WHERE device_id = $1 AND (begun_ms < $2 OR begun_ms > $3))",
    [BEGUN_DROP] = "DELETE FROM begun WHERE device_id = $1 AND (begun_ms < $2 OR begun_ms > $3)",
    [BEGUN_COUNT] =
        "SELECT coalesce(sum(packages), 0) FROM begun WHERE device_id = $1 AND begun_ms >= $2 "
        "AND begun_ms <= $3 AND ($4 = '' OR origin = $4 OR origin = '')",
    [BEGUN_FORGET] = "DELETE FROM begun WHERE device_id = $1",
    [ORIGINS] =
        "SELECT (SELECT count(DISTINCT origin) FROM begun WHERE device_id = $1) + "
        "(SELECT count(*) FROM guard_closed g WHERE device_id = $1 AND NOT EXISTS "
        "(SELECT 1 FROM begun b WHERE b.device_id = g.device_id AND b.origin = g.origin))",
    [HAS_ORIGIN] =
        "SELECT EXISTS (SELECT 1 FROM begun WHERE device_id = $1 AND origin = $2) "
        "OR EXISTS (SELECT 1 FROM guard_closed WHERE device_id = $1 AND origin = $2)",
    [IS_CLOSED] =
        "SELECT EXISTS (SELECT 1 FROM guard_closed WHERE device_id = $1 AND ($2 = '' OR origin = $2 OR "
        "origin = ''))",
    [CLOSE] = "INSERT INTO guard_closed (device_id, origin) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    [REOPEN] = "DELETE FROM guard_closed WHERE device_id = $1",
    [LIST_CLOSED] = "SELECT origin FROM guard_closed WHERE device_id = $1 ORDER BY origin",
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

/* ---- The guard of one device ---- */

#define ORIGINS_MAX 32       /* counted separately for one device */
#define OTHERS      "others" /* never equal to an address */

/* At most ORIGINS_MAX, so that a stranger with many addresses cannot fill the disk. */
static bool choose_origin(struct db *db, int64_t id, const char *origin, char out[ORIGIN_SIZE],
                          struct error *err)
{
    int64_t known, count;
    bool found;
    memcpy(out, OTHERS, sizeof OTHERS);
    if (!db_row(db, QUERY(HAS_ORIGIN, PARAMS(P_INT(id), P_TEXT(origin)), FIELDS(F_INT(&known))), &found, err))
        return false;
    if (!known && origin[0] &&
        !db_row(db, QUERY(ORIGINS, PARAMS(P_INT(id)), FIELDS(F_INT(&count))), &found, err))
        return false;
    if (known || !origin[0] || count < ORIGINS_MAX)
        slice_copy(slice_of(origin), out, ORIGIN_SIZE);
    return true;
}

bool guard_load(struct db *db, int64_t id, const char *origin, int64_t since_ms, int64_t now_ms,
                struct guard *ret, struct error *err)
{
    bool found;
    *ret = (struct guard){.begun = 0};
    return choose_origin(db, id, origin, ret->origin, err) &&
           db_row(
               db,
               QUERY(BEGUN_COUNT,
                     PARAMS(P_INT(id), P_INT(since_ms), P_INT(now_ms + CLOCK_AHEAD_MS), P_TEXT(ret->origin)),
                     FIELDS(F_INT(&ret->begun))),
               &found, err) &&
           db_row(db, QUERY(IS_CLOSED, PARAMS(P_INT(id), P_TEXT(ret->origin)), FIELDS(F_BOOL(&ret->closed))),
                  &found, err);
}

bool guard_add_begun(struct db *db, int64_t id, const char *origin, int64_t now_ms, struct error *err)
{
    const struct db_value old[] = {P_INT(id), P_INT(now_ms - DAY_MS), P_INT(now_ms + CLOCK_AHEAD_MS)};
    bool is_old, found;
    return db_row(db, QUERY(BEGUN_IS_OLD, old, 3, FIELDS(F_BOOL(&is_old))), &found, err) &&
           (!is_old || db_do(db, COMMAND(BEGUN_DROP, old, 3), NULL, err)) &&
           db_do(db, COMMAND(BEGUN_ADD, PARAMS(P_INT(id), P_TEXT(origin), P_INT(now_ms))), NULL, err);
}

bool guard_close(struct db *db, int64_t id, const char *origin, struct error *err)
{
    return db_do(db, COMMAND(CLOSE, PARAMS(P_INT(id), P_TEXT(origin))), NULL, err) &&
           fleet_count_device(db, id, err);
}

bool guard_open(struct db *db, int64_t id, struct error *err)
{
    return db_do(db, COMMAND(BEGUN_FORGET, PARAMS(P_INT(id))), NULL, err) &&
           db_do(db, COMMAND(REOPEN, PARAMS(P_INT(id))), NULL, err) && fleet_count_device(db, id, err);
}

bool guard_list(struct db *db, int64_t id, char (**ret)[ORIGIN_SIZE], size_t *ret_count, struct error *err)
{
    char row[ORIGIN_SIZE] = "";
    return db_list(db, QUERY(LIST_CLOSED, PARAMS(P_INT(id)), FIELDS(F_TEXT(row))), row, sizeof row, ret,
                   ret_count, err);
}
