/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/budget.h"

#include "storage/entities.h"

#define CHANGED(FIRST, NEXT, row)                                                                            \
    FIRST(day, INT, row->day)                                                                                \
    NEXT(facts, INT, row->facts)                                                                             \
    NEXT(unstored, INT, row->unstored)                                                                       \
    NEXT(told, INT, row->told)                                                                               \
    NEXT(product, TEXT, row->product)                                                                        \
    NEXT(firmware, TEXT, row->firmware)                                                                      \
    NEXT(device, TEXT, row->device)                                                                          \
    NEXT(counts, TEXT, row->counts)
#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(subject, ENUM, row->subject, &budget_subject_names)                                                \
    NEXT(subject_id, INT, row->subject_id)                                                                   \
    CHANGED(NEXT, NEXT, row)
#define ROW(row) FIELDS(COLUMN_FIELDS(COLUMNS, row))

enum { LOAD, SPEND, STORE, UNTOLD, REMOVE };
static const char *const sql[] = {
    [LOAD] = "SELECT " COLUMN_NAMES(COLUMNS) " FROM budget WHERE subject = $1 AND subject_id = $2",
    /* `day` is in an index and stays. */
    [SPEND] = "UPDATE budget SET facts = facts + 1 WHERE subject = $1 AND subject_id = $2 AND day = $3 "
              "AND facts < $4",
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

bool budget_load(struct db *db, enum budget_subject subject, int64_t id, int64_t day, struct budget *ret,
                 struct budget *ret_left, struct error *err)
{
    struct budget found_one = {.day = 0};
    bool found;
    *ret = (struct budget){.subject = subject, .subject_id = id, .day = day, .counts = "{}"};
    *ret_left = (struct budget){.day = 0};
    if (!db_row(db, QUERY(LOAD, PARAMS(P_ENUM(subject, &budget_subject_names), P_INT(id)), ROW(&found_one)),
                &found, err))
        return false;
    if (found && found_one.day == day)
        *ret = found_one;
    else if (found && found_one.unstored > found_one.told)
        *ret_left = found_one;
    return true;
}

bool budget_spend(struct db *db, enum budget_subject subject, int64_t id, int64_t day, int64_t most,
                  bool *ret_done, struct error *err)
{
    int64_t changes = 0;
    bool ok = db_do(
        db,
        COMMAND(SPEND, PARAMS(P_ENUM(subject, &budget_subject_names), P_INT(id), P_INT(day), P_INT(most))),
        &changes, err);
    *ret_done = changes > 0;
    return ok;
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

bool budget_store(struct db *db, const struct budget *budget, struct error *err)
{
    return db_do(db, COMMAND(STORE, PARAMS(COLUMN_PARAMS(COLUMNS, budget))), NULL, err);
}

bool budget_untold(struct db *db, int64_t day, int64_t limit, struct budget **ret, size_t *ret_count,
                   struct error *err)
{
    struct budget row = {.day = 0};
    return db_list(db, QUERY(UNTOLD, PARAMS(P_INT(day), P_INT(limit)), ROW(&row)), &row, sizeof row, ret,
                   ret_count, err);
}

bool budget_remove(struct db *db, int64_t day, struct error *err)
{
    return db_do(db, COMMAND(REMOVE, PARAMS(P_INT(day))), NULL, err);
}
