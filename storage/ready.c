/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/ready.h"

#include "storage/entities.h"

#define UNTOLD "state = 'waiting' AND beside = 0 AND ready_ms IS NULL"

enum { NEXT_VERSION, NEXT_FIRMWARE, LIST, SET };
static const char *const sql[] = {
    [NEXT_VERSION] = "SELECT firmware_id, from_version FROM attempt WHERE " UNTOLD
                     " AND firmware_id = $1 "
                     "AND from_version > $2 ORDER BY from_version LIMIT 1",
    [NEXT_FIRMWARE] = "SELECT firmware_id, from_version FROM attempt WHERE " UNTOLD
                      " AND firmware_id > $1 "
                      "ORDER BY firmware_id, from_version LIMIT 1",
    /* What was offered to libfota3 was not said to be awaited. */
    [LIST] =
        "SELECT a.id, d.id, d.id_kind, d.device, iif(d.confirmed_version = a.from_version, d.build_sha256, NULL), "
        "coalesce((SELECT token_sealed FROM link WHERE id = a.link_id AND revoked_ms IS NULL), "
        "(SELECT token_sealed FROM link WHERE device_id = d.id AND firmware_id = a.firmware_id AND revoked_ms IS NULL "
        "ORDER BY id DESC LIMIT 1)) "
        "FROM attempt a JOIN device d ON d.id = a.device_id WHERE a.state = 'waiting' AND a.beside = 0 "
        "AND a.ready_ms IS NULL AND a.firmware_id = $1 AND a.from_version = $2 AND a.id > $3 AND d.blocked = 0 "
        "AND NOT EXISTS (SELECT 1 FROM turnkey t WHERE t.attempt_id = a.id) ORDER BY a.id LIMIT $4",
    [SET] = "UPDATE attempt SET ready_ms = $1 WHERE id = $2",
};
DB_TABLE(ready, ENTITY_READY);

bool ready_next(struct db *db, struct ready_group *group, bool *ret_found, struct error *err)
{
    struct ready_group next;
    if (!db_row(db,
                QUERY(NEXT_VERSION, PARAMS(P_INT(group->firmware_id), P_TEXT(group->from)),
                      FIELDS(F_INT(&next.firmware_id), F_TEXT(next.from))),
                ret_found, err) ||
        (!*ret_found && !db_row(db,
                                QUERY(NEXT_FIRMWARE, PARAMS(P_INT(group->firmware_id)),
                                      FIELDS(F_INT(&next.firmware_id), F_TEXT(next.from))),
                                ret_found, err)))
        return false;
    if (*ret_found)
        *group = next;
    return true;
}

bool ready_list(struct db *db, const struct ready_group *group, int64_t after, int64_t limit,
                struct ready_device **ret, size_t *ret_count, struct error *err)
{
    struct ready_device row = {.attempt_id = 0};
    return db_list(
        db,
        QUERY(LIST, PARAMS(P_INT(group->firmware_id), P_TEXT(group->from), P_INT(after), P_INT(limit)),
              FIELDS(F_INT(&row.attempt_id), F_INT(&row.device_id), F_ENUM(&row.id_kind, &id_kind_names),
                     F_TEXT(row.device), F_HASH(&row.build), F_SEALED(row.token))),
        &row, sizeof row, ret, ret_count, err);
}

bool ready_set(struct db *db, int64_t attempt_id, int64_t now_ms, struct error *err)
{
    return db_do(db, COMMAND(SET, PARAMS(P_INT(now_ms), P_INT(attempt_id))), NULL, err);
}
