/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/quarantine.h"

#include "storage/entities.h"

#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(firmware_id, INT, row->firmware_id)                                                                \
    NEXT(from_sha256, HASH, row->from)                                                                       \
    NEXT(to_sha256, HASH, row->to)                                                                           \
    NEXT(package_sha256, HASH_OR_NULL, row->package_sha256)                                                  \
    NEXT(at_ms, INT, row->at_ms)                                                                             \
    NEXT(reason, TEXT, row->reason)
#define OF_HOP "firmware_id = $1 AND from_sha256 = $2 AND to_sha256 = $3"

enum { ADD, LIFT, FIND, COUNT, COUNT_ALL };
static const char *const sql[] = {
    [ADD] = "INSERT INTO quarantine (" COLUMN_NAMES(COLUMNS) ") VALUES (" COLUMN_VALUES(COLUMNS) ") "
            "ON CONFLICT DO NOTHING",
    [LIFT] = "DELETE FROM quarantine WHERE " OF_HOP,
    [FIND] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM quarantine WHERE " OF_HOP,
    [COUNT] = "SELECT count(*) FROM quarantine WHERE firmware_id = $1",
    [COUNT_ALL] = "SELECT count(*) FROM quarantine",
};
DB_TABLE(quarantine, ENTITY_QUARANTINE);

bool quarantine_add(struct db *db, const struct quarantine *quarantine, struct error *err)
{
    return db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(COLUMNS, quarantine))), NULL, err);
}

bool quarantine_lift(struct db *db, int64_t firmware_id, const struct sha256 *from, const struct sha256 *to,
                     bool *ret_lifted, struct error *err)
{
    int64_t changes;
    if (!db_do(db, COMMAND(LIFT, PARAMS(P_INT(firmware_id), P_HASH(from), P_HASH(to))), &changes, err))
        return false;
    *ret_lifted = changes > 0;
    return true;
}

bool quarantine_find(struct db *db, int64_t firmware_id, const struct sha256 *from, const struct sha256 *to,
                     struct quarantine *ret, bool *ret_found, struct error *err)
{
    return db_row(db,
                  QUERY(FIND, PARAMS(P_INT(firmware_id), P_HASH(from), P_HASH(to)),
                        FIELDS(COLUMN_FIELDS(COLUMNS, ret))),
                  ret_found, err);
}

bool quarantine_count(struct db *db, int64_t firmware_id, int64_t *ret, struct error *err)
{
    bool found;
    if (!firmware_id)
        return db_row(db, QUERY(COUNT_ALL, NO_PARAMS, FIELDS(F_INT(ret))), &found, err);
    return db_row(db, QUERY(COUNT, PARAMS(P_INT(firmware_id)), FIELDS(F_INT(ret))), &found, err);
}
