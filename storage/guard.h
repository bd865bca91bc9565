/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The loop guard: what it counts for a device, the downloads by which it closed, and the devices that it has blocked. */
#ifndef DFOTA_STORAGE_GUARD_H
#define DFOTA_STORAGE_GUARD_H

#include "storage/device.h"
#include "upgrade/guard.h"

/* Sums up the attempts of a device from one origin ("": from all) that were sent since since_ms. Fills all of
   *ret but begun, by_link and shared. Times that are ahead of now_ms do not count. */
bool guard_sum_up(struct db *db, int64_t device_id, const char *origin, int64_t since_ms, int64_t now_ms,
                  struct guard_facts *ret, struct error *err);

/* Devices of a firmware that the guard has blocked, with id > after, at most `limit`, in the order of their ids;
   *ret is the caller's (free). */
bool guard_list_blocked(struct db *db, int64_t firmware_id, int64_t after, int64_t limit, int64_t **ret,
                        size_t *ret_count, struct error *err);

struct guard {
    char origin[ORIGIN_SIZE]; /* the origin that the packages are counted for */
    int64_t begun;            /* packages */
    bool closed;
};

/* The loop guard: packages begun (not resumed) for a device, by origin. A device has at most 32 origins;
   all later ones count together. The origin "" counts the packages of all origins, and is closed when any
   origin is. Counts what was begun since since_ms. Times that are ahead of now_ms do not count. */
bool guard_load(struct db *db, int64_t id, const char *origin, int64_t since_ms, int64_t now_ms,
                struct guard *ret, struct error *err);
/* Also deletes what is older than a day, or ahead of now_ms. */
bool guard_add_begun(struct db *db, int64_t id, const char *origin, int64_t now_ms, struct error *err);
bool guard_close(struct db *db, int64_t id, const char *origin, struct error *err);
bool guard_open(struct db *db, int64_t id, struct error *err); /* for all origins; the counts begin at 0 */
/* The origins for which the guard is closed; *ret is the caller's (free). */
bool guard_list(struct db *db, int64_t id, char (**ret)[ORIGIN_SIZE], size_t *ret_count, struct error *err);

#endif
