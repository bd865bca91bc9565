/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/ledger.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "storage/entities.h"

#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(seq, INT, row->seq)                                                                                \
    NEXT(at_ms, INT, row->at_ms)                                                                             \
    NEXT(kind, TEXT, row->kind)                                                                              \
    NEXT(product, TEXT, row->product)                                                                        \
    NEXT(firmware, TEXT, row->firmware)                                                                      \
    NEXT(device, TEXT, row->device)                                                                          \
    NEXT(attempt, INT, row->attempt)                                                                         \
    NEXT(package, TEXT, row->package)                                                                        \
    NEXT(detail, TEXT, row->detail)                                                                          \
    NEXT(prev, HASH, row->prev)                                                                              \
    NEXT(hash, HASH, row->hash)
#define ROW(row) FIELDS(COLUMN_FIELDS(COLUMNS, row))

/* Conditions that are checked in the rows that an index has found. */
#define REST(product, first, last, since, until)                                                             \
    " AND ($" #product " = '' OR product = $" #product ") AND seq > $" #first " AND seq < $" #last           \
    " AND +at_ms >= $" #since " AND +at_ms < $" #until ""

#define ALL " FROM ledger WHERE true" REST(1, 2, 3, 4, 5)
#define OF_DEVICE                                                                                            \
    " FROM ledger WHERE device = $1 AND device <> '' AND ($2 = '' OR kind = $2)" REST(3, 4, 5, 6, 7)
#define OF_KIND " FROM ledger WHERE kind = $1" REST(2, 3, 4, 5, 6)

enum {
    ADD,
    HEAD,
    LIST,
    LIST_DEVICE,
    LIST_KIND,
    COUNT,
    COUNT_DEVICE,
    COUNT_KIND,
    SINCE,
    UNTIL,
    FIRST,
    YOUNG,
    OLD,
    HASH_OF,
    REMOVE,
    DAY_ADD,
    DAY_LIST,
    DAY_REMOVE,
    OVERSIZE
};
static const char *const sql[] = {
    [ADD] = "INSERT INTO ledger (" COLUMN_NAMES(COLUMNS) ") VALUES (" COLUMN_VALUES(COLUMNS) ")",
    [HEAD] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM ledger WHERE seq = (SELECT max(seq) FROM ledger)",
    [LIST] = "SELECT " COLUMN_NAMES(COLUMNS) ALL " ORDER BY seq LIMIT $6",
    [LIST_DEVICE] = "SELECT " COLUMN_NAMES(COLUMNS) OF_DEVICE " ORDER BY seq LIMIT $8",
    [LIST_KIND] = "SELECT " COLUMN_NAMES(COLUMNS) OF_KIND " ORDER BY seq LIMIT $7",
    [COUNT] = "SELECT count(*)" ALL,
    [COUNT_DEVICE] = "SELECT count(*)" OF_DEVICE,
    [COUNT_KIND] = "SELECT count(*)" OF_KIND,
    [SINCE] = "SELECT coalesce(min(seq), 9223372036854775807) FROM ledger WHERE at_ms >= $1",
    [UNTIL] = "SELECT coalesce(max(seq), 0) FROM ledger WHERE at_ms < $1",
    [FIRST] = "SELECT coalesce(min(seq), 0) FROM ledger",
    /* By seq and not by time, so that the remaining rows have no gap even when the clock was set. */
    [YOUNG] = "SELECT seq FROM ledger WHERE +at_ms >= $1 AND +at_ms <= $2 AND seq < $3 ORDER BY seq LIMIT 1",
    [OLD] = "SELECT seq FROM ledger WHERE +at_ms < $1 AND seq < $2 ORDER BY seq DESC LIMIT 1",
    [HASH_OF] = "SELECT hash FROM ledger WHERE seq = $1",
    [REMOVE] = "DELETE FROM ledger WHERE seq <= $1",
    [DAY_ADD] =
        "INSERT INTO check_in_day (device_id, day, first_ms, last_ms, count) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (device_id, day) DO UPDATE SET count = check_in_day.count + excluded.count, "
        "first_ms = min(check_in_day.first_ms, excluded.first_ms), "
        "last_ms = max(check_in_day.last_ms, excluded.last_ms)",
    [DAY_LIST] =
        "SELECT day, first_ms, last_ms, count FROM check_in_day WHERE device_id = $1 ORDER BY day DESC LIMIT "
        "$2",
    [DAY_REMOVE] =
        "DELETE FROM check_in_day WHERE (device_id, day) IN "
        "(SELECT device_id, day FROM check_in_day WHERE day < $1 LIMIT $2)",
    [OVERSIZE] =
        "SELECT p.product_key, f.name, a.version, b.version, f.max_package_bytes FROM image a "
        "JOIN image b ON b.sha256 = $1 AND b.firmware_id = a.firmware_id AND b.id <> a.id "
        "JOIN firmware f ON f.id = a.firmware_id JOIN product p ON p.id = f.product_id "
        "WHERE a.sha256 = $2 AND f.max_package_bytes < $3",
};
DB_TABLE(ledger, ENTITY_LEDGER);

