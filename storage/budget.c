/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/budget.h"

#include <stdio.h>
#include <string.h>

#include "storage/entities.h"

#define COLUMNS "subject, subject_id, day, facts, unstored, told, product, firmware, device, counts"

enum { LOAD, STORE, UNTOLD, REMOVE };
static const char *const sql[] = {
    [LOAD] = "SELECT " COLUMNS " FROM budget WHERE subject = $1 AND subject_id = $2",
    [STORE] =
        "INSERT INTO budget (" COLUMNS
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
        "ON CONFLICT (subject, subject_id) DO UPDATE SET day = $3, facts = $4, unstored = $5, told = $6, product = $7, "
        "firmware = $8, device = $9, counts = $10",
    [UNTOLD] = "SELECT " COLUMNS " FROM budget WHERE (day < $1 OR day > $1) AND unstored > told LIMIT $2",
    [REMOVE] = "DELETE FROM budget WHERE day < $1 OR day > $1",
};
DB_TABLE(budget, ENTITY_BUDGET);

#define ROW(b)                                                                                               \
    FIELDS(F_TEXT((b)->subject), F_INT(&(b)->subject_id), F_INT(&(b)->day), F_INT(&(b)->facts),              \
           F_INT(&(b)->unstored), F_INT(&(b)->told), F_TEXT((b)->product), F_TEXT((b)->firmware),            \
           F_TEXT((b)->device), F_TEXT((b)->counts))

const char *budget_subject_name(enum budget_subject subject)
{
    static const char *const names[] = {
        [BUDGET_DEVICE] = "device", [BUDGET_LINK] = "link", [BUDGET_PRODUCT] = "product"};
    return names[subject];
}

bool budget_load(struct db *db, enum budget_subject subject, int64_t id, int64_t day, struct budget *ret,
                 struct budget *ret_left, struct error *err)
{
    struct budget found_one = {.day = 0};
    bool found;
    const char *name = budget_subject_name(subject);
    *ret = (struct budget){.subject_id = id, .day = day, .counts = "{}"};
    *ret_left = (struct budget){.day = 0};
    snprintf(ret->subject, sizeof ret->subject, "%s", name);
    if (!db_row(db, &budget_statements, LOAD, PARAMS(P_TEXT(name), P_INT(id)), ROW(&found_one), &found, err))
        return false;
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

bool budget_store(struct db *db, const struct budget *budget, struct error *err)
{
    return db_do(db, &budget_statements, STORE,
                 PARAMS(P_TEXT(budget->subject), P_INT(budget->subject_id), P_INT(budget->day),
                        P_INT(budget->facts), P_INT(budget->unstored), P_INT(budget->told),
                        P_TEXT(budget->product), P_TEXT(budget->firmware), P_TEXT(budget->device),
                        P_TEXT(budget->counts)),
                 NULL, err);
}

bool budget_untold(struct db *db, int64_t day, int64_t limit, struct budget **ret, size_t *ret_count,
                   struct error *err)
{
    struct budget row = {.day = 0};
    return db_list(db, &budget_statements, UNTOLD, PARAMS(P_INT(day), P_INT(limit)), ROW(&row), &row,
                   sizeof row, ret, ret_count, err);
}

bool budget_remove(struct db *db, int64_t day, struct error *err)
{
    return db_do(db, &budget_statements, REMOVE, PARAMS(P_INT(day)), NULL, err);
}
