/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/device_secret.h"

#include <openssl/rand.h>

#include "base/clock.h"
#include "storage/entities.h"

#define MADE_LENGTH 26

#define ADDED(FIRST, NEXT, row)                                                                              \
    FIRST(product_id, INT, row->product_id)                                                                  \
    NEXT(device_id, INT_OR_NULL, row->device_id)                                                             \
    NEXT(value_sealed, SEALED, row->value)                                                                   \
    NEXT(created_ms, INT, row->created_ms)                                                                   \
    NEXT(ends_ms, INT_OR_NULL, row->ends_ms)                                                                 \
    NEXT(revoked_ms, INT_OR_NULL, row->revoked_ms)
#define COLUMNS(FIRST, NEXT, row) FIRST(id, INT, row->id) ADDED(NEXT, NEXT, row)
#define OF_SECRET(FIRST, NEXT, row)                                                                          \
    FIRST(s.id, INT, row->id)                                                                                \
    NEXT(s.product_id, INT, row->product_id)                                                                 \
    NEXT(s.device_id, INT_OR_NULL, row->device_id)                                                           \
    NEXT(s.value_sealed, SEALED, row->value)                                                                 \
    NEXT(s.created_ms, INT, row->created_ms)                                                                 \
    NEXT(s.ends_ms, INT_OR_NULL, row->ends_ms)                                                               \
    NEXT(s.revoked_ms, INT_OR_NULL, row->revoked_ms)

#define ROWS                                                                                                 \
    "SELECT " COLUMN_NAMES(OF_SECRET) ", d.id_kind, d.device, "                                              \
    "(SELECT count(*) FROM device_secret_use u WHERE u.secret_id = s.id), "                                  \
    "(SELECT max(u.used_ms) FROM device_secret_use u WHERE u.secret_id = s.id) "                             \
    "FROM device_secret s LEFT JOIN device d ON d.id = s.device_id WHERE s.product_id = $1 "
#define ROW_FIELDS(row)                                                                                      \
    FIELDS(COLUMN_FIELDS(OF_SECRET, (&(row)->secret)), F_TEXT((row)->id_kind), F_TEXT((row)->device),        \
           F_INT(&(row)->devices), F_INT(&(row)->used_ms))

enum { ADD, COUNT, FIND, GET, END, LIST, SHOW, USED, SET_USED, CONFLICT, SET_CONFLICT };
static const char *const sql[] = {
    [ADD] =
        "INSERT INTO device_secret (" COLUMN_NAMES(ADDED) ", value_mac) VALUES (" COLUMN_VALUES(ADDED) ", $value_mac) "
        "ON CONFLICT (value_mac) DO NOTHING",
    [COUNT] =
        ("SELECT count(*) FROM device_secret WHERE product_id = $1 AND coalesce(device_id, 0) = $2 "
         "AND revoked_ms IS NULL AND (ends_ms IS NULL OR ends_ms > $3)"),
    [FIND] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM device_secret WHERE value_mac = $1",
    [GET] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM device_secret WHERE product_id = $1 AND id = $2",
    [END] = "UPDATE device_secret SET ends_ms = $1, revoked_ms = $2 WHERE id = $3",
    [LIST] = ROWS "AND ($2 = 0 OR s.device_id = $2) ORDER BY s.device_id IS NOT NULL, s.id LIMIT $3",
    [SHOW] = ROWS "AND s.id = $2",
    [USED] = "SELECT secret_id, used_ms FROM device_secret_use WHERE device_id = $1",
    [SET_USED] =
        ("INSERT INTO device_secret_use (device_id, secret_id, used_ms) VALUES ($1, $2, $3) "
         "ON CONFLICT (device_id) DO UPDATE SET secret_id = excluded.secret_id, used_ms = excluded.used_ms"),
    [CONFLICT] = "SELECT secret_id, at_ms FROM device_secret_conflict WHERE device_id = $1",
    [SET_CONFLICT] =
        ("INSERT INTO device_secret_conflict (device_id, secret_id, at_ms) VALUES ($1, $2, $3) "
         "ON CONFLICT (device_id) DO UPDATE SET secret_id = excluded.secret_id, at_ms = excluded.at_ms"),
};
DB_TABLE(device_secret, ENTITY_DEVICE_SECRET);

bool device_secret_is_valid(const struct device_secret *secret, int64_t now_ms)
{
    return !secret->revoked_ms && (!secret->ends_ms || now_ms < secret->ends_ms);
}

bool device_secret_is_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool device_secret_is_text(struct slice text)
{
    bool fits = text.len >= DEVICE_SECRET_LEAST && text.len < DEVICE_SECRET_SIZE;
    for (size_t i = 0; fits && i < text.len; i++)
        fits = device_secret_is_char(text.ptr[i]);
    return fits;
}

