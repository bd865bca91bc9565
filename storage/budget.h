/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Budgets: how many rows of the ledger a device, a link, and the new devices of a product may add in a UTC
   day. Further facts are only counted, by kind. So requests alone cannot fill the disk. A stranger who
   asks in the name of a device does not use up the budget of what is reported over the device's link.
   Writer's thread. */
#ifndef DFOTA_STORAGE_BUDGET_H
#define DFOTA_STORAGE_BUDGET_H

#include "storage/ledger.h"

/* Rows per UTC day. */
#define BUDGET_ROWS        64    /* of a device, and of each of its links: about eight hops */
#define BUDGET_ROWS_LAST   32    /* more of them for new versions, ends of attempts and whole deliveries */
#define BUDGET_NEW_DEVICES 32768 /* of a product: all devices together that were first seen on that day */
#define BUDGET_COUNTS_SIZE 512

enum budget_subject { BUDGET_DEVICE, BUDGET_LINK, BUDGET_PRODUCT };
extern const struct enum_names budget_subject_names;

struct budget {
    enum budget_subject subject;
    int64_t subject_id, day;
    int64_t facts, unstored; /* rows in the ledger; facts that were only counted */
    int64_t told;            /* of `unstored`: already told in the ledger */
    char product[PRODUCT_KEY_SIZE], firmware[FIRMWARE_NAME_SIZE], device[LEDGER_DEVICE_SIZE];
    char counts[BUDGET_COUNTS_SIZE]; /* the unstored facts by kind: {"check-in":300,…} */
    bool is_stored;                  /* there is a row for this day */
};

/* The budget of that day; zeros when nothing was counted on it yet. When the stored budget is of another
   day and has untold facts, *ret_left is that budget. Else its `unstored` is 0. */
bool budget_load(struct db *db, enum budget_subject subject, int64_t id, int64_t day, struct budget *ret,
                 struct budget *ret_left, struct error *err) __attribute__((warn_unused_result));
/* Whether the device has spent its rows of that day. With link_id: whether the link has. */
bool budget_is_spent(struct db *db, int64_t device_id, int64_t link_id, int64_t day, bool *ret,
                     struct error *err) __attribute__((warn_unused_result));
/* The budgets of a transaction are put off and stored together (db_defer): many devices share the budget of a product. */
bool budget_store(struct db *db, const struct budget *budget, struct error *err)
    __attribute__((warn_unused_result));

/* Budgets of days other than `day` that have untold facts, at most `limit`; *ret is the caller's (free). */
bool budget_untold(struct db *db, int64_t day, int64_t limit, struct budget **ret, size_t *ret_count,
                   struct error *err) __attribute__((warn_unused_result));
/* Removes all budgets of days other than `day`. */
bool budget_remove(struct db *db, int64_t day, struct error *err) __attribute__((warn_unused_result));

#endif
