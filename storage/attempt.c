/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/attempt.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "storage/entities.h"
#include "storage/fleet.h"

/* Columns of indexes and of foreign keys. Storing them costs much more than the others, and they rarely change. */
#define AIMED(FIRST, NEXT, row)                                                                              \
    FIRST(link_id, INT_OR_NULL, row->link_id)                                                                \
    NEXT(to_version, TEXT, row->to)                                                                          \
    NEXT(target_version, TEXT, row->target)                                                                  \
    NEXT(package_sha256, HASH_OR_NULL, row->package_sha256)                                                  \
    NEXT(origin, TEXT, row->origin)                                                                          \
    NEXT(ready_ms, INT_OR_NULL, row->ready_ms)
/* In indexes too, and changes several times. */
#define STATE(FIRST, NEXT, row) FIRST(state, ENUM, row->state, &attempt_state_names)
#define PLAIN(FIRST, NEXT, row)                                                                              \
    FIRST(campaign_id, INT_OR_NULL, row->campaign_id)                                                        \
    NEXT(reason, TEXT, row->reason)                                                                          \
    NEXT(format, TEXT_OR_NULL, row->format)                                                                  \
    NEXT(size_bytes, INT_OR_NULL, row->size_bytes)                                                           \
    NEXT(proven, BOOL, row->proven)                                                                          \
    NEXT(released_by, TEXT_OR_NULL, row->released_by)                                                        \
    NEXT(elsewhere, TEXT, row->elsewhere)                                                                    \
    NEXT(by_proxy, BOOL, row->by_proxy)                                                                      \
    NEXT(acked, TEXT, row->acked)                                                                            \
    NEXT(bytes_acked, INT, row->bytes_acked)                                                                 \
    NEXT(fetches, INT, row->fetches)                                                                         \
    NEXT(sent_ms, INT_OR_NULL, row->sent_ms)                                                                 \
    NEXT(active_ms, INT_OR_NULL, row->active_ms)                                                             \
    NEXT(delivered_ms, INT_OR_NULL, row->delivered_ms)                                                       \
    NEXT(ended_ms, INT_OR_NULL, row->ended_ms)
#define CHANGED(FIRST, NEXT, row) AIMED(FIRST, NEXT, row) STATE(NEXT, NEXT, row) PLAIN(NEXT, NEXT, row)
#define ADDED(FIRST, NEXT, row)                                                                              \
    FIRST(device_id, INT, row->device_id)                                                                    \
    NEXT(firmware_id, INT, row->firmware_id)                                                                 \
    NEXT(from_version, TEXT, row->from)                                                                      \
    NEXT(created_ms, INT, row->created_ms)                                                                   \
    NEXT(beside, BOOL, row->beside)                                                                          \
    CHANGED(NEXT, NEXT, row)
#define COLUMNS(FIRST, NEXT, row) FIRST(id, INT, row->id) ADDED(NEXT, NEXT, row)
#define ROW(row)                  FIELDS(COLUMN_FIELDS(COLUMNS, row))

enum {
    OPEN_OF,
    OPEN_PAIR,
    PROMOTE,
    BY_ID,
    ADD,
    UPDATE_AIMED,
    UPDATE_STATE,
    UPDATE_PLAIN,
    LIST,
    LINK_DELIVERIES,
    COUNT_GONE,
    SILENT_OF,
    SENDING,
    EMPTY_OF,
    RENEW,
    FORGET_OFFER
};
static const char *const sql[] = {
    [OPEN_OF] = "SELECT " COLUMN_NAMES(COLUMNS)
                " FROM attempt WHERE device_id = $1 AND beside = $2 AND " ATTEMPT_IS_OPEN(""),
    [OPEN_PAIR] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM attempt WHERE device_id = $1 AND " ATTEMPT_IS_OPEN(""),
    [PROMOTE] = "UPDATE attempt SET beside = 0 WHERE id = $1",
    [BY_ID] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM attempt WHERE id = $1",
    [ADD] = "INSERT INTO attempt (" COLUMN_NAMES(ADDED) ") VALUES (" COLUMN_VALUES(ADDED) ")",
    [UPDATE_AIMED] = "UPDATE attempt SET " COLUMN_CHANGES(AIMED) " WHERE id = $id",
    [UPDATE_STATE] = "UPDATE attempt SET " COLUMN_CHANGES(STATE) " WHERE id = $id",
    [UPDATE_PLAIN] = "UPDATE attempt SET " COLUMN_CHANGES(PLAIN) " WHERE id = $id",
    [LIST] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM attempt WHERE device_id = $1 ORDER BY id DESC LIMIT $2",
    [LINK_DELIVERIES] =
        ("SELECT count(*), coalesce(max(delivered_ms), 0) FROM attempt WHERE link_id = $1 "
         "AND from_version = $2 AND target_version = $3 AND delivered_ms > $4 AND delivered_ms <= $5"),
    [COUNT_GONE] =
        "SELECT count(DISTINCT from_version || '>' || to_version) FROM attempt WHERE device_id = $1 "
        "AND state = 'confirmed' AND sent_ms > $2 AND sent_ms <= $3 AND NOT (from_version = $4 AND "
        "to_version = $5)",
    [SILENT_OF] =
        "SELECT " COLUMN_NAMES(COLUMNS) " FROM attempt WHERE id = (SELECT max(id) FROM attempt "
        "WHERE device_id = $1 AND beside = 0) AND state = 'silent'",
    [SENDING] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM attempt WHERE state = 'sending'",
    [EMPTY_OF] =
        "SELECT id FROM attempt a WHERE device_id = $1 AND ended_ms IS NOT NULL AND fetches = 0 "
        "AND size_bytes IS NULL AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.attempt_id = a.id) "
        "ORDER BY id DESC LIMIT 1",
    [RENEW] = "UPDATE attempt SET " COLUMN_CHANGES(ADDED) " WHERE id = $id",
    [FORGET_OFFER] = "DELETE FROM turnkey WHERE attempt_id = $1",
};
DB_TABLE(attempt, ENTITY_ATTEMPT);