bool device_secret_make(char out[DEVICE_SECRET_SIZE], struct error *err)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char random[MADE_LENGTH];
    if (RAND_bytes(random, sizeof random) != 1)
        return error_set(err, ERROR_INTERNAL, "no random numbers for a secret");
    for (size_t i = 0; i < sizeof random; i++)
        out[i] = digits[random[i] & 31];
    out[sizeof random] = '\0';
    return true;
}

bool device_secret_add(struct db *db, struct device_secret *secret, struct error *err)
{
    int64_t count = 0, changes;
    bool found;
    if (!db_row(db,
                QUERY(COUNT,
                      PARAMS(P_INT(secret->product_id), P_INT(secret->device_id), P_INT(secret->created_ms)),
                      FIELDS(F_INT(&count))),
                &found, err))
        return false;
    if (count >= DEVICE_SECRETS_MAX)
        return error_set(err, ERROR_INVALID, "there are %d valid secrets already: revoke one before",
                         DEVICE_SECRETS_MAX);
    if (!db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(ADDED, secret), P_MAC(secret->value))), &changes, err))
        return false;
    if (!changes)
        return error_set(err, ERROR_INVALID, "this secret cannot be used: choose another one");
    secret->id = db_last_id(db);
    return true;
}

bool device_secret_find(struct db *db, const char *value, struct device_secret *ret, bool *ret_found,
                        struct error *err)
{
    return db_row(db, QUERY(FIND, PARAMS(P_MAC(value)), FIELDS(COLUMN_FIELDS(COLUMNS, ret))), ret_found, err);
}

bool device_secret_get(struct db *db, int64_t product_id, int64_t id, struct device_secret *ret,
                       struct error *err)
{
    bool found;
    return db_row(db, QUERY(GET, PARAMS(P_INT(product_id), P_INT(id)), FIELDS(COLUMN_FIELDS(COLUMNS, ret))),
                  &found, err) &&
           (found || error_set(err, ERROR_SECRET_NOT_FOUND, "the product has no secret with the number %lld",
                               (long long)id));
}

bool device_secret_end(struct db *db, const struct device_secret *secret, struct error *err)
{
    return db_do(db,
                 COMMAND(END, PARAMS(P_INT_OR_NULL(secret->ends_ms), P_INT_OR_NULL(secret->revoked_ms),
                                     P_INT(secret->id))),
                 NULL, err);
}

bool device_secret_list(struct db *db, int64_t product_id, int64_t device_id, struct device_secret_row **ret,
                        size_t *ret_count, struct error *err)
{
    struct device_secret_row row = {.devices = 0};
    return db_list(
        db,
        QUERY(LIST, PARAMS(P_INT(product_id), P_INT(device_id), P_INT(DEVICE_SECRET_LIST)), ROW_FIELDS(&row)),
        &row, sizeof row, ret, ret_count, err);
}

bool device_secret_show(struct db *db, int64_t product_id, int64_t id, struct device_secret_row *ret,
                        struct error *err)
{
    bool found;
    return db_row(db, QUERY(SHOW, PARAMS(P_INT(product_id), P_INT(id)), ROW_FIELDS(ret)), &found, err) &&
           (found || error_set(err, ERROR_SECRET_NOT_FOUND, "the product has no secret with the number %lld",
                               (long long)id));
}

static bool load(struct db *db, unsigned statement, int64_t device_id, struct device_secret_use *ret,
                 struct error *err)
{
    bool found;
    *ret = (struct device_secret_use){.secret_id = 0};
    return db_row(
        db, QUERY(statement, PARAMS(P_INT(device_id)), FIELDS(F_INT(&ret->secret_id), F_INT(&ret->at_ms))),
        &found, err);
}

static bool store(struct db *db, unsigned statement, int64_t device_id, const struct device_secret_use *use,
                  struct error *err)
{
    return db_do(db, COMMAND(statement, PARAMS(P_INT(device_id), P_INT(use->secret_id), P_INT(use->at_ms))),
                 NULL, err);
}

bool device_secret_used(struct db *db, int64_t device_id, struct device_secret_use *ret, struct error *err)
{
    return load(db, USED, device_id, ret, err);
}

bool device_secret_set_used(struct db *db, int64_t device_id, const struct device_secret_use *use,
                            struct error *err)
{
    return store(db, SET_USED, device_id, use, err);
}

bool device_secret_conflict(struct db *db, int64_t device_id, struct device_secret_use *ret,
                            struct error *err)
{
    return load(db, CONFLICT, device_id, ret, err);
}

bool device_secret_set_conflict(struct db *db, int64_t device_id, const struct device_secret_use *use,
                                struct error *err)
{
    return store(db, SET_CONFLICT, device_id, use, err);
}
