/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/session.h"

#include "storage/entities.h"

#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(sha256, HASH, row->hash)                                                                           \
    NEXT(token_sha256, HASH, row->token)                                                                     \
    NEXT(created_ms, INT, row->created_ms)                                                                   \
    NEXT(used_ms, INT, row->used_ms)                                                                         \
    NEXT(expires_ms, INT, row->expires_ms)

enum { ADD, USE, REMOVE, LIST };
static const char *const sql[] = {
    [ADD] = "INSERT INTO session (" COLUMN_NAMES(COLUMNS) ") VALUES (" COLUMN_VALUES(COLUMNS) ")",
    [USE] = "UPDATE session SET used_ms = $1 WHERE sha256 = $2",
    [REMOVE] = "DELETE FROM session WHERE sha256 = $1",
    [LIST] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM session ORDER BY created_ms, sha256",
};
DB_TABLE(session, ENTITY_SESSION);

bool session_add(struct db *db, const struct session *session, struct error *err)
{
    return db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(COLUMNS, session))), NULL, err);
}

bool session_use(struct db *db, const struct sha256 *hash, int64_t used_ms, struct error *err)
{
    return db_do(db, COMMAND(USE, PARAMS(P_INT(used_ms), P_HASH(hash))), NULL, err);
}

bool session_remove(struct db *db, const struct sha256 *hash, struct error *err)
{
    return db_do(db, COMMAND(REMOVE, PARAMS(P_HASH(hash))), NULL, err);
}

bool session_list(struct db *db, struct session **ret, size_t *ret_count, struct error *err)
{
    struct session row = {0};
    return db_list(db, QUERY(LIST, NO_PARAMS, FIELDS(COLUMN_FIELDS(COLUMNS, &row))), &row, sizeof row, ret,
                   ret_count, err);
}
