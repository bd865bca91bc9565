/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/token.h"

#include "storage/entities.h"

enum { ADD, LIST };
static const char *const sql[] = {
    [ADD] = "INSERT INTO admin_token (sha256, created_ms) VALUES ($1, $2)",
    [LIST] = "SELECT sha256 FROM admin_token",
};
DB_TABLE(token, ENTITY_TOKEN);

bool token_add(struct db *db, const struct sha256 *hash, int64_t now_ms, struct error *err)
{
    return db_do(db, COMMAND(ADD, PARAMS(P_HASH(hash), P_INT(now_ms))), NULL, err);
}

bool token_list(struct db *db, struct sha256 **ret, size_t *ret_count, struct error *err)
{
    struct sha256 row = {0};
    return db_list(db, QUERY(LIST, NO_PARAMS, FIELDS(F_HASH(&row))), &row, sizeof row, ret, ret_count, err);
}
