/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The forecast of a campaign, and what came of it. */
#ifndef DFOTA_SERVER_ADMIN_CAMPAIGN_FORECAST_H
#define DFOTA_SERVER_ADMIN_CAMPAIGN_FORECAST_H

#include "server/admin/campaign.h"
#include "server/planning/graph.h"

struct campaign_outlook {
    int64_t audience;    /* all devices of the campaign */
    int64_t devices;     /* of these: they have a path */
    int64_t bytes;       /* of all packages for them */
    int64_t waiting;     /* packages are still to be made: bytes and hops are not known */
    int64_t unreachable; /* there is no path */
    int64_t unknown;     /* their version is not known, or was not planned */
    unsigned hops;       /* of the longest path */
    unsigned canaries;   /* confirmations that are missing on a path, where the most are missing */
};

/* Adds devices that have a path: plan->outcome is PLAN_PATH. */
bool campaign_outlook_add(struct admin_call *call, struct db *db, const struct firmware *firmware,
                          const struct graph *graph, const struct plan *plan, int64_t devices,
                          struct campaign_outlook *outlook, struct error *err)
    __attribute__((warn_unused_result));
bool campaign_outlook_to_json(struct db *db, const struct campaign *campaign,
                              const struct campaign_outlook *outlook, json_t **ret, struct error *err)
    __attribute__((warn_unused_result));

/* What is stored when a campaign starts. As campaign_effect(). Any thread. */
bool campaign_forecast(struct admin_call *call, struct db *db, const struct firmware *firmware,
                       const struct campaign *campaign, int64_t besides, char ret[CAMPAIGN_FORECAST_SIZE],
                       struct error *err) __attribute__((warn_unused_result));

json_t *campaign_forecast_to_json(const struct campaign *campaign); /* null: not started */
json_t *campaign_actual_to_json(const struct campaign *campaign, int64_t confirmed);

#endif