/* Before it is pinned to bytes, an attempt is stored as proven. */
static struct attempt as_stored(const struct attempt *attempt)
{
    struct attempt stored = *attempt;
    stored.proven = attempt->proven || !attempt->size_bytes;
    return stored;
}

static struct fleet_attempt counted_of(const struct attempt *attempt)
{
    struct fleet_attempt counted = {.device_id = attempt->device_id,
                                    .firmware_id = attempt->firmware_id,
                                    .beside = attempt->beside,
                                    .bytes_acked = attempt->bytes_acked,
                                    .campaign_id = attempt->campaign_id};
    memcpy(counted.from, attempt->from, sizeof counted.from);
    memcpy(counted.to, attempt->to, sizeof counted.to);
    memcpy(counted.target, attempt->target, sizeof counted.target);
    memcpy(counted.origin, attempt->origin, sizeof counted.origin);
    slice_copy(slice_of(attempt_state_name(attempt->state)), counted.state, sizeof counted.state);
    return counted;
}

/* How an attempt is counted before it is changed. There is nothing to count when it has no row. */
static bool load_counted(struct db *db, int64_t id, struct fleet_attempt *ret, struct error *err)
{
    struct attempt stored;
    bool found;
    *ret = (struct fleet_attempt){.device_id = 0};
    if (!attempt_by_id(db, id, &stored, &found, err))
        return false;
    if (found)
        *ret = counted_of(&stored);
    return true;
}

bool attempt_open_of(struct db *db, int64_t device_id, bool beside, struct attempt *ret, bool *ret_found,
                     struct error *err)
{
    return db_row(db, QUERY(OPEN_OF, PARAMS(P_INT(device_id), P_INT(beside)), ROW(ret)), ret_found, err);
}

struct pair {
    struct attempt row, *ret;
    bool *ret_open;
};

static bool take_row(void *cls)
{
    struct pair *pair = cls;
    pair->ret[pair->row.beside] = pair->row;
    pair->ret_open[pair->row.beside] = true;
    return true;
}

bool attempt_open_pair(struct db *db, int64_t device_id, struct attempt ret[2], bool ret_open[2],
                       struct error *err)
{
    struct pair pair = {.ret = ret, .ret_open = ret_open};
    ret_open[0] = ret_open[1] = false;
    return db_rows(db, QUERY(OPEN_PAIR, PARAMS(P_INT(device_id)), ROW(&pair.row)), take_row, &pair, err);
}

bool attempt_promote(struct db *db, struct attempt *attempt, struct error *err)
{
    struct fleet_attempt before, after;
    attempt->beside = false;
    if (!load_counted(db, attempt->id, &before, err) ||
        !db_do(db, COMMAND(PROMOTE, PARAMS(P_INT(attempt->id))), NULL, err))
        return false;
    after = before;
    after.beside = false;
    return fleet_count_attempt(db, &before, &after, err);
}

bool attempt_by_id(struct db *db, int64_t id, struct attempt *ret, bool *ret_found, struct error *err)
{
    return db_row(db, QUERY(BY_ID, PARAMS(P_INT(id)), ROW(ret)), ret_found, err);
}

bool attempt_add(struct db *db, struct attempt *attempt, struct error *err)
{
    const struct attempt stored = as_stored(attempt);
    const struct fleet_attempt none = {.device_id = 0}, after = counted_of(&stored);
    if (!db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(ADDED, &stored))), NULL, err))
        return false;
    attempt->id = db_last_id(db);
    return fleet_count_attempt(db, &none, &after, err);
}

