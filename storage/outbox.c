/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/outbox.h"

#include "base/cleanup.h"
#include "storage/entities.h"

#define ADDED(FIRST, NEXT, row)                                                                              \
    FIRST(webhook_id, INT, row->webhook_id)                                                                  \
    NEXT(event_id, TEXT, row->event_id)                                                                      \
    NEXT(kind, TEXT, row->kind)                                                                              \
    NEXT(order_key, TEXT, row->order_key)                                                                    \
    NEXT(facts_sealed, SEALED, row->facts)                                                                   \
    NEXT(since_ms, INT, row->since_ms)                                                                       \
    NEXT(next_try_ms, INT_OR_NULL, row->next_try_ms)
#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(id, INT, row->id)                                                                                  \
    ADDED(NEXT, NEXT, row)                                                                                   \
    NEXT(tries, INT, row->tries)                                                                             \
    NEXT(error, TEXT_OR_NULL, row->error)                                                                    \
    NEXT(gave_up_ms, INT_OR_NULL, row->gave_up_ms)
#define ROW(row) FIELDS(COLUMN_FIELDS(COLUMNS, row))

enum {
    HAS_WAITING,
    ADD,
    BY_ID,
    DUE,
    LATEST,
    CLAMP,
    PUT_OFF,
    GIVE_UP,
    RESEND,
    REMOVE,
    PROMOTE,
    COUNTS,
    COUNT,
    COUNT_LOST,
    OLDEST_WAITING,
    OLDEST_FAILED,
    LIST_WAITING,
    LIST_FAILED
};
static const char *const sql[] = {
    [HAS_WAITING] =
        "SELECT 1 FROM outbox WHERE webhook_id = $1 AND order_key = $2 AND gave_up_ms IS NULL LIMIT 1",
    [ADD] = "INSERT INTO outbox (" COLUMN_NAMES(ADDED) ") VALUES (" COLUMN_VALUES(ADDED) ")",
    [BY_ID] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM outbox WHERE id = $1",
    [DUE] = "SELECT " COLUMN_NAMES(
        COLUMNS) " FROM outbox WHERE webhook_id = $1 AND next_try_ms <= $2 ORDER BY next_try_ms LIMIT $3",
    [LATEST] =
        "SELECT coalesce(max(next_try_ms), 0) FROM outbox WHERE webhook_id = $1 AND next_try_ms IS NOT NULL",
    [CLAMP] = "UPDATE outbox SET next_try_ms = $1 WHERE webhook_id = $2 AND next_try_ms > $3",
    [PUT_OFF] = "UPDATE outbox SET tries = tries + 1, next_try_ms = $1, error = $2 WHERE id = $3",
    [GIVE_UP] =
        "UPDATE outbox SET tries = tries + $1, next_try_ms = NULL, error = $2, gave_up_ms = $3 WHERE id = $4",
    [RESEND] =
        "UPDATE outbox SET tries = 0, since_ms = $1, next_try_ms = $2, gave_up_ms = NULL WHERE id = $3",
    [REMOVE] = "DELETE FROM outbox WHERE id = $1",
    [PROMOTE] =
        "UPDATE outbox SET next_try_ms = $1 WHERE id = (SELECT min(id) FROM outbox WHERE webhook_id = $2 "
        "AND order_key = $3 AND gave_up_ms IS NULL)",
    [COUNTS] = "SELECT waiting, failed FROM webhook WHERE id = $1",
    [COUNT] = "UPDATE webhook SET waiting = waiting + $1, failed = failed + $2 WHERE id = $3",
    [COUNT_LOST] = "UPDATE webhook SET lost = lost + 1 WHERE id = $1",
    [OLDEST_WAITING] = "SELECT " COLUMN_NAMES(
        COLUMNS) " FROM outbox WHERE webhook_id = $1 AND gave_up_ms IS NULL ORDER BY id LIMIT 1",
    [OLDEST_FAILED] = "SELECT " COLUMN_NAMES(
        COLUMNS) " FROM outbox WHERE webhook_id = $1 AND gave_up_ms IS NOT NULL ORDER BY id LIMIT 1",
    [LIST_WAITING] = "SELECT " COLUMN_NAMES(
        COLUMNS) " FROM outbox WHERE webhook_id = $1 AND gave_up_ms IS NULL AND id > $2 ORDER BY id LIMIT $3",
    [LIST_FAILED] = "SELECT " COLUMN_NAMES(
        COLUMNS) " FROM outbox WHERE webhook_id = $1 AND gave_up_ms IS NOT NULL AND id > $2 ORDER BY id LIMIT $3",
};
DB_TABLE(outbox, ENTITY_OUTBOX);

