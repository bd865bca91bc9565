/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/attempt.h"

#include "base/clock.h"
#include "storage/entities.h"

#define COLUMNS                                                                                                                                           \
    "id, device_id, firmware_id, link_id, from_version, to_version, target_version, state, reason, format, "                                              \
    "package_sha256, size_bytes, proven, released_by, origin, elsewhere, beside, by_proxy, acked, bytes_acked, fetches, created_ms, sent_ms, active_ms, " \
    "delivered_ms, ended_ms"

enum {
    OPEN_OF,
    PROMOTE,
    BY_ID,
    ADD,
    UPDATE,
    LIST,
    LINK_DELIVERIES,
    COUNT_GONE,
    INTERRUPT_ALL,
    SILENT_OF,
    SENDING,
    EMPTY_OF,
    RENEW,
    FORGET_OFFER
};
static const char *const sql[] = {
    [OPEN_OF] = "SELECT " COLUMNS
                " FROM attempt WHERE device_id = $1 AND beside = $2 "
                "AND state IN ('waiting', 'sending', 'interrupted', 'delivered', 'handed_over')",
    [PROMOTE] = "UPDATE attempt SET beside = 0 WHERE id = $1",
    [BY_ID] = "SELECT " COLUMNS " FROM attempt WHERE id = $1",
    [ADD] =
        "INSERT INTO attempt (device_id, firmware_id, link_id, from_version, to_version, target_version, "
        "state, "
        "reason, created_ms, beside) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    [UPDATE] =
        "UPDATE attempt SET link_id = $1, to_version = $2, target_version = $3, state = $4, reason = $5, "
        "format = $6, package_sha256 = $7, size_bytes = $8, acked = $9, bytes_acked = $10, fetches = $11, sent_ms = $12, "
        "active_ms = $13, delivered_ms = $14, ended_ms = $15, proven = $16, released_by = $17, by_proxy = $18, origin = $19, elsewhere = $20 WHERE id = $21",
    [LIST] = "SELECT " COLUMNS " FROM attempt WHERE device_id = $1 ORDER BY id DESC LIMIT $2",
    [LINK_DELIVERIES] =
        ("SELECT count(*), coalesce(max(delivered_ms), 0) FROM attempt WHERE link_id = $1 "
         "AND from_version = $2 AND target_version = $3 AND delivered_ms > $4 AND delivered_ms <= $5"),
    [COUNT_GONE] =
        "SELECT count(DISTINCT from_version || '>' || to_version) FROM attempt WHERE device_id = $1 "
        "AND state = 'confirmed' AND sent_ms > $2 AND sent_ms <= $3 AND NOT (from_version = $4 AND to_version = $5)",
    [SILENT_OF] =
        "SELECT " COLUMNS
        " FROM attempt WHERE id = (SELECT max(id) FROM attempt WHERE device_id = $1 AND beside = 0) AND state = 'silent'",
    [SENDING] = "SELECT " COLUMNS " FROM attempt WHERE state = 'sending'",
    [EMPTY_OF] =
        "SELECT id FROM attempt a WHERE device_id = $1 AND ended_ms IS NOT NULL AND fetches = 0 AND size_bytes IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.attempt_id = a.id) ORDER BY id DESC LIMIT 1",
    [RENEW] =
        "UPDATE attempt SET firmware_id = $1, link_id = $2, from_version = $3, to_version = $4, target_version = $5, "
        "state = $6, reason = $7, created_ms = $8, beside = $9, origin = '', elsewhere = '', ended_ms = NULL WHERE id = $10",
    [FORGET_OFFER] = "DELETE FROM turnkey WHERE attempt_id = $1",
    [INTERRUPT_ALL] = "UPDATE attempt SET state = 'interrupted' WHERE state = 'sending'",
};
DB_TABLE(attempt, ENTITY_ATTEMPT);

#define ROW(a)                                                                                               \
    FIELDS(F_INT(&(a)->id), F_INT(&(a)->device_id), F_INT(&(a)->firmware_id), F_INT(&(a)->link_id),          \
           F_TEXT((a)->from), F_TEXT((a)->to), F_TEXT((a)->target), F_TEXT((a)->state), F_TEXT((a)->reason), \
           F_TEXT((a)->format), F_HASH(&(a)->package_sha256), F_INT(&(a)->size_bytes), F_INT(&(a)->proven),  \
           F_TEXT((a)->released_by), F_TEXT((a)->origin), F_TEXT((a)->elsewhere), F_INT(&(a)->beside),       \
           F_INT(&(a)->by_proxy), F_TEXT((a)->acked), F_INT(&(a)->bytes_acked), F_INT(&(a)->fetches),        \
           F_INT(&(a)->created_ms), F_INT(&(a)->sent_ms), F_INT(&(a)->active_ms), F_INT(&(a)->delivered_ms), \
           F_INT(&(a)->ended_ms))

enum attempt_state attempt_state_of(const struct attempt *attempt)
{
    enum attempt_state state = ATTEMPT_ABANDONED;
    attempt_state_parse(slice_of(attempt->state), &state); /* the schema admits no other text */
    return state;
}

bool attempt_open_of(struct db *db, int64_t device_id, bool beside, struct attempt *ret, bool *ret_found,
                     struct error *err)
{
    return db_row(db, &attempt_statements, OPEN_OF, PARAMS(P_INT(device_id), P_INT(beside)), ROW(ret),
                  ret_found, err);
}

bool attempt_promote(struct db *db, struct attempt *attempt, struct error *err)
{
    attempt->beside = 0;
    return db_do(db, &attempt_statements, PROMOTE, PARAMS(P_INT(attempt->id)), NULL, err);
}

