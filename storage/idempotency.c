/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/idempotency.h"

#include "storage/entities.h"

#define EXPIRED_AT_ONCE 100

enum { FIND, FORGET, EXPIRE, ADD, LIMIT, ANSWER, BYTES, TRIM };
static const char *const sql[] = {
    [FIND] = ("SELECT fingerprint_mac = $1, answer_sealed IS NOT NULL, answer_sealed FROM idempotency "
              "WHERE token_id = $2 AND key = $3 AND created_ms > $4"),
    [FORGET] = "DELETE FROM idempotency WHERE token_id = $1 AND key = $2",
    [EXPIRE] = ("DELETE FROM idempotency WHERE id IN "
                "(SELECT id FROM idempotency WHERE created_ms <= $1 ORDER BY created_ms LIMIT $2)"),
    [ADD] = ("INSERT INTO idempotency (token_id, key, fingerprint_mac, created_ms) VALUES ($1, $2, $3, $4)"),
    [LIMIT] = "DELETE FROM idempotency WHERE id <= $1",
    [ANSWER] = "UPDATE idempotency SET answer_bytes = $1, answer_sealed = $2 WHERE id = $3",
    [BYTES] = "SELECT coalesce(sum(answer_bytes), 0) FROM idempotency WHERE answer_bytes > 0",
    [TRIM] =
        ("UPDATE idempotency SET answer_bytes = 0, answer_sealed = NULL WHERE id IN "
         "(SELECT id FROM (SELECT id, sum(answer_bytes) OVER (ORDER BY +id DESC) AS bytes FROM idempotency "
         "WHERE answer_bytes > 0) WHERE bytes > $1)"),
};
DB_TABLE(idempotency, ENTITY_IDEMPOTENCY);

bool idempotency_find(struct db *db, const struct idempotency_call *call, int64_t now_ms,
                      struct idempotency_found *ret, bool *ret_found, struct error *err)
{
    *ret = (struct idempotency_found){.is_same = false};
    return db_row(
        db,
        QUERY(FIND,
              PARAMS(P_MAC(call->fingerprint), P_INT(call->token_id), P_TEXT(call->key),
                     P_INT(now_ms - IDEMPOTENCY_KEEP_MS)),
              FIELDS(F_BOOL(&ret->is_same), F_BOOL(&ret->has_answer), F_SEALED_BYTES(&ret->answer))),
        ret_found, err);
}

bool idempotency_add(struct db *db, const struct idempotency_call *call, int64_t now_ms, int64_t *ret_id,
                     struct error *err)
{
    int64_t ignored;
    /* A key that was not found is gone or too old. */
    if (!db_do(db, COMMAND(FORGET, PARAMS(P_INT(call->token_id), P_TEXT(call->key))), NULL, err) ||
        !idempotency_expire(db, now_ms, EXPIRED_AT_ONCE, &ignored, err) ||
        !db_do(db,
               COMMAND(ADD, PARAMS(P_INT(call->token_id), P_TEXT(call->key), P_MAC(call->fingerprint),
                                   P_INT(now_ms))),
               NULL, err))
        return false;
    *ret_id = db_last_id(db); /* ids are given out one after the other, and never again */
    return db_do(db, COMMAND(LIMIT, PARAMS(P_INT(*ret_id - IDEMPOTENCY_KEYS_MAX))), NULL, err);
}

bool idempotency_answer(struct db *db, int64_t id, struct slice answer, struct error *err)
{
    int64_t bytes = 0;
    bool found;
    return db_do(db, COMMAND(ANSWER, PARAMS(P_INT(answer.len), P_SEALED_BYTES(answer), P_INT(id))), NULL,
                 err) &&
           db_row(db, QUERY(BYTES, NO_PARAMS, FIELDS(F_INT(&bytes))), &found, err) &&
           (bytes <= IDEMPOTENCY_BYTES_MAX ||
            db_do(db, COMMAND(TRIM, PARAMS(P_INT(IDEMPOTENCY_BYTES_MAX))), NULL, err));
}

bool idempotency_expire(struct db *db, int64_t now_ms, int64_t most, int64_t *ret_removed, struct error *err)
{
    return db_do(db, COMMAND(EXPIRE, PARAMS(P_INT(now_ms - IDEMPOTENCY_KEEP_MS), P_INT(most))), ret_removed,
                 err);
}