bool attempt_add_in_place(struct db *db, struct attempt *attempt, bool *ret_found, struct error *err)
{
    const struct attempt stored = as_stored(attempt);
    const struct fleet_attempt after = counted_of(&stored);
    struct fleet_attempt before;
    int64_t id;
    if (!db_row(db, QUERY(EMPTY_OF, PARAMS(P_INT(attempt->device_id)), FIELDS(F_INT(&id))), ret_found, err))
        return false;
    if (!*ret_found)
        return true;
    attempt->id = id;
    return load_counted(db, id, &before, err) &&
           db_do(db, COMMAND(FORGET_OFFER, PARAMS(P_INT(id))), NULL, err) &&
           db_do(db, COMMAND(RENEW, PARAMS(COLUMN_PARAMS(ADDED, &stored), P_INT(id))), NULL, err) &&
           fleet_count_attempt(db, &before, &after, err);
}

static bool is_aimed_alike(const struct attempt *a, const struct attempt *b)
{
    const struct db_value left[] = {COLUMN_PARAMS(AIMED, a)}, right[] = {COLUMN_PARAMS(AIMED, b)};
    return db_values_equal(left, right, sizeof left / sizeof *left);
}

bool attempt_update(struct db *db, const struct attempt *attempt, struct error *err)
{
    const struct attempt stored = as_stored(attempt);
    const struct db_value id = P_INT(stored.id);
    struct attempt before;
    bool found;
    if (!attempt_by_id(db, stored.id, &before, &found, err))
        return false;
    if (!found)
        return true;
    if (!is_aimed_alike(&before, &stored) &&
        !db_do(db, COMMAND(UPDATE_AIMED, PARAMS(COLUMN_PARAMS(AIMED, &stored), id)), NULL, err))
        return false;
    if (before.state != stored.state &&
        !db_do(db, COMMAND(UPDATE_STATE, PARAMS(COLUMN_PARAMS(STATE, &stored), id)), NULL, err))
        return false;
    const struct fleet_attempt old = counted_of(&before), new = counted_of(&stored);
    return db_do(db, COMMAND(UPDATE_PLAIN, PARAMS(COLUMN_PARAMS(PLAIN, &stored), id)), NULL, err) &&
           fleet_count_attempt(db, &old, &new, err);
}

bool attempt_list(struct db *db, int64_t device_id, int64_t limit, struct attempt **ret, size_t *ret_count,
                  struct error *err)
{
    struct attempt row = {0};
    return db_list(db, QUERY(LIST, PARAMS(P_INT(device_id), P_INT(limit)), ROW(&row)), &row, sizeof row, ret,
                   ret_count, err);
}

bool attempt_link_deliveries(struct db *db, int64_t link_id, const struct attempt_filter *filter,
                             struct link_deliveries *ret, struct error *err)
{
    bool found;
    return db_row(db,
                  QUERY(LINK_DELIVERIES,
                        PARAMS(P_INT(link_id), P_TEXT(filter->from), P_TEXT(filter->to),
                               P_INT(filter->since_ms), P_INT(filter->now_ms + CLOCK_AHEAD_MS)),
                        FIELDS(F_INT(&ret->count), F_INT(&ret->last_ms))),
                  &found, err);
}

bool attempt_count_completed(struct db *db, int64_t device_id, const struct attempt_filter *filter,
                             int64_t *ret, struct error *err)
{
    bool found;
    return db_row(
        db,
        QUERY(COUNT_GONE,
              PARAMS(P_INT(device_id), P_INT(filter->since_ms), P_INT(filter->now_ms + CLOCK_AHEAD_MS),
                     P_TEXT(filter->from), P_TEXT(filter->to)),
              FIELDS(F_INT(ret))),
        &found, err);
}

bool attempt_interrupt_all(struct db *db, struct error *err)
{
    _cleanup_(cleanup_free) struct attempt *list = NULL;
    size_t count;
    if (!attempt_list_sending(db, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        list[i].state = ATTEMPT_INTERRUPTED;
        if (!attempt_update(db, &list[i], err))
            return false;
    }
    return true;
}

bool attempt_silent_of(struct db *db, int64_t device_id, struct attempt *ret, bool *ret_found,
                       struct error *err)
{
    return db_row(db, QUERY(SILENT_OF, PARAMS(P_INT(device_id)), ROW(ret)), ret_found, err);
}

bool attempt_list_sending(struct db *db, struct attempt **ret, size_t *ret_count, struct error *err)
{
    struct attempt row = {0};
    return db_list(db, QUERY(SENDING, NO_PARAMS, ROW(&row)), &row, sizeof row, ret, ret_count, err);
}

void attempt_clamp(struct attempt *attempt, int64_t now_ms)
{
    int64_t *const times[] = {&attempt->created_ms, &attempt->sent_ms, &attempt->active_ms,
                              &attempt->delivered_ms, &attempt->ended_ms};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        *times[i] = clock_clamp(*times[i], now_ms);
}