static const char *const names[LEDGER_KIND_COUNT] = {
#define X(kind, name, refers, detail) [kind] = name,
    LEDGER_KINDS(X)
#undef X
};

const char *ledger_kind_name(enum ledger_kind kind)
{
    return names[kind];
}

bool ledger_kind_is_known(const char *name)
{
    for (unsigned kind = 0; kind < LEDGER_KIND_COUNT; kind++)
        if (strcmp(names[kind], name) == 0)
            return true;
    return false;
}

struct chain_row ledger_chain_row(const struct ledger_row *row)
{
    return (struct chain_row){.seq = row->seq,
                              .at_ms = row->at_ms,
                              .kind = row->kind,
                              .product = row->product,
                              .firmware = row->firmware,
                              .device = row->device,
                              .attempt = row->attempt,
                              .package = row->package,
                              .detail = row->detail,
                              .prev = row->prev,
                              .hash = row->hash};
}

bool ledger_head(struct db *db, struct ledger_row *ret, struct error *err)
{
    bool found;
    memset(ret, 0, sizeof *ret);
    return db_row(db, QUERY(HEAD, NO_PARAMS, ROW(ret)), &found, err);
}

bool ledger_add(struct db *db, struct ledger_row *row, struct error *err)
{
    struct ledger_row head;
    if (!ledger_head(db, &head, err))
        return false;
    row->seq = head.seq + 1;
    row->prev = head.hash;
    struct chain_row chained = ledger_chain_row(row);
    chain_hash(&chained, &row->hash);
    return db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(COLUMNS, row))), NULL, err);
}

static bool number(struct db *db, unsigned statement, int64_t param, int64_t *ret, struct error *err)
{
    bool found;
    return db_row(db, QUERY(statement, PARAMS(P_INT(param)), FIELDS(F_INT(ret))), &found, err);
}

/* The rows that may be in a page: seq > *ret_first and < *ret_last. */
static bool find_bounds(struct db *db, const struct ledger_filter *filter, int64_t *ret_first,
                        int64_t *ret_last, struct error *err)
{
    int64_t since = 1, until = INT64_MAX - 1;
    if ((filter->since_ms && !number(db, SINCE, filter->since_ms, &since, err)) ||
        (filter->until_ms && !number(db, UNTIL, filter->until_ms, &until, err)))
        return false;
    *ret_first = filter->after > since - 1 ? filter->after : since - 1;
    *ret_last = until + 1;
    return true;
}

/* The statement for a filter, with its parameters. The statements that count have no last parameter. */
struct choice {
    unsigned statement;
    struct db_value params[8];
    size_t count;
};

static struct choice choose(const struct ledger_filter *filter, unsigned list, int64_t first, int64_t last,
                            int64_t limit)
{
    struct db_value product = P_TEXT(filter->product), since = P_INT(filter->since_ms),
                    until = P_INT(filter->until_ms ? filter->until_ms : INT64_MAX);
    if (filter->device[0])
        return (struct choice){list + LIST_DEVICE - LIST,
                               {P_TEXT(filter->device), P_TEXT(filter->kind), product, P_INT(first),
                                P_INT(last), since, until, P_INT(limit)},
                               8};
    if (filter->kind[0])
        return (struct choice){
            list + LIST_KIND - LIST,
            {P_TEXT(filter->kind), product, P_INT(first), P_INT(last), since, until, P_INT(limit)},
            7};
    return (struct choice){list, {product, P_INT(first), P_INT(last), since, until, P_INT(limit)}, 6};
}

