/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the attempts of a firmware say of a package (upgrade/canary.h). */
#ifndef DFOTA_STORAGE_TRIAL_H
#define DFOTA_STORAGE_TRIAL_H

#include "storage/db.h"
#include "upgrade/canary.h"

struct trial_question {
    int64_t firmware_id;
    const struct sha256 *package_sha256;
    int64_t device_id; /* who asks; 0: nobody */
    int64_t
        idle_since_ms; /* a device that has not fetched everything, and no byte since then, tries it no more */
};

struct trial_facts {
    struct trial trial; /* without trial.quarantined */
    int64_t other;      /* the device that tries it; 0: none */
    bool own_failed;    /* the device that asks is among trial.not_applied */
};

/* `most`: no more confirmations are counted than these, and with so many other_tries stays false. The cost does not depend on how many devices there are. */
bool trial_load(struct db *db, const struct trial_question *question, unsigned most, struct trial_facts *ret,
                struct error *err);

/* An admin gives up on what the device has: its place as canary is free. *ret_changed false: it has none. */
bool trial_write_off(struct db *db, int64_t device_id, bool *ret_changed, struct error *err);
/* The device begins the download of the attempt again: it holds the place of the canary, also if an admin gave up on
   it before. */
bool trial_begin_anew(struct db *db, int64_t attempt_id, struct error *err);

#endif
