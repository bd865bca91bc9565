/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Hops of a firmware that are out of service: no package leads over them until an admin lifts the quarantine. */
#ifndef DFOTA_STORAGE_QUARANTINE_H
#define DFOTA_STORAGE_QUARANTINE_H

#include "storage/db.h"

#define QUARANTINE_REASON_SIZE 200

struct quarantine {
    int64_t firmware_id;
    struct sha256 from, to;       /* of the images; `from` zero: a full package */
    struct sha256 package_sha256; /* zero: an admin said so, of whatever bytes */
    int64_t at_ms;
    char reason[QUARANTINE_REASON_SIZE];
};

/* A hop that is out of service already keeps its first reason. */
bool quarantine_add(struct db *db, const struct quarantine *quarantine, struct error *err);
bool quarantine_lift(struct db *db, int64_t firmware_id, const struct sha256 *from, const struct sha256 *to,
                     bool *ret_lifted, struct error *err);
bool quarantine_find(struct db *db, int64_t firmware_id, const struct sha256 *from, const struct sha256 *to,
                     struct quarantine *ret, bool *ret_found, struct error *err);
/* firmware_id 0: of all firmwares. */
bool quarantine_count(struct db *db, int64_t firmware_id, int64_t *ret, struct error *err);

#endif
