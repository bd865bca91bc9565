/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/link.h"

#include <openssl/rand.h>

#include "storage/entities.h"

#define ADDED(FIRST, NEXT, row)                                                                              \
    FIRST(device_id, INT, row->device_id)                                                                    \
    NEXT(firmware_id, INT, row->firmware_id)                                                                 \
    NEXT(token_sealed, SEALED, row->token)                                                                   \
    NEXT(version, TEXT_OR_NULL, row->version)                                                                \
    NEXT(created_ms, INT, row->created_ms)                                                                   \
    NEXT(revoked_ms, INT_OR_NULL, row->revoked_ms)                                                           \
    NEXT(handed_out, BOOL, row->handed_out)
#define COLUMNS(FIRST, NEXT, row) FIRST(id, INT, row->id) ADDED(NEXT, NEXT, row)
#define ROW(row)                  FIELDS(COLUMN_FIELDS(COLUMNS, row))

enum { FIND, ADD, LIST, REVOKE };
static const char *const sql[] = {
    [FIND] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM link WHERE token_mac = $1",
    [ADD] =
        "INSERT INTO link (" COLUMN_NAMES(ADDED) ", token_mac) VALUES (" COLUMN_VALUES(ADDED) ", $token_mac)",
    [LIST] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM link WHERE device_id = $1 ORDER BY id DESC",
    [REVOKE] =
        "UPDATE link SET revoked_ms = coalesce(revoked_ms, $1) WHERE device_id = $2 AND ($3 = 0 OR id = $3)",
};
DB_TABLE(link, ENTITY_LINK);

bool link_make_token(char out[LINK_TOKEN_SIZE], struct error *err)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char random[LINK_TOKEN_SIZE - 1];
    if (RAND_bytes(random, sizeof random) != 1)
        return error_set(err, ERROR_INTERNAL, "no random numbers for a link");
    for (size_t i = 0; i < sizeof random; i++)
        out[i] = digits[random[i] & 31];
    out[sizeof random] = '\0';
    return true;
}

bool link_find(struct db *db, const char *token, struct link *ret, bool *ret_found, struct error *err)
{
    return db_row(db, QUERY(FIND, PARAMS(P_MAC(token)), ROW(ret)), ret_found, err);
}

bool link_add(struct db *db, struct link *link, struct error *err)
{
    if (!link_make_token(link->token, err) ||
        !db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(ADDED, link), P_MAC(link->token))), NULL, err))
        return false;
    link->id = db_last_id(db);
    return true;
}

bool link_list(struct db *db, int64_t device_id, struct link **ret, size_t *ret_count, struct error *err)
{
    struct link row = {0};
    return db_list(db, QUERY(LIST, PARAMS(P_INT(device_id)), ROW(&row)), &row, sizeof row, ret, ret_count,
                   err);
}

bool link_revoke(struct db *db, int64_t device_id, int64_t id, int64_t now_ms, struct error *err)
{
    int64_t changes;
    if (!db_do(db, COMMAND(REVOKE, PARAMS(P_INT(now_ms), P_INT(device_id), P_INT(id))), &changes, err))
        return false;
    if (id && !changes)
        return error_set(err, ERROR_LINK_NOT_FOUND, "the device has no link %lld", (long long)id);
    return true;
}
