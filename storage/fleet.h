/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Counts of the fleet: how many devices are alike, the bytes that were acknowledged on the way to each target and
   for each campaign, and the attempts that wait for each package. They are exact at every commit: the functions that change a
   device or an attempt (device.h, attempt.h, removal.h) call the functions below in the same transaction. So the
   answers to an admin count groups, not devices. */
#ifndef DFOTA_STORAGE_FLEET_H
#define DFOTA_STORAGE_FLEET_H

#include "storage/device.h"
#include "upgrade/decision.h"
#include "upgrade/version.h"

/* Devices that are alike. */
struct fleet_group {
    int64_t id, firmware_id;
    char target
        [VERSION_TEXT_SIZE]; /* "": all active devices of the firmware; else those with a main attempt for it */
    char confirmed[VERSION_TEXT_SIZE], asked[VERSION_TEXT_SIZE]; /* "": none */
    bool blocked; /* the loop guard is closed for the origin that the device last fetched from */
    /* Of the devices' newest main attempt for the target; false and "" without a target. */
    bool by_us; /* a package to the target was delivered and confirmed */
    char state[24];
    bool to_target; /* its hop leads to the target */
};

/* What the counts need to know of an attempt. */
struct fleet_attempt {
    int64_t device_id, firmware_id; /* 0: there is no such attempt */
    char from[VERSION_TEXT_SIZE], to[VERSION_TEXT_SIZE], target[VERSION_TEXT_SIZE], state[24];
    char origin[ORIGIN_SIZE];
    int64_t beside, bytes_acked, campaign_id;
};

/* Before the commit, the device comes into the groups that it belongs to then. When a fact of the device has changed, the cost grows
   with the number of targets that it had attempts for. */
bool fleet_count_device(struct db *db, int64_t device_id, struct error *err);
/* Before the device, or the firmware, is removed. A firmware must have no device and no attempt. */
bool fleet_remove_device(struct db *db, int64_t device_id, struct error *err);
bool fleet_remove_firmware(struct db *db, int64_t firmware_id, struct error *err);

/* After the change, or after the attempt was added (*before is all zero then). */
bool fleet_count_attempt(struct db *db, const struct fleet_attempt *before, const struct fleet_attempt *after,
                         struct error *err);

#endif
