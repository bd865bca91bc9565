/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* How long a campaign will take. Pure. An estimate: see doc/campaigns.md for what is counted, and what is not.

   Time is counted in rounds: in one round each device asks once. A question gets the next package, and confirms the one
   before: a path of two hops takes three questions. The canary of a package that is not confirmed takes one more round
   for each confirmation. The devices of a stage go at the same time; the stages go one after the other. */
#ifndef DFOTA_UPGRADE_FORECAST_H
#define DFOTA_UPGRADE_FORECAST_H

#include "upgrade/campaign.h"
#include "upgrade/rhythm.h"

struct forecast_work {
    unsigned devices;  /* that have a path */
    unsigned audience; /* all devices of the campaign */
    unsigned hops;     /* of the longest path */
    unsigned canaries; /* confirmations that are missing on a path, where the most are missing */
    const struct stage *stages;
    unsigned stage_count;
};

struct forecast {
    unsigned rounds;
    int64_t settle_ms;  /* sum of the settle times */
    unsigned approvals; /* admins must approve so often: for this no time is counted */
    int64_t typical_ms; /* at the typical interval; 0: not known */
    int64_t slow_ms;    /* at the interval that nine of ten devices keep; 0: not known */
};

void forecast_make(const struct forecast_work *work, const struct rhythm_sum *rhythm, struct forecast *ret);

#endif
