/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/token.h"

#include "storage/entities.h"

static const char *const scopes[] = {NULL, "read", "upload", "operate", "admin"};
const struct enum_names token_scope_names = ENUM_NAMES(scopes);

#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(name, TEXT, row->name)                                                                             \
    NEXT(scope, ENUM, row->scope, &token_scope_names)                                                        \
    NEXT(product_key, TEXT_OR_NULL, row->product)                                                            \
    NEXT(sha256, HASH, row->hash)                                                                            \
    NEXT(created_ms, INT, row->created_ms)                                                                   \
    NEXT(expires_ms, INT_OR_NULL, row->expires_ms)                                                           \
    NEXT(old_sha256, HASH_OR_NULL, row->old_hash)                                                            \
    NEXT(old_until_ms, INT_OR_NULL, row->old_until_ms)                                                       \
    NEXT(revoked_ms, INT_OR_NULL, row->revoked_ms)

#define ALL COLUMN_NAMES(COLUMNS) ", id, used_ms, used_from"

enum { ADD, GET, TAKEN, UPDATE, USE, LIST, OF_PRODUCT };
static const char *const sql[] = {
    [ADD] = "INSERT INTO admin_token (" COLUMN_NAMES(COLUMNS) ") VALUES (" COLUMN_VALUES(COLUMNS) ")",
    [GET] = "SELECT " ALL " FROM admin_token WHERE id = $1",
    [TAKEN] = "SELECT 1 FROM admin_token WHERE name = $1 AND revoked_ms IS NULL",
    [UPDATE] = "UPDATE admin_token SET " COLUMN_CHANGES(COLUMNS) " WHERE id = $id",
    [USE] = "UPDATE admin_token SET used_ms = $1, used_from = $2 WHERE id = $3",
    [LIST] = ("SELECT " ALL " FROM admin_token "
              "ORDER BY revoked_ms IS NOT NULL, CASE WHEN revoked_ms IS NULL THEN id ELSE -id END LIMIT $1"),
    [OF_PRODUCT] = "SELECT count(*) FROM admin_token WHERE product_key = $1 AND revoked_ms IS NULL",
};
DB_TABLE(token, ENTITY_TOKEN);

#define ALL_FIELDS(row)                                                                                      \
    COLUMN_FIELDS(COLUMNS, row), F_INT(&(row)->id), F_INT(&(row)->used_ms), F_TEXT((row)->used_from)

static bool check_name(struct db *db, const struct token *token, struct error *err)
{
    int64_t one;
    bool taken;
    return db_row(db, QUERY(TAKEN, PARAMS(P_TEXT(token->name)), FIELDS(F_INT(&one))), &taken, err) &&
           (!taken || error_set(err, ERROR_TOKEN_EXISTS, "another token has the name '%s'", token->name));
}

bool token_add(struct db *db, struct token *token, struct error *err)
{
    if (!check_name(db, token, err) ||
        !db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(COLUMNS, token))), NULL, err))
        return false;
    token->id = db_last_id(db);
    return true;
}

bool token_get(struct db *db, int64_t id, struct token *ret, struct error *err)
{
    bool found;
    *ret = (struct token){.id = 0};
    return db_row(db, QUERY(GET, PARAMS(P_INT(id)), FIELDS(ALL_FIELDS(ret))), &found, err) &&
           (found ||
            error_set(err, ERROR_TOKEN_NOT_FOUND, "there is no token with the number %lld", (long long)id));
}

bool token_update(struct db *db, const struct token *token, struct error *err)
{
    return db_do(db, COMMAND(UPDATE, PARAMS(COLUMN_PARAMS(COLUMNS, token), P_INT(token->id))), NULL, err);
}

bool token_use(struct db *db, int64_t id, int64_t used_ms, const char *from, struct error *err)
{
    return db_do(db, COMMAND(USE, PARAMS(P_INT(used_ms), P_TEXT(from), P_INT(id))), NULL, err);
}

bool token_list(struct db *db, struct token **ret, size_t *ret_count, struct error *err)
{
    struct token row = {.id = 0};
    return db_list(db, QUERY(LIST, PARAMS(P_INT(TOKEN_LIST_MAX)), FIELDS(ALL_FIELDS(&row))), &row, sizeof row,
                   ret, ret_count, err);
}

bool token_count_of_product(struct db *db, const char *product, int64_t *ret, struct error *err)
{
    bool found;
    return db_row(db, QUERY(OF_PRODUCT, PARAMS(P_TEXT(product)), FIELDS(F_INT(ret))), &found, err);
}