bool ledger_list(struct db *db, const struct ledger_filter *filter, int64_t limit, struct ledger_row **ret,
                 size_t *ret_count, struct error *err)
{
    struct ledger_row row = {.seq = 0};
    int64_t first, last;
    if (!find_bounds(db, filter, &first, &last, err))
        return false;
    struct choice choice = choose(filter, LIST, first, last, limit);
    return db_list(db, QUERY(choice.statement, choice.params, choice.count, ROW(&row)), &row, sizeof row, ret,
                   ret_count, err);
}

bool ledger_count(struct db *db, const struct ledger_filter *filter, int64_t *ret, struct error *err)
{
    struct ledger_filter whole = *filter;
    int64_t first, last;
    bool found;
    whole.after = 0;
    if (!find_bounds(db, &whole, &first, &last, err))
        return false;
    struct choice choice = choose(&whole, COUNT, first, last, 0);
    return db_row(db, QUERY(choice.statement, choice.params, choice.count - 1, FIELDS(F_INT(ret))), &found,
                  err);
}

/* The last row to remove; 0: none. A row that is dated ahead of now is removed with the old rows that came
   after it. */
static bool find_last(struct db *db, int64_t before_ms, int64_t now_ms, int64_t first, int64_t most,
                      int64_t *ret, struct error *err)
{
    struct ledger_row head;
    int64_t young;
    bool found;
    if (!ledger_head(db, &head, err))
        return false;
    int64_t end = head.seq - first > most ? first + most : head.seq; /* the newest row always stays */
    if (!db_row(db,
                QUERY(YOUNG, PARAMS(P_INT(before_ms), P_INT(now_ms + CLOCK_AHEAD_MS), P_INT(end)),
                      FIELDS(F_INT(&young))),
                &found, err))
        return false;
    *ret = 0;
    return db_row(db, QUERY(OLD, PARAMS(P_INT(before_ms), P_INT(found ? young : end)), FIELDS(F_INT(ret))),
                  &found, err);
}

bool ledger_remove(struct db *db, int64_t before_ms, int64_t now_ms, int64_t most, struct ledger_removed *ret,
                   struct error *err)
{
    bool found;
    memset(ret, 0, sizeof *ret);
    if (!db_row(db, QUERY(FIRST, NO_PARAMS, FIELDS(F_INT(&ret->first))), &found, err) ||
        !find_last(db, before_ms, now_ms, ret->first, most, &ret->last, err))
        return false;
    if (!ret->first || ret->last < ret->first)
        return true;
    return db_row(db, QUERY(HASH_OF, PARAMS(P_INT(ret->last)), FIELDS(F_HASH(&ret->hash))), &found, err) &&
           db_do(db, COMMAND(REMOVE, PARAMS(P_INT(ret->last))), &ret->count, err);
}

/* Check-ins that change nothing */

bool ledger_day_add(struct db *db, int64_t device_id, const struct ledger_day *counts, struct error *err)
{
    return db_do(db,
                 COMMAND(DAY_ADD, PARAMS(P_INT(device_id), P_INT(counts->day), P_INT(counts->first_ms),
                                         P_INT(counts->last_ms), P_INT(counts->count))),
                 NULL, err);
}

bool ledger_day_list(struct db *db, int64_t device_id, int64_t limit, struct ledger_day **ret,
                     size_t *ret_count, struct error *err)
{
    struct ledger_day row = {0};
    return db_list(
        db,
        QUERY(DAY_LIST, PARAMS(P_INT(device_id), P_INT(limit)),
              FIELDS(F_INT(&row.day), F_INT(&row.first_ms), F_INT(&row.last_ms), F_INT(&row.count))),
        &row, sizeof row, ret, ret_count, err);
}

bool ledger_day_remove(struct db *db, int64_t day, int64_t most, int64_t *ret_removed, struct error *err)
{
    return db_do(db, COMMAND(DAY_REMOVE, PARAMS(P_INT(day), P_INT(most))), ret_removed, err);
}

bool ledger_oversize_list(struct db *db, const struct sha256 *from, const struct sha256 *to,
                          int64_t size_bytes, struct ledger_oversize **ret, size_t *ret_count,
                          struct error *err)
{
    struct ledger_oversize row = {.limit_bytes = 0};
    return db_list(db,
                   QUERY(OVERSIZE, PARAMS(P_HASH(to), P_HASH(from), P_INT(size_bytes)),
                         FIELDS(F_TEXT(row.product), F_TEXT(row.firmware), F_TEXT(row.from), F_TEXT(row.to),
                                F_INT(&row.limit_bytes))),
                   &row, sizeof row, ret, ret_count, err);
}