bool attempt_by_id(struct db *db, int64_t id, struct attempt *ret, bool *ret_found, struct error *err)
{
    return db_row(db, &attempt_statements, BY_ID, PARAMS(P_INT(id)), ROW(ret), ret_found, err);
}

bool attempt_add(struct db *db, struct attempt *attempt, struct error *err)
{
    if (!db_do(db, &attempt_statements, ADD,
               PARAMS(P_INT(attempt->device_id), P_INT(attempt->firmware_id), P_INT_OR_NULL(attempt->link_id),
                      P_TEXT(attempt->from), P_TEXT(attempt->to), P_TEXT(attempt->target),
                      P_TEXT(attempt->state), P_TEXT(attempt->reason), P_INT(attempt->created_ms),
                      P_INT(attempt->beside)),
               NULL, err))
        return false;
    attempt->id = db_last_id(db);
    return true;
}

bool attempt_add_in_place(struct db *db, struct attempt *attempt, bool *ret_found, struct error *err)
{
    int64_t id;
    if (!db_row(db, &attempt_statements, EMPTY_OF, PARAMS(P_INT(attempt->device_id)), FIELDS(F_INT(&id)),
                ret_found, err))
        return false;
    if (!*ret_found)
        return true;
    attempt->id = id;
    return db_do(db, &attempt_statements, FORGET_OFFER, PARAMS(P_INT(id)), NULL, err) &&
           db_do(db, &attempt_statements, RENEW,
                 PARAMS(P_INT(attempt->firmware_id), P_INT_OR_NULL(attempt->link_id), P_TEXT(attempt->from),
                        P_TEXT(attempt->to), P_TEXT(attempt->target), P_TEXT(attempt->state),
                        P_TEXT(attempt->reason), P_INT(attempt->created_ms), P_INT(attempt->beside),
                        P_INT(id)),
                 NULL, err);
}

bool attempt_update(struct db *db, const struct attempt *attempt, struct error *err)
{
    bool pinned = attempt->size_bytes > 0;
    return db_do(db, &attempt_statements, UPDATE,
                 PARAMS(P_INT_OR_NULL(attempt->link_id), P_TEXT(attempt->to), P_TEXT(attempt->target),
                        P_TEXT(attempt->state), P_TEXT(attempt->reason), P_TEXT_OR_NULL(attempt->format),
                        pinned ? P_HASH(&attempt->package_sha256) : P_NULL,
                        P_INT_OR_NULL(attempt->size_bytes), P_TEXT(attempt->acked),
                        P_INT(attempt->bytes_acked), P_INT(attempt->fetches), P_INT_OR_NULL(attempt->sent_ms),
                        P_INT_OR_NULL(attempt->active_ms), P_INT_OR_NULL(attempt->delivered_ms),
                        P_INT_OR_NULL(attempt->ended_ms), P_INT(!pinned || attempt->proven),
                        P_TEXT_OR_NULL(attempt->released_by), P_INT(attempt->by_proxy),
                        P_TEXT(attempt->origin), P_TEXT(attempt->elsewhere), P_INT(attempt->id)),
                 NULL, err);
}

bool attempt_list(struct db *db, int64_t device_id, int64_t limit, struct attempt **ret, size_t *ret_count,
                  struct error *err)
{
    struct attempt row = {0};
    return db_list(db, &attempt_statements, LIST, PARAMS(P_INT(device_id), P_INT(limit)), ROW(&row), &row,
                   sizeof row, ret, ret_count, err);
}

bool attempt_link_deliveries(struct db *db, int64_t link_id, const char *from, const char *target,
                             int64_t since_ms, int64_t now_ms, struct link_deliveries *ret, struct error *err)
{
    bool found;
    return db_row(
        db, &attempt_statements, LINK_DELIVERIES,
        PARAMS(P_INT(link_id), P_TEXT(from), P_TEXT(target), P_INT(since_ms), P_INT(now_ms + CLOCK_AHEAD_MS)),
        FIELDS(F_INT(&ret->count), F_INT(&ret->last_ms)), &found, err);
}

bool attempt_count_gone(struct db *db, int64_t device_id, const char *from, const char *to, int64_t since_ms,
                        int64_t now_ms, int64_t *ret, struct error *err)
{
    bool found;
    return db_row(
        db, &attempt_statements, COUNT_GONE,
        PARAMS(P_INT(device_id), P_INT(since_ms), P_INT(now_ms + CLOCK_AHEAD_MS), P_TEXT(from), P_TEXT(to)),
        FIELDS(F_INT(ret)), &found, err);
}

bool attempt_interrupt_all(struct db *db, struct error *err)
{
    return db_do(db, &attempt_statements, INTERRUPT_ALL, NO_PARAMS, NULL, err);
}

bool attempt_silent_of(struct db *db, int64_t device_id, struct attempt *ret, bool *ret_found,
                       struct error *err)
{
    return db_row(db, &attempt_statements, SILENT_OF, PARAMS(P_INT(device_id)), ROW(ret), ret_found, err);
}

bool attempt_list_sending(struct db *db, struct attempt **ret, size_t *ret_count, struct error *err)
{
    struct attempt row = {0};
    return db_list(db, &attempt_statements, SENDING, NO_PARAMS, ROW(&row), &row, sizeof row, ret, ret_count,
                   err);
}

void attempt_clamp(struct attempt *attempt, int64_t now_ms)
{
    int64_t *const times[] = {&attempt->created_ms, &attempt->sent_ms, &attempt->active_ms,
                              &attempt->delivered_ms, &attempt->ended_ms};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        *times[i] = clock_clamp(*times[i], now_ms);
}
