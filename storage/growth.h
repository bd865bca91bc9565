/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What keeps the database small for years: old rows that may go, files that no row names, and how much there is. */
#ifndef DFOTA_STORAGE_GROWTH_H
#define DFOTA_STORAGE_GROWTH_H

#include "storage/db.h"

/* Devices with more than `kept` attempts and an id above `after`, in the order of their ids, at most `limit`. Reads an
   index of all attempts: once a day, on a connection for reading. *ret is the caller's (free). */
bool growth_devices(struct db *db, int64_t kept, int64_t after, int64_t limit, int64_t **ret,
                    size_t *ret_count, struct error *err) __attribute__((warn_unused_result));
/* Removes at most `most` attempts of the device that are older than its newest `kept`. These stay: attempts that are
   open, that were confirmed, that a transcript is about, and the newest for each target. So outcomes, trials and
   counts do not change. */
bool growth_drop_attempts(struct db *db, int64_t device_id, int64_t kept, int64_t most, int64_t *ret_removed,
                          struct error *err) __attribute__((warn_unused_result));

/* Removes at most `most` plain campaigns (targets) that have ended and have no open attempt, besides the newest `kept` of each
   firmware. */
bool growth_drop_targets(struct db *db, int64_t kept, int64_t most, int64_t *ret_removed, struct error *err)
    __attribute__((warn_unused_result));
/* Removes the counts of new devices of the days before `day`. */
bool growth_drop_admissions(struct db *db, int64_t day, struct error *err)
    __attribute__((warn_unused_result));

/* Files that no row names. The rows are in the order of the hashes. */
struct unknown_blob {
    struct sha256 hash;
    int64_t since_ms;
};
bool unknown_blob_list(struct db *db, struct unknown_blob **ret, size_t *ret_count, struct error *err)
    __attribute__((warn_unused_result));
bool unknown_blob_add(struct db *db, const struct sha256 *hash, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));
bool unknown_blob_remove(struct db *db, const struct sha256 *hash, struct error *err)
    __attribute__((warn_unused_result));

struct growth_counts { /* rows */
    int64_t images, packages, devices, links, attempts, check_in_days, transcripts, campaigns,
        campaign_devices, ledger, outbox;
};
/* Reads an index of each table: once a day, on a connection for reading. */
bool growth_count(struct db *db, struct growth_counts *ret, struct error *err)
    __attribute__((warn_unused_result));
/* Bytes of the database, and how many of these are free for new rows. Quick. */
bool growth_bytes(struct db *db, int64_t *ret_bytes, int64_t *ret_free, struct error *err)
    __attribute__((warn_unused_result));

#endif
