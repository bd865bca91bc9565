/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/pending_report.h"

#include "storage/entities.h"

enum { LOAD, STORE, ADD, ANY, DUE, DROP };
static const char *const sql[] = {
    [LOAD] = "SELECT max(ms, (SELECT coalesce(max(since_ms), 0) FROM awaited)) FROM served WHERE one = 1",
    [STORE] = "UPDATE served SET ms = $1 WHERE one = 1",
    [ADD] = ("INSERT INTO awaited (attempt_id, since_ms) VALUES ($1, $2) "
             "ON CONFLICT (attempt_id) DO UPDATE SET since_ms = excluded.since_ms"),
    [ANY] = "SELECT 1 FROM awaited WHERE attempt_id > 0 LIMIT 1",
    [DUE] = "SELECT attempt_id FROM awaited WHERE since_ms <= $1 ORDER BY since_ms LIMIT $2",
    [DROP] = "DELETE FROM awaited WHERE attempt_id = $1",
};
DB_TABLE(pending_report, ENTITY_PENDING_REPORT);

bool uptime_load(struct db *db, int64_t *ret_ms, struct error *err)
{
    bool found;
    return db_row(db, QUERY(LOAD, NO_PARAMS, FIELDS(F_INT(ret_ms))), &found, err);
}

bool uptime_store(struct db *db, int64_t ms, struct error *err)
{
    return db_do(db, COMMAND(STORE, PARAMS(P_INT(ms))), NULL, err);
}

bool pending_report_add(struct db *db, int64_t attempt_id, int64_t since_ms, struct error *err)
{
    return db_do(db, COMMAND(ADD, PARAMS(P_INT(attempt_id), P_INT(since_ms))), NULL, err);
}

bool pending_report_any(struct db *db, bool *ret, struct error *err)
{
    return db_row(db, QUERY(ANY, NO_PARAMS, NO_FIELDS), ret, err);
}

bool pending_report_due(struct db *db, int64_t until_ms, int64_t limit, int64_t **ret, size_t *ret_count,
                        struct error *err)
{
    int64_t row = 0;
    return db_list(db, QUERY(DUE, PARAMS(P_INT(until_ms), P_INT(limit)), FIELDS(F_INT(&row))), &row,
                   sizeof row, ret, ret_count, err);
}

bool pending_report_drop(struct db *db, int64_t attempt_id, struct error *err)
{
    return db_do(db, COMMAND(DROP, PARAMS(P_INT(attempt_id))), NULL, err);
}
