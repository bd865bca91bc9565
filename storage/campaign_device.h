/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The devices of campaigns: those of a list, and of other audiences those that a stage has admitted. */
#ifndef DFOTA_STORAGE_CAMPAIGN_DEVICE_H
#define DFOTA_STORAGE_CAMPAIGN_DEVICE_H

#include "storage/campaign.h"
#include "upgrade/identity.h"

struct campaign_device {
    int64_t campaign_id, device_id;
    int64_t rank;  /* in the list, from 0; of other audiences the id of the device */
    bool admitted; /* OUTCOME_OUT: a stage had admitted it */
    int64_t stage; /* that admitted it */
    enum campaign_outcome outcome;
    int64_t at_ms; /* of the outcome; 0: waiting */
};

struct campaign_device_listed { /* for a list of them */
    struct campaign_device row;
    enum id_kind id_kind;
    char device[IDENTITY_SIZE], confirmed_version[VERSION_TEXT_SIZE], asked_version[VERSION_TEXT_SIZE];
    int64_t last_seen_ms;
};

struct campaign_group {              /* devices that run one version, as far as known */
    char version[VERSION_TEXT_SIZE]; /* "": not known */
    struct sha256 build;             /* of a version with several builds; zero: not known */
    bool out;                        /* they take no part */
    int64_t devices;
};

/* The live campaign of the firmware that has the device in its rows: a list before others, then the
   newest. *ret_count: how many there are; 0: none. A device that is out is in its list still, and in no other audience. */
bool campaign_device_live(struct db *db, int64_t device_id, int64_t firmware_id, struct campaign *ret,
                          struct campaign_device *ret_row, size_t *ret_count, struct error *err);
bool campaign_device_find(struct db *db, int64_t campaign_id, int64_t device_id, struct campaign_device *ret,
                          bool *ret_found, struct error *err);
/* *ret_new false: the device is there already, and keeps its row. */
bool campaign_device_add(struct db *db, const struct campaign_device *device, bool *ret_new,
                         struct error *err);
bool campaign_device_update(struct db *db, const struct campaign_device *device, struct error *err);
/* The device `before` gives its row to *device. */
bool campaign_device_hand_over(struct db *db, int64_t before, const struct campaign_device *device,
                               struct error *err);
bool campaign_device_drop(struct db *db, int64_t campaign_id, int64_t device_id, struct error *err);
bool campaign_device_drop_all(struct db *db, int64_t campaign_id, struct error *err);
/* All rows of a device, of the oldest campaign first; *ret is the caller's (free). */
bool campaign_device_rows_of(struct db *db, int64_t device_id, struct campaign_device **ret,
                             size_t *ret_count, struct error *err);
/* The live list of the firmware that has the device, and leads to another version. */
bool campaign_device_conflict(struct db *db, const struct campaign *campaign, int64_t device_id,
                              struct campaign *ret, bool *ret_found, struct error *err);
/* The lowest rank below which `devices` of the list are not out; INT32_MAX: there are not so many. Reads the devices
   that are out; and all below that rank, when devices of the list were deleted. */
bool campaign_device_reach(struct db *db, const struct campaign *campaign, int64_t devices, int64_t *ret,
                           struct error *err);
/* Adds a device of the firmware, waiting, if it still exists and has no row. */
bool campaign_device_select(struct db *db, const struct campaign *campaign, int64_t device_id, int64_t rank,
                            bool *ret_new, struct error *err);
/* The devices of a list that take no part. */
bool campaign_device_out_all(struct db *db, int64_t campaign_id, int64_t now_ms, int64_t *ret_count,
                             struct error *err);
/* A device of the list is out because it is held out: it may come back. Reads the devices of the firmware that are held
   out. */
bool campaign_device_held_out(struct db *db, const struct campaign *campaign, bool *ret, struct error *err);
/* All devices are waiting again. */
bool campaign_device_reset_all(struct db *db, int64_t campaign_id, struct error *err);
/* Those with a rank below `below`; all are waiting. */
bool campaign_device_copy_all(struct db *db, int64_t from, int64_t to, int64_t below, int64_t *ret_count,
                              struct error *err);
/* The devices of a list that run the target and are not out: confirmed, and admitted by no stage. */
bool campaign_device_confirm_all(struct db *db, int64_t campaign_id, const char *target, int64_t now_ms,
                                 int64_t *ret_count, struct error *err);
/* Such devices with a rank below `reach` count in the stage. */
bool campaign_device_fold(struct db *db, int64_t campaign_id, int64_t reach, int64_t stage,
                          int64_t *ret_count, struct error *err);
/* A page in the order of rank, after `after` (first: -1). `outcome` CAMPAIGN_OUTCOME_COUNT: any. *ret is the
   caller's. */
bool campaign_device_list(struct db *db, int64_t campaign_id, enum campaign_outcome outcome, int64_t after,
                          int64_t limit, struct campaign_device_listed **ret, size_t *ret_count,
                          struct error *err);
/* The ids of all devices in the order of rank; *ret is the caller's (free). */
bool campaign_device_ids(struct db *db, int64_t campaign_id, int64_t **ret, size_t *ret_count,
                         struct error *err);
/* Devices of a stage that count for a limit of its gate, the newest outcome first. *ret is the caller's. */
bool campaign_device_breached(struct db *db, int64_t campaign_id, int64_t stage, enum gate_breach breach,
                              int64_t limit, struct campaign_device_listed **ret, size_t *ret_count,
                              struct error *err);
/* How many devices run which version: of a firmware, or of a list. Reads all devices of a list: for an admin. *ret
   is the caller's. */
bool campaign_device_groups(struct db *db, const struct campaign *campaign, struct campaign_group **ret,
                            size_t *ret_count, struct error *err);
/* Of the groups that take part, the devices that are known to run one of several builds of their version. Reads the devices
   of such versions. */
bool campaign_device_builds(struct db *db, const struct campaign *campaign, struct campaign_group **ret,
                            size_t *ret_count, struct error *err);

#endif
