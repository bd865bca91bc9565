/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The outcome of each device of a firmware on its way to a target, from its newest attempt for that
   target. */
#ifndef DFOTA_STORAGE_OUTCOME_H
#define DFOTA_STORAGE_OUTCOME_H

#include "storage/attempt.h"
#include "storage/device.h"
#include "storage/fleet.h"

struct outcome_row {
    int64_t device_id;
    enum id_kind id_kind;
    char device[IDENTITY_SIZE];
    char confirmed_version[VERSION_TEXT_SIZE];
    struct sha256 build; /* of the confirmed version; zero: not known */
    enum reported_by confirmed_by;
    enum grade confirmed_grade;
    char asked_version[VERSION_TEXT_SIZE];
    int64_t confirmed_ms, last_seen_ms, last_answer_ms;
    bool blocked; /* the loop guard is closed for the origin that the device last fetched from */
    char last_reason[REASON_SIZE];
    int64_t attempt_id; /* 0: no attempt for this target; then all below is 0 or "" */
    bool by_us;         /* a package to the target was delivered to the device, and confirmed */
    char from[VERSION_TEXT_SIZE], to[VERSION_TEXT_SIZE];
    enum attempt_state state;
    char reason[REASON_SIZE];
    int64_t bytes_acked, created_ms, sent_ms, delivered_ms, ended_ms;
};

struct outcome_bytes { /* acknowledged by peers, of all attempts for the target */
    int64_t all;
    int64_t vain; /* of attempts that ended and were not confirmed */
};

/* Devices with the same outcome. The groups of a firmware and a target have each device once. */
struct outcome_group {
    struct fleet_group group; /* target "": its devices have no main attempt for the target */
    int64_t devices;
};
struct outcome_build {
    struct sha256 hash;
    int64_t devices;
};
/* Of a group with a row in `outcome_groups`: its devices that have confirmed `version`, by their build; without those whose
   build is not known. Reads all devices of the group. *ret is the caller's (free). */
bool outcome_builds(struct db *db, const struct outcome_group *group, const char *version, const char *target,
                    struct outcome_build **ret, size_t *ret_count, struct error *err);
/* *ret is the caller's (free). */
bool outcome_groups(struct db *db, int64_t firmware_id, const char *target, struct outcome_group **ret,
                    size_t *ret_count, struct error *err);

#define OUTCOME_WALK 5000 /* rows that one call reads at most of each group */

/* Devices of some groups, in order of id, after `after`. */
struct outcome_page {
    int64_t after, limit;
    int64_t *ids; /* the caller's (free) */
    size_t count, room;
    int64_t until;       /* the page has all devices up to this id; INT64_MAX: there are no others */
    int64_t last_walked; /* internal */
};
#define OUTCOME_PAGE(after, limit)                                                                           \
    {                                                                                                        \
        (after), (limit), NULL, 0, 0, INT64_MAX, 0                                                           \
    }

/* Adds the devices of one group, or all of the firmware, to the page. Call outcome_page_cut() at the end. */
bool outcome_members(struct db *db, const struct fleet_group *group, const char *target,
                     struct outcome_page *page, struct error *err);
bool outcome_of_firmware(struct db *db, int64_t firmware_id, struct outcome_page *page, struct error *err);
/* Sorts the ids, and removes those that are not complete up to `until` or above the limit. The next page begins
   after `until`. */
void outcome_page_cut(struct outcome_page *page);

/* One device; *ret_found false: it is not a device of the firmware. */
bool outcome_row_of(struct db *db, int64_t firmware_id, const char *target, int64_t device_id,
                    struct outcome_row *ret, bool *ret_found, struct error *err);
bool outcome_bytes(struct db *db, int64_t firmware_id, const char *target, struct outcome_bytes *ret,
                   struct error *err) __attribute__((warn_unused_result));

#endif
