/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Traffic: the bytes of packages that were sent to a device in a month. Months are numbers of hours_month(). */
#ifndef DFOTA_STORAGE_TRAFFIC_H
#define DFOTA_STORAGE_TRAFFIC_H

#include "storage/db.h"

bool traffic_add(struct db *db, int64_t device_id, int64_t month, int64_t bytes, struct error *err)
    __attribute__((warn_unused_result));
/* 0 when nothing was sent. */
bool traffic_of(struct db *db, int64_t device_id, int64_t month, int64_t *ret_bytes, struct error *err)
    __attribute__((warn_unused_result));
/* Removes at most `limit` rows of months before `month`. *ret_removed: their number. */
bool traffic_remove(struct db *db, int64_t month, int64_t limit, int64_t *ret_removed, struct error *err)
    __attribute__((warn_unused_result));

#endif
