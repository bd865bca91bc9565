/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Budgets: how many rows of the ledger a device, a link and the new devices of a product may add in a UTC day. What comes above
   is counted by kind and not stored. So nobody can fill the disk by asking, and a stranger who asks in a device's name
   takes nothing from what is reported over its link. Writer's thread. */
#ifndef DFOTA_STORAGE_BUDGET_H
#define DFOTA_STORAGE_BUDGET_H

#include "storage/ledger.h"

#define BUDGET_ROWS 64 /* a day and device, and as many for each of its links: some eight hops */
#define BUDGET_ROWS_LAST                                                                                     \
    32 /* more of them for what moves the record: versions, ends of attempts, whole deliveries */
#define BUDGET_NEW_DEVICES                                                                                   \
    32768 /* a day and product, of all devices seen for the first time on that day together */
#define BUDGET_COUNTS_SIZE 512

enum budget_subject { BUDGET_DEVICE, BUDGET_LINK, BUDGET_PRODUCT };

struct budget {
    char subject[8];
    int64_t subject_id, day, facts, unstored, told;
    char product[PRODUCT_KEY_SIZE], firmware[FIRMWARE_NAME_SIZE], device[LEDGER_DEVICE_SIZE];
    char counts[BUDGET_COUNTS_SIZE]; /* {"check-in":300,…} of what is not stored */
};

const char *budget_subject_name(enum budget_subject subject);

/* As it is on that day: zeros where nothing has been counted on it yet. What another day has left that the ledger does not
   tell yet is in *ret_left, its `unstored` above its `told`; else its `unstored` is 0. */
bool budget_load(struct db *db, enum budget_subject subject, int64_t id, int64_t day, struct budget *ret,
                 struct budget *ret_left, struct error *err) __attribute__((warn_unused_result));
/* Whether the device, or the link where there is one, has spent all of its rows of that day. */
bool budget_is_spent(struct db *db, int64_t device_id, int64_t link_id, int64_t day, bool *ret,
                     struct error *err) __attribute__((warn_unused_result));
bool budget_store(struct db *db, const struct budget *budget, struct error *err)
    __attribute__((warn_unused_result));

/* Days before `day` that the ledger does not tell of to the end, at most `limit`; *ret is the caller's (free). */
bool budget_untold(struct db *db, int64_t day, int64_t limit, struct budget **ret, size_t *ret_count,
                   struct error *err) __attribute__((warn_unused_result));
/* Removes all of days before `day`, told or not. */
bool budget_remove(struct db *db, int64_t day, struct error *err) __attribute__((warn_unused_result));

#endif
