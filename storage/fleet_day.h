/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* How many devices had confirmed which version, at the end of each UTC day. The numbers come from the counts of
   fleet.h, so no device is read. A firmware has at most FLEET_DAYS days with FLEET_DAY_VERSIONS versions each. */
#ifndef DFOTA_STORAGE_FLEET_DAY_H
#define DFOTA_STORAGE_FLEET_DAY_H

#include "storage/db.h"
#include "upgrade/version.h"

#define FLEET_DAYS         400
#define FLEET_DAY_VERSIONS 32
#define FLEET_DAY_OTHERS   "*" /* in place of a version: all other versions together */

struct fleet_day {
    int64_t day;                     /* milliseconds since 1970 / 86,400,000 */
    char version[VERSION_TEXT_SIZE]; /* "": no report */
    int64_t devices;
};

/* Active devices of the firmware by confirmed version now, most devices first, at most FLEET_DAY_VERSIONS and one row of
   FLEET_DAY_OTHERS. `day` is 0. *ret is the caller's (free). */
bool fleet_day_now(struct db *db, int64_t firmware_id, struct fleet_day **ret, size_t *ret_count,
                   struct error *err) __attribute__((warn_unused_result));
/* Whether the stored numbers of that day differ from those of now. */
bool fleet_day_differs(struct db *db, int64_t firmware_id, int64_t day, bool *ret, struct error *err)
    __attribute__((warn_unused_result));
/* Stores what is true now as the numbers of that day, and removes what is older than FLEET_DAYS. Writes nothing when
   nothing has changed. Writer's thread. */
bool fleet_day_store(struct db *db, int64_t firmware_id, int64_t day, struct error *err)
    __attribute__((warn_unused_result));
/* Rows of the days from `day` on, in order of the days. *ret is the caller's (free). */
bool fleet_day_list(struct db *db, int64_t firmware_id, int64_t day, struct fleet_day **ret,
                    size_t *ret_count, struct error *err) __attribute__((warn_unused_result));
/* The ids of all firmwares; *ret is the caller's (free). */
bool fleet_day_firmwares(struct db *db, int64_t **ret, size_t *ret_count, struct error *err)
    __attribute__((warn_unused_result));

#endif
