/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Events about campaigns for webhooks. Like notify.h: writer's thread, in the transaction of the fact. The events of one
   campaign are sent to a webhook in order. */
#ifndef DFOTA_SERVER_WEBHOOK_NOTIFY_CAMPAIGN_H
#define DFOTA_SERVER_WEBHOOK_NOTIFY_CAMPAIGN_H

#include <jansson.h>
#include "storage/campaign.h"

/* The current stage is done. next: what follows, one sentence without its full stop. */
bool notify_stage_done(struct db *db, const struct campaign *campaign, const struct stages *stages,
                       const char *next, int64_t at_ms, struct error *err)
    __attribute__((warn_unused_result));

struct notify_breach { /* what broke a gate */
    json_t *devices;   /* borrowed: an array of texts, the first of them; NULL: no gate paused the campaign */
    int64_t count;     /* of all such devices */
    const char *text;  /* the devices in words */
};
/* campaign->paused_why says why. */
bool notify_campaign_paused(struct db *db, const struct campaign *campaign,
                            const struct notify_breach *breach, int64_t at_ms, struct error *err)
    __attribute__((warn_unused_result));

bool notify_campaign_finished(struct db *db, const struct campaign *campaign, int64_t at_ms,
                              struct error *err) __attribute__((warn_unused_result));

/* why: "campaign-paused", "approval"; notice: one sentence without its full stop. */
bool notify_campaign_person(struct db *db, const struct campaign *campaign, const char *why,
                            const char *notice, int64_t at_ms, struct error *err)
    __attribute__((warn_unused_result));

#endif
