/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What is stored of a device in other tables, in one statement. Most devices have little of this, and to run a statement
   costs more than to find that a table has no row. */
#ifndef DFOTA_STORAGE_TRACES_H
#define DFOTA_STORAGE_TRACES_H

#include "storage/said.h"

struct traces {
    struct said said;
    bool in_campaign; /* it is or was in a campaign: campaign_device_live() may find one */
    bool guarded;     /* the loop guard counts packages of it, or is closed for it: see guard_load() */
    bool open;        /* an attempt is open: attempt_open_pair() finds it */
    bool silent;      /* its last attempt is silent: attempt_silent_of() finds it */
};

/* A device that is not stored has zeros in all fields. */
bool traces_of(struct db *db, int64_t device_id, struct traces *ret, struct error *err);

#endif
