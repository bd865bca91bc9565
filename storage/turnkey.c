/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/turnkey.h"

#include "storage/entities.h"

#define RESULT(FIRST, NEXT, row)                                                                             \
    FIRST(result_code, INT, row->result_code)                                                                \
    NEXT(result_form, ENUM_OR_NULL, row->result_form, &turnkey_form_names)                                   \
    NEXT(result_ms, INT, row->result_ms)
#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(attempt_id, INT, row->attempt_id)                                                                  \
    NEXT(fota_sn, TEXT, row->fota_sn)                                                                        \
    NEXT(core_id, INT_OR_UNKNOWN, row->core_id)                                                              \
    RESULT(NEXT, NEXT, row)
#define ROW(row) FIELDS(COLUMN_FIELDS(COLUMNS, row))

enum { OF_ATTEMPT, BY_SN, ADD, SET_RESULT, SET_CORE_ID, LINK_OF, SET_LINK };
static const char *const sql[] = {
    [OF_ATTEMPT] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM turnkey WHERE attempt_id = $1",
    [BY_SN] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM turnkey WHERE fota_sn = $1",
    [ADD] = "INSERT INTO turnkey (attempt_id, fota_sn) VALUES ($1, $2)",
    [SET_RESULT] = "UPDATE turnkey SET " COLUMN_CHANGES(RESULT) " WHERE attempt_id = $attempt_id",
    [SET_CORE_ID] = "UPDATE turnkey SET core_id = $1 WHERE attempt_id = $2",
    [LINK_OF] =
        "SELECT l.token_sealed FROM turnkey_link t JOIN link l ON l.id = t.link_id "
        "WHERE t.device_id = $1 AND t.firmware_id = $2 AND l.revoked_ms IS NULL",
    [SET_LINK] =
        "INSERT INTO turnkey_link (device_id, firmware_id, link_id) VALUES ($1, $2, $3) "
        "ON CONFLICT (device_id, firmware_id) DO UPDATE SET link_id = excluded.link_id",
};
DB_TABLE(turnkey, ENTITY_TURNKEY);

bool turnkey_of_attempt(struct db *db, int64_t attempt_id, struct turnkey *ret, bool *ret_found,
                        struct error *err)
{
    return db_row(db, QUERY(OF_ATTEMPT, PARAMS(P_INT(attempt_id)), ROW(ret)), ret_found, err);
}

bool turnkey_by_sn(struct db *db, const char *fota_sn, struct turnkey *ret, bool *ret_found,
                   struct error *err)
{
    return db_row(db, QUERY(BY_SN, PARAMS(P_TEXT(fota_sn)), ROW(ret)), ret_found, err);
}

bool turnkey_ensure(struct db *db, int64_t attempt_id, struct turnkey *ret, struct error *err)
{
    bool found;
    if (!turnkey_of_attempt(db, attempt_id, ret, &found, err))
        return false;
    if (found)
        return true;
    *ret = (struct turnkey){.attempt_id = attempt_id, .core_id = DB_UNKNOWN};
    return link_make_token(ret->fota_sn, err) &&
           db_do(db, COMMAND(ADD, PARAMS(P_INT(attempt_id), P_TEXT(ret->fota_sn))), NULL, err);
}

bool turnkey_set_core_id(struct db *db, const struct turnkey *turnkey, struct error *err)
{
    return db_do(db,
                 COMMAND(SET_CORE_ID, PARAMS(P_INT_OR_UNKNOWN(turnkey->core_id), P_INT(turnkey->attempt_id))),
                 NULL, err);
}

bool turnkey_set_result(struct db *db, const struct turnkey *turnkey, struct error *err)
{
    return db_do(db, COMMAND(SET_RESULT, PARAMS(COLUMN_PARAMS(RESULT, turnkey), P_INT(turnkey->attempt_id))),
                 NULL, err);
}

bool turnkey_link_ensure(struct db *db, int64_t device_id, int64_t firmware_id, int64_t now_ms,
                         struct link *ret, struct error *err)
{
    char token[LINK_TOKEN_SIZE];
    bool found;
    if (!db_row(db, QUERY(LINK_OF, PARAMS(P_INT(device_id), P_INT(firmware_id)), FIELDS(F_SEALED(token))),
                &found, err))
        return false;
    if (found)
        return link_find(db, token, ret, &found, err);
    *ret = (struct link){
        .device_id = device_id, .firmware_id = firmware_id, .created_ms = now_ms, .handed_out = true};
    return link_add(db, ret, err) &&
           db_do(db, COMMAND(SET_LINK, PARAMS(P_INT(device_id), P_INT(firmware_id), P_INT(ret->id))), NULL,
                 err);
}
