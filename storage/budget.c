/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/budget.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "storage/entities.h"

#define PLAIN(FIRST, NEXT, row)                                                                              \
    FIRST(facts, INT, row->facts)                                                                            \
    NEXT(unstored, INT, row->unstored)                                                                       \
    NEXT(told, INT, row->told)                                                                               \
    NEXT(product, TEXT, row->product)                                                                        \
    NEXT(firmware, TEXT, row->firmware)                                                                      \
    NEXT(device, TEXT, row->device)                                                                          \
    NEXT(counts, TEXT, row->counts)
#define CHANGED(FIRST, NEXT, row) FIRST(day, INT, row->day) PLAIN(NEXT, NEXT, row)
#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(subject, ENUM, row->subject, &budget_subject_names)                                                \
    NEXT(subject_id, INT, row->subject_id)                                                                   \
    CHANGED(NEXT, NEXT, row)
#define ROW(row) FIELDS(COLUMN_FIELDS(COLUMNS, row))

enum { LOAD, UPDATE, STORE, UNTOLD, REMOVE };
static const char *const sql[] = {
    [LOAD] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM budget WHERE subject = $1 AND subject_id = $2",
    /* `day` is in an index and stays. */
    [UPDATE] =
        "UPDATE budget SET " COLUMN_CHANGES(PLAIN) " WHERE subject = $subject AND subject_id = $subject_id",
    [STORE] =
        "INSERT INTO budget (" COLUMN_NAMES(COLUMNS) ") VALUES (" COLUMN_VALUES(COLUMNS) ") "
        "ON CONFLICT (subject, subject_id) DO UPDATE SET " COLUMN_REPLACES(CHANGED),
    [UNTOLD] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM budget WHERE (day < $1 OR day > $1) AND unstored "
               "> told LIMIT $2",
    [REMOVE] = "DELETE FROM budget WHERE day < $1 OR day > $1",
};
DB_TABLE(budget, ENTITY_BUDGET);

static const char *const subject_names[] = {
    [BUDGET_DEVICE] = "device", [BUDGET_LINK] = "link", [BUDGET_PRODUCT] = "product"};
const struct enum_names budget_subject_names = ENUM_NAMES(subject_names);

static bool is_of(const void *item, const void *key)
{
    const struct budget *one = item, *wanted = key;
    return one->subject_id == wanted->subject_id && one->subject == wanted->subject;
}

bool budget_load(struct db *db, enum budget_subject subject, int64_t id, int64_t day, struct budget *ret,
                 struct budget *ret_left, struct error *err)
{
    struct budget found_one = {.day = 0};
    *ret = (struct budget){.subject = subject, .subject_id = id, .day = day, .counts = "{}"};
    *ret_left = (struct budget){.day = 0};
    const struct budget *waiting = db_find_deferred(db, DEFERRED_BUDGETS, is_of, ret);
    bool found = waiting;
    if (waiting)
        found_one = *waiting;
    else if (!db_row(db,
                     QUERY(LOAD, PARAMS(P_ENUM(subject, &budget_subject_names), P_INT(id)), ROW(&found_one)),
                     &found, err))
        return false;
    else
        found_one.is_stored = found;
    if (found && found_one.day == day)
        *ret = found_one;
    else if (found && found_one.unstored > found_one.told)
        *ret_left = found_one;
    return true;
}

bool budget_is_spent(struct db *db, int64_t device_id, int64_t link_id, int64_t day, bool *ret,
                     struct error *err)
{
    struct budget budget, left;
    if (!budget_load(db, link_id ? BUDGET_LINK : BUDGET_DEVICE, link_id ? link_id : device_id, day, &budget,
                     &left, err))
        return false;
    *ret = budget.facts >= BUDGET_ROWS;
    return true;
}

/* `day` is in an index, and the day of a stored budget is the same. */
static bool store_one(struct db *db, const struct budget *budget, struct error *err)
{
    int64_t changes = 0;
    const struct db_value key[] = {P_ENUM(budget->subject, &budget_subject_names), P_INT(budget->subject_id)};
    const struct db_value plain[] = {COLUMN_PARAMS(PLAIN, budget), key[0], key[1]};
    if (budget->is_stored && !db_do(db, COMMAND(UPDATE, plain, sizeof plain / sizeof *plain), &changes, err))
        return false;
    return changes || db_do(db, COMMAND(STORE, PARAMS(COLUMN_PARAMS(COLUMNS, budget))), NULL, err);
}

static int compare(const void *a, const void *b)
{
    const struct budget *left = *(const struct budget *const *)a, *right = *(const struct budget *const *)b;
    if (left->subject != right->subject)
        return left->subject < right->subject ? -1 : 1;
    if (left->subject_id != right->subject_id)
        return left->subject_id < right->subject_id ? -1 : 1;
    return (left > right) - (left < right);
}

/* Of each budget the last item. */
static bool store_last(struct db *db, void *items, size_t count, struct error *err)
{
    const struct budget *list = items;
    _cleanup_(cleanup_free) const struct budget **sorted = malloc(count * sizeof *sorted);
    if (!sorted)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (size_t i = 0; i < count; i++)
        sorted[i] = &list[i];
    qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 0; i < count; i++)
        if ((i + 1 == count || !is_of(sorted[i], sorted[i + 1])) && !store_one(db, sorted[i], err))
            return false;
    return true;
}

static const char *const stored_tables[] = {"budget", NULL};

const struct db_deferral budget_deferral = {.entity = ENTITY_BUDGET,
                                            .tables = stored_tables,
                                            .size = sizeof(struct budget),
                                            .most = 1024, /* 1 MB */
                                            .run = store_last};

bool budget_store(struct db *db, const struct budget *budget, struct error *err)
{
    return db_defer(db, DEFERRED_BUDGETS, budget, err);
}

bool budget_untold(struct db *db, int64_t day, int64_t limit, struct budget **ret, size_t *ret_count,
                   struct error *err)
{
    struct budget row = {.day = 0};
    return db_run_deferred(db, 1u << DEFERRED_BUDGETS, err) &&
           db_list(db, QUERY(UNTOLD, PARAMS(P_INT(day), P_INT(limit)), ROW(&row)), &row, sizeof row, ret,
                   ret_count, err);
}

bool budget_remove(struct db *db, int64_t day, struct error *err)
{
    return db_run_deferred(db, 1u << DEFERRED_BUDGETS, err) &&
           db_do(db, COMMAND(REMOVE, PARAMS(P_INT(day))), NULL, err);
}