static bool count(struct db *db, int64_t webhook_id, int64_t waiting, int64_t failed, struct error *err)
{
    return db_do(db, COMMAND(COUNT, PARAMS(P_INT(waiting), P_INT(failed), P_INT(webhook_id))), NULL, err);
}

static bool find(struct db *db, int64_t id, struct outbox_row *ret, bool *ret_found, struct error *err)
{
    return db_row(db, QUERY(BY_ID, PARAMS(P_INT(id)), ROW(ret)), ret_found, err);
}

static bool has_waiting(struct db *db, const struct outbox_row *row, bool *ret, struct error *err)
{
    int64_t one;
    return db_row(
        db, QUERY(HAS_WAITING, PARAMS(P_INT(row->webhook_id), P_TEXT(row->order_key)), FIELDS(F_INT(&one))),
        ret, err);
}

/* The first of its order key has gone: the next one is due. */
static bool promote(struct db *db, const struct outbox_row *gone, int64_t now_ms, struct error *err)
{
    return !gone->next_try_ms ||
           db_do(db,
                 COMMAND(PROMOTE, PARAMS(P_INT(now_ms), P_INT(gone->webhook_id), P_TEXT(gone->order_key))),
                 NULL, err);
}

static bool remove_row(struct db *db, const struct outbox_row *row, int64_t now_ms, struct error *err)
{
    bool failed = row->gave_up_ms != 0;
    return db_do(db, COMMAND(REMOVE, PARAMS(P_INT(row->id))), NULL, err) &&
           count(db, row->webhook_id, failed ? 0 : -1, failed ? -1 : 0, err) && promote(db, row, now_ms, err);
}

static bool load_counts(struct db *db, int64_t webhook_id, int64_t *ret_waiting, int64_t *ret_failed,
                        struct error *err)
{
    bool found;
    return db_row(db, QUERY(COUNTS, PARAMS(P_INT(webhook_id)), FIELDS(F_INT(ret_waiting), F_INT(ret_failed))),
                  &found, err);
}

static bool lose_oldest_failed(struct db *db, int64_t webhook_id, int64_t now_ms, struct error *err)
{
    struct outbox_row oldest = {.id = 0};
    bool found;
    return db_row(db, QUERY(OLDEST_FAILED, PARAMS(P_INT(webhook_id)), ROW(&oldest)), &found, err) &&
           (!found || (remove_row(db, &oldest, now_ms, err) &&
                       db_do(db, COMMAND(COUNT_LOST, PARAMS(P_INT(webhook_id))), NULL, err)));
}

static bool give_up(struct db *db, const struct outbox_row *row, bool tried, const char *error,
                    int64_t now_ms, struct error *err)
{
    int64_t waiting, failed;
    return db_do(db, COMMAND(GIVE_UP, PARAMS(P_INT(tried), P_TEXT(error), P_INT(now_ms), P_INT(row->id))),
                 NULL, err) &&
           count(db, row->webhook_id, -1, 1, err) && promote(db, row, now_ms, err) &&
           load_counts(db, row->webhook_id, &waiting, &failed, err) &&
           (failed <= OUTBOX_FAILED_MAX || lose_oldest_failed(db, row->webhook_id, now_ms, err));
}

static bool give_up_oldest(struct db *db, int64_t webhook_id, int64_t now_ms, struct error *err)
{
    struct outbox_row oldest = {.id = 0};
    bool found;
    return db_row(db, QUERY(OLDEST_WAITING, PARAMS(P_INT(webhook_id)), ROW(&oldest)), &found, err) &&
           (!found || give_up(db, &oldest, false, "too many events were waiting", now_ms, err));
}

bool outbox_add(struct db *db, struct outbox_row *row, bool *ret_full, struct error *err)
{
    int64_t waiting, failed;
    bool behind;
    if (!has_waiting(db, row, &behind, err))
        return false;
    row->next_try_ms = behind ? 0 : row->since_ms;
    if (!db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(ADDED, row))), NULL, err))
        return false;
    row->id = db_last_id(db);
    if (!count(db, row->webhook_id, 1, 0, err) || !load_counts(db, row->webhook_id, &waiting, &failed, err))
        return false;
    *ret_full = waiting > OUTBOX_WAITING_MAX;
    return !*ret_full || give_up_oldest(db, row->webhook_id, row->since_ms, err);
}

bool outbox_due(struct db *db, int64_t webhook_id, int64_t now_ms, int64_t limit, struct outbox_row **ret,
                size_t *ret_count, struct error *err)
{
    struct outbox_row row = {.id = 0};
    return db_list(db, QUERY(DUE, PARAMS(P_INT(webhook_id), P_INT(now_ms), P_INT(limit)), ROW(&row)), &row,
                   sizeof row, ret, ret_count, err);
}

