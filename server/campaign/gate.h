/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The life of a campaign: its state, its stages and their gates, each change with a row in the ledger, a line
   in the log, and an event for webhooks. Writer's thread, in the transaction of the change. */
#ifndef DFOTA_SERVER_CAMPAIGN_GATE_H
#define DFOTA_SERVER_CAMPAIGN_GATE_H

#include <jansson.h>
#include "storage/campaign_device.h"
#include "storage/ledger.h"

/* Looks at the gates of a running campaign: the next stage begins, or the campaign pauses or is finished.
   Reads the campaign and its stages, never its devices. */
bool campaign_evaluate(struct db *db, struct campaign *campaign, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));

/* Once in a while, for the time after the last confirmation. A campaign that cannot be evaluated is logged, and does
   not stop the others. */
bool campaign_evaluate_all(struct db *db, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));

/* Applies an event that an admin asks for; `why` (reason.h) is for CAMPAIGN_PAUSE; campaign->breach
   is set when a gate pauses the campaign. Takes over `by` (event_by.h). A start
   puts devices that run the target already beside those that confirm later, and leaves out those that take no part.
   With a filter the caller has done before a start what reads the fleet: the list is made, or campaign->devices is the
   number of devices to lead. ERROR_INVALID: the list has no device. A resume accepts the failures so
   far: the gates of the stages up to the current one break with the next failure. The limits stay as they were
   written. ERROR_CAMPAIGN_STATE: the
   event does not fit the state. ERROR_CAMPAIGN_CONFLICT: another live campaign leads some of the devices to
   another target. */
bool campaign_run(struct db *db, struct campaign *campaign, enum campaign_event event, const char *why,
                  json_t *by, int64_t now_ms, struct error *err) __attribute__((warn_unused_result));

/* Another target: all devices are waiting, and the first stage begins anew. The state stays; a paused campaign says why it waits. Takes over
   `by`. The caller sets campaign->forecast, and with a dynamic filter campaign->devices, for the new target. */
bool campaign_retarget(struct db *db, struct campaign *campaign, const char *target, json_t *by,
                       int64_t now_ms, struct error *err) __attribute__((warn_unused_result));

/* The target of a firmware: ends its plain campaign, and begins one to `target` unless that is "". `by`: the
   name of the admin. `forecast`: JSON, "": none. firmware->target is set. ERROR_CAMPAIGN_CONFLICT. */
bool campaign_set_plain(struct db *db, struct firmware *firmware, const char *target, const char *by,
                        const char *forecast, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));

/* A version is withdrawn: pauses the campaigns that lead to it. Plain campaigns are left to the caller. */
bool campaign_withdraw(struct db *db, int64_t firmware_id, const char *version, int64_t now_ms,
                       struct error *err) __attribute__((warn_unused_result));

/* The row of the ledger about a campaign. Takes over `detail`. */
bool campaign_note(struct db *db, const struct campaign *campaign, enum ledger_kind kind, int64_t now_ms,
                   json_t *detail, struct error *err) __attribute__((warn_unused_result));

/* ERROR_CAMPAIGN_CONFLICT, with both names. */
bool campaign_check_conflict(struct db *db, const struct campaign *campaign, int64_t besides,
                             struct error *err) __attribute__((warn_unused_result));

#endif
