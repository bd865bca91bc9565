/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The loop guard: the downloads by which it closed for a device, and the devices that it has blocked. device.h
   has the guard itself. */
#ifndef DFOTA_STORAGE_GUARD_H
#define DFOTA_STORAGE_GUARD_H

#include "storage/db.h"
#include "upgrade/guard.h"

/* Sums up the attempts of a device from one origin ("": from all) that were sent since since_ms. Fills all of
   *ret but begun, by_link and shared. Times that are ahead of now_ms do not count. */
bool guard_sum_up(struct db *db, int64_t device_id, const char *origin, int64_t since_ms, int64_t now_ms,
                  struct guard_facts *ret, struct error *err);

/* Devices of a firmware that the guard has blocked, with id > after, at most `limit`, in the order of their ids;
   *ret is the caller's (free). */
bool guard_list_blocked(struct db *db, int64_t firmware_id, int64_t after, int64_t limit, int64_t **ret,
                        size_t *ret_count, struct error *err);

#endif
