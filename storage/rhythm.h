/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* How often a sample of devices asks. */
#ifndef DFOTA_STORAGE_RHYTHM_H
#define DFOTA_STORAGE_RHYTHM_H

#include "storage/campaign.h"
#include "upgrade/rhythm.h"

/* The first and the last devices of a list, or of the firmware: at most RHYTHM_SAMPLE of them, without retired and held
   ones. Of a plain campaign that is not stored, campaign->id is 0. *ret is the caller's (free). */
bool rhythm_sample(struct db *db, const struct campaign *campaign, struct rhythm **ret, size_t *ret_count,
                   struct error *err);

#endif
