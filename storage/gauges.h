/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the whole server, for GET /metrics. They come from the counts of fleet.h and from small indexes: no
   statement reads the fleet, the attempts or the ledger. */
#ifndef DFOTA_STORAGE_GAUGES_H
#define DFOTA_STORAGE_GAUGES_H

#include "storage/package.h"
#include "storage/product.h"

#define GAUGES_OUTBOX_MAX 10000

struct gauges {
    struct package_counts packages;
    int64_t running, paused; /* campaigns; with the targets of firmwares */
    int64_t gate_broken, last_done,
        unapproved;                        /* campaigns that wait for an admin: see overview_campaigns() */
    int64_t quarantined;                   /* hops out of service */
    int64_t claims;                        /* devices with a claim */
    int64_t blocked;                       /* devices with a closed loop guard */
    int64_t events_waiting, events_failed; /* of webhooks, at most GAUGES_OUTBOX_MAX each */
    int64_t ledger_seq;                    /* of the last row of the ledger */
    int64_t pruned_ms;                     /* the newest removal in the ledger; 0: there is none */
    int64_t backup_ms;                     /* when the last complete backup was made; 0: there is none */
};
bool gauges_load(struct db *db, struct gauges *ret, struct error *err) __attribute__((warn_unused_result));

struct gauge_attempts { /* devices by the state of their newest attempt for each target */
    char state[24];
    int64_t devices;
};
/* *ret is the caller's (free). */
bool gauges_attempts(struct db *db, struct gauge_attempts **ret, size_t *ret_count, struct error *err)
    __attribute__((warn_unused_result));

struct gauge_version { /* active devices by confirmed version */
    char product[PRODUCT_KEY_SIZE], firmware[FIRMWARE_NAME_SIZE];
    char version[VERSION_TEXT_SIZE]; /* "": no report */
    int64_t devices;
};
/* Those with the most devices, at most `limit`. *ret is the caller's (free). */
bool gauges_versions(struct db *db, int64_t limit, struct gauge_version **ret, size_t *ret_count,
                     struct error *err) __attribute__((warn_unused_result));
/* All active devices of all firmwares. */
bool gauges_devices(struct db *db, int64_t *ret, struct error *err) __attribute__((warn_unused_result));

#endif