bool outbox_latest(struct db *db, int64_t webhook_id, int64_t *ret, struct error *err)
{
    bool found;
    return db_row(db, QUERY(LATEST, PARAMS(P_INT(webhook_id)), FIELDS(F_INT(ret))), &found, err);
}

bool outbox_clamp(struct db *db, int64_t webhook_id, int64_t latest_ms, int64_t now_ms, struct error *err)
{
    return db_do(db, COMMAND(CLAMP, PARAMS(P_INT(now_ms), P_INT(webhook_id), P_INT(latest_ms))), NULL, err);
}

bool outbox_delivered(struct db *db, int64_t id, int64_t now_ms, struct error *err)
{
    struct outbox_row row;
    bool found;
    return find(db, id, &row, &found, err) && (!found || remove_row(db, &row, now_ms, err));
}

bool outbox_put_off(struct db *db, int64_t id, int64_t next_try_ms, const char *error, struct error *err)
{
    struct outbox_row row;
    bool found;
    return find(db, id, &row, &found, err) &&
           (!found || !row.next_try_ms ||
            db_do(db, COMMAND(PUT_OFF, PARAMS(P_INT(next_try_ms), P_TEXT(error), P_INT(id))), NULL, err));
}

bool outbox_give_up(struct db *db, int64_t id, const char *error, int64_t now_ms, struct error *err)
{
    struct outbox_row row;
    bool found;
    return find(db, id, &row, &found, err) &&
           (!found || row.gave_up_ms || give_up(db, &row, true, error, now_ms, err));
}

bool outbox_list(struct db *db, int64_t webhook_id, bool failed, int64_t after, int64_t limit,
                 struct outbox_row **ret, size_t *ret_count, struct error *err)
{
    struct outbox_row row = {.id = 0};
    return db_list(db,
                   QUERY(failed ? LIST_FAILED : LIST_WAITING,
                         PARAMS(P_INT(webhook_id), P_INT(after), P_INT(limit)), ROW(&row)),
                   &row, sizeof row, ret, ret_count, err);
}

/* Of this webhook. */
static bool find_event(struct db *db, int64_t webhook_id, int64_t id, struct outbox_row *ret,
                       struct error *err)
{
    bool found;
    return find(db, id, ret, &found, err) &&
           ((found && ret->webhook_id == webhook_id) ||
            error_set(err, ERROR_EVENT_NOT_FOUND, "the webhook has no event %lld", (long long)id));
}

static bool resend(struct db *db, const struct outbox_row *row, int64_t now_ms, struct error *err)
{
    bool behind;
    return has_waiting(db, row, &behind, err) &&
           db_do(db, COMMAND(RESEND, PARAMS(P_INT(now_ms), behind ? P_NULL : P_INT(now_ms), P_INT(row->id))),
                 NULL, err) &&
           count(db, row->webhook_id, 1, -1, err);
}

/* Rows of the whole list, a few at a time: their facts take some room. */
static bool each_failed(struct db *db, int64_t webhook_id, int64_t now_ms,
                        bool (*run)(struct db *db, const struct outbox_row *row, int64_t now_ms,
                                    struct error *err),
                        int64_t *ret_count, struct error *err)
{
    size_t listed;
    *ret_count = 0;
    do {
        _cleanup_(cleanup_free) struct outbox_row *list = NULL;
        if (!outbox_list(db, webhook_id, true, 0, 100, &list, &listed, err))
            return false;
        for (size_t i = 0; i < listed; i++)
            if (!run(db, &list[i], now_ms, err))
                return false;
        *ret_count += (int64_t)listed;
    } while (listed > 0);
    return true;
}

bool outbox_resend(struct db *db, int64_t webhook_id, int64_t id, int64_t now_ms, int64_t *ret_count,
                   struct error *err)
{
    struct outbox_row row;
    if (!id)
        return each_failed(db, webhook_id, now_ms, resend, ret_count, err);
    if (!find_event(db, webhook_id, id, &row, err))
        return false;
    if (!row.gave_up_ms)
        return error_set(err, ERROR_EVENT_NOT_FOUND, "event %lld is not among the failed ones: it waits",
                         (long long)id);
    *ret_count = 1;
    return resend(db, &row, now_ms, err);
}

bool outbox_forget(struct db *db, int64_t webhook_id, int64_t id, int64_t now_ms, int64_t *ret_count,
                   struct error *err)
{
    struct outbox_row row;
    if (!id)
        return each_failed(db, webhook_id, now_ms, remove_row, ret_count, err);
    *ret_count = 1;
    return find_event(db, webhook_id, id, &row, err) && remove_row(db, &row, now_ms, err);
}
