/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The devices that broke the gate of a campaign, for the ledger, the log and webhooks. */
#ifndef DFOTA_SERVER_CAMPAIGN_BREACH_H
#define DFOTA_SERVER_CAMPAIGN_BREACH_H

#include <jansson.h>
#include "storage/campaign_device.h"

#define BREACH_DEVICES_MAX 20 /* devices that are named */
#define BREACH_TEXT_SIZE   300

struct campaign_breach {
    json_t *devices;             /* "imei:…", the newest outcome first; NULL: no gate paused the campaign */
    int64_t count;               /* of all devices that count for the limit */
    char text[BREACH_TEXT_SIZE]; /* "imei:1, imei:2, imei:3 and 4 more" */
};

/* The caller calls campaign_breach_clear(), also after an error. */
bool campaign_breach_load(struct db *db, const struct campaign *campaign, struct campaign_breach *ret,
                          struct error *err) __attribute__((warn_unused_result));
void campaign_breach_clear(struct campaign_breach *breach);

#endif
