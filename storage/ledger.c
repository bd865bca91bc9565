/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
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

#define LISTED(from, order, limit)                                                                           \
    "SELECT " COLUMN_NAMES(COLUMNS) " FROM ledger WHERE seq > $1 AND seq < $2" from " ORDER BY seq" order    \
                                    " LIMIT " limit
#define LISTS(suffix, order)                                                                                 \
    [LIST##suffix] = LISTED("", order, "$3"),                                                                \
    [LIST_DEVICE##suffix] = LISTED(" AND device = $3 AND device <> ''", order, "$4"),                        \
    [LIST_KIND##suffix] = LISTED(" AND kind = $3", order, "$4"),                                             \
    [LIST_PRODUCT##suffix] = LISTED(" AND product = $3 AND product <> ''", order, "$4")
#define PASSES(product, kind)                                                                                \
    "($" #product " = '' OR product = $" #product ") AND ($" #kind " = '' OR kind = $" #kind ")"

enum {
    ADD,
    HEAD,
    LIST,
    LIST_DEVICE,
    LIST_KIND,
    LIST_PRODUCT,
    LIST_DOWN, /* the same four, newest first */
    LIST_DEVICE_DOWN,
    LIST_KIND_DOWN,
    LIST_PRODUCT_DOWN,
    COUNT_DEVICE,
    COUNT_HOURS,
    COUNT_EDGE,
    BOUNDS,
    HOUR_ADD,
    HOUR_REMOVE,
    HOUR_FORGET,
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
    LISTS(, ""),
    LISTS(_DOWN, " DESC"),
    [COUNT_DEVICE] =
        "SELECT count(*) FROM ledger WHERE device = $1 AND device <> '' AND +at_ms >= $2 "
        "AND +at_ms < $3 AND " PASSES(4, 5),
    [COUNT_HOURS] =
        "SELECT coalesce(sum(rows), 0) FROM ledger_hour WHERE hour >= $1 AND hour < $2 AND " PASSES(3, 4),
    [COUNT_EDGE] = "SELECT count(*) FROM ledger WHERE at_ms >= $1 AND at_ms < $2 AND " PASSES(3, 4),
    [BOUNDS] =
        "SELECT coalesce((SELECT min(first_seq) FROM ledger_hour WHERE hour >= $1), "
        "9223372036854775807), coalesce((SELECT max(last_seq) FROM ledger_hour WHERE hour <= $2), 0)",
    [HOUR_ADD] =
        "INSERT INTO ledger_hour (hour, product, kind, rows, first_seq, last_seq) VALUES ($1, $2, $3, $4, $5, $6) "
        "ON CONFLICT (hour, product, kind) DO UPDATE SET rows = ledger_hour.rows + $4, last_seq = $6",
    [HOUR_REMOVE] =
        "INSERT INTO ledger_hour (hour, product, kind, rows, first_seq, last_seq) "
        "SELECT at_ms / 3600000, product, kind, -count(*), 0, 0 FROM ledger WHERE seq <= $1 GROUP BY 1, 2, 3 "
        "ON CONFLICT (hour, product, kind) DO UPDATE SET rows = ledger_hour.rows + excluded.rows",
    [HOUR_FORGET] = "DELETE FROM ledger_hour WHERE rows = 0",
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

static bool load_head(struct db *db, struct ledger_row *ret, struct error *err)
{
    bool found;
    memset(ret, 0, sizeof *ret);
    return db_row(db, QUERY(HEAD, NO_PARAMS, ROW(ret)), &found, err);
}

bool ledger_head(struct db *db, struct ledger_row *ret, struct error *err)
{
    return db_run_deferred(db, 1u << DEFERRED_LEDGER, err) && load_head(db, ret, err);
}

/* Rows of one transaction with the same hour, product and kind. */
struct hour {
    const struct ledger_row *first;
    int64_t hour, rows, last_seq;
};

static void count_hour(struct hour *hours, size_t *count, const struct ledger_row *row)
{
    size_t i = 0;
    while (i < *count &&
           (hours[i].hour != row->at_ms / HOUR_MS || strcmp(hours[i].first->kind, row->kind) != 0 ||
            strcmp(hours[i].first->product, row->product) != 0))
        i++;
    if (i == *count)
        hours[(*count)++] = (struct hour){.first = row, .hour = row->at_ms / HOUR_MS};
    hours[i].rows++;
    hours[i].last_seq = row->seq;
}

static bool store_hours(struct db *db, const struct hour *hours, size_t count, struct error *err)
{
    for (const struct hour *hour = hours; hour < hours + count; hour++)
        if (!db_do(db,
                   COMMAND(HOUR_ADD,
                           PARAMS(P_INT(hour->hour), P_TEXT(hour->first->product), P_TEXT(hour->first->kind),
                                  P_INT(hour->rows), P_INT(hour->first->seq), P_INT(hour->last_seq))),
                   NULL, err))
            return false;
    return true;
}

static bool store_rows(struct db *db, void *items, size_t count, struct error *err)
{
    struct ledger_row *rows = items, head;
    _cleanup_(cleanup_free) struct hour *hours = malloc(count * sizeof *hours);
    size_t hour_count = 0;
    if (!hours)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    if (!load_head(db, &head, err))
        return false;
    const struct ledger_row *before = &head;
    for (struct ledger_row *row = rows; row < rows + count; before = row++) {
        row->seq = before->seq + 1;
        row->prev = before->hash;
        struct chain_row chained = ledger_chain_row(row);
        chain_hash(&chained, &row->hash);
        if (!db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(COLUMNS, row))), NULL, err))
            return false;
        count_hour(hours, &hour_count, row);
    }
    return store_hours(db, hours, hour_count, err);
}

static const char *const row_tables[] = {"ledger", NULL};

const struct db_deferral ledger_deferral = {.entity = ENTITY_LEDGER,
                                            .tables = row_tables,
                                            .size = sizeof(struct ledger_row),
                                            .most = 512, /* 1.3 MB */
                                            .run = store_rows};

bool ledger_add(struct db *db, const struct ledger_row *row, struct error *err)
{
    return db_defer(db, DEFERRED_LEDGER, row, err);
}

static int64_t until_of(const struct ledger_filter *filter)
{
    return filter->until_ms ? filter->until_ms : INT64_MAX;
}

/* The rows that may be in a page: seq > *ret_first and < *ret_last. The clock may have been set, so times do not
   always grow with seq. */
static bool find_bounds(struct db *db, const struct ledger_filter *filter, int64_t *ret_first,
                        int64_t *ret_last, struct error *err)
{
    int64_t first = 1, last = INT64_MAX - 1;
    bool found;
    if (!db_run_deferred(db, 1u << DEFERRED_LEDGER, err))
        return false;
    if ((filter->since_ms || filter->until_ms) &&
        !db_row(db,
                QUERY(BOUNDS, PARAMS(P_INT(filter->since_ms / HOUR_MS), P_INT(until_of(filter) / HOUR_MS)),
                      FIELDS(F_INT(&first), F_INT(&last))),
                &found, err))
        return false;
    *ret_first = filter->after > first - 1 ? filter->after : first - 1;
    *ret_last = filter->before && filter->before < last + 1 ? filter->before : last + 1;
    return true;
}

struct page {
    const struct ledger_filter *filter;
    size_t limit, count, room, walked;
    struct ledger_row row, *rows;
    bool no_memory;
};

static bool passes(const struct ledger_filter *filter, const struct ledger_row *row)
{
    return (!filter->kind[0] || strcmp(row->kind, filter->kind) == 0) &&
           (!filter->product[0] || strcmp(row->product, filter->product) == 0) &&
           row->at_ms >= filter->since_ms && row->at_ms < until_of(filter);
}

static bool take_row(void *cls)
{
    struct page *page = cls;
    page->walked++;
    if (!passes(page->filter, &page->row))
        return true;
    if (page->count == page->room) {
        size_t room = page->room ? page->room * 2 : 16;
        struct ledger_row *rows = reallocarray(page->rows, room, sizeof *rows);
        page->no_memory = !rows;
        if (!rows)
            return false;
        page->rows = rows;
        page->room = room;
    }
    page->rows[page->count++] = page->row;
    return page->count < page->limit;
}

/* The index that selects best, and the text that it is searched for. */
static unsigned choose(const struct ledger_filter *filter, const char **ret_text)
{
    unsigned statement = filter->device[0]    ? LIST_DEVICE
                         : filter->kind[0]    ? LIST_KIND
                         : filter->product[0] ? LIST_PRODUCT
                                              : LIST;
    *ret_text = statement == LIST_DEVICE ? filter->device
                : statement == LIST_KIND ? filter->kind
                                         : filter->product;
    return statement;
}

bool ledger_list(struct db *db, const struct ledger_filter *filter, int64_t limit, struct ledger_row **ret,
                 size_t *ret_count, int64_t *ret_until, struct error *err)
{
    struct page page = {.filter = filter, .limit = (size_t)limit};
    int64_t first, last;
    const char *text;
    if (!find_bounds(db, filter, &first, &last, err))
        return false;
    unsigned statement = choose(filter, &text);
    const struct db_value walk = P_INT(LEDGER_WALK);
    const struct db_value params[] = {P_INT(first), P_INT(last), statement == LIST ? walk : P_TEXT(text),
                                      walk};
    unsigned count = statement == LIST ? 3 : 4;
    if (filter->newest_first)
        statement += LIST_DOWN - LIST;
    bool ok = db_rows(db, QUERY(statement, params, count, ROW(&page.row)), take_row, &page, err);
    if (ok && page.no_memory)
        ok = error_set(err, ERROR_INTERNAL, "out of memory");
    if (!ok) {
        free(page.rows);
        return false;
    }
    *ret = page.rows;
    *ret_count = page.count;
    if (ret_until)
        *ret_until = page.count == page.limit || page.walked == LEDGER_WALK ? page.row.seq : INT64_MAX;
    return true;
}

static bool count_rows(struct db *db, const struct ledger_filter *filter, unsigned statement, int64_t from,
                       int64_t to, int64_t *ret_sum, struct error *err)
{
    int64_t rows = 0;
    bool found;
    if (from >= to)
        return true;
    if (!db_row(db,
                QUERY(statement,
                      PARAMS(P_INT(from), P_INT(to), P_TEXT(filter->product), P_TEXT(filter->kind)),
                      FIELDS(F_INT(&rows))),
                &found, err))
        return false;
    *ret_sum += rows;
    return true;
}

bool ledger_count(struct db *db, const struct ledger_filter *filter, int64_t *ret, struct error *err)
{
    int64_t until = until_of(filter);
    int64_t first = (filter->since_ms + HOUR_MS - 1) / HOUR_MS, end = until / HOUR_MS; /* whole hours */
    bool found;
    *ret = 0;
    if (!db_run_deferred(db, 1u << DEFERRED_LEDGER, err))
        return false;
    if (filter->device[0])
        return db_row(db,
                      QUERY(COUNT_DEVICE,
                            PARAMS(P_TEXT(filter->device), P_INT(filter->since_ms), P_INT(until),
                                   P_TEXT(filter->product), P_TEXT(filter->kind)),
                            FIELDS(F_INT(ret))),
                      &found, err);
    if (first > end)
        return count_rows(db, filter, COUNT_EDGE, filter->since_ms, until, ret, err);
    return count_rows(db, filter, COUNT_EDGE, filter->since_ms, first * HOUR_MS, ret, err) &&
           count_rows(db, filter, COUNT_HOURS, first, end, ret, err) &&
           (!filter->until_ms || count_rows(db, filter, COUNT_EDGE, end * HOUR_MS, until, ret, err));
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
    if (!db_run_deferred(db, 1u << DEFERRED_LEDGER, err) ||
        !db_row(db, QUERY(FIRST, NO_PARAMS, FIELDS(F_INT(&ret->first))), &found, err) ||
        !find_last(db, before_ms, now_ms, ret->first, most, &ret->last, err))
        return false;
    if (!ret->first || ret->last < ret->first)
        return true;
    return db_row(db, QUERY(HASH_OF, PARAMS(P_INT(ret->last)), FIELDS(F_HASH(&ret->hash))), &found, err) &&
           db_do(db, COMMAND(HOUR_REMOVE, PARAMS(P_INT(ret->last))), NULL, err) &&
           db_do(db, COMMAND(HOUR_FORGET, NO_PARAMS), NULL, err) &&
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
                          int64_t counted_bytes, struct ledger_oversize **ret, size_t *ret_count,
                          struct error *err)
{
    struct ledger_oversize row = {.limit_bytes = 0};
    return db_list(db,
                   QUERY(OVERSIZE, PARAMS(P_HASH(to), P_HASH(from), P_INT(counted_bytes)),
                         FIELDS(F_TEXT(row.product), F_TEXT(row.firmware), F_TEXT(row.from), F_TEXT(row.to),
                                F_INT(&row.limit_bytes))),
                   &row, sizeof row, ret, ret_count, err);
}
