/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Internal to server/campaign. */
#ifndef DFOTA_SERVER_CAMPAIGN_LIFE_H
#define DFOTA_SERVER_CAMPAIGN_LIFE_H

#include "server/campaign/gate.h"

/* Stores the campaign with its new stage. */
bool campaign_begin_stage(struct db *db, struct campaign *campaign, const struct stages *stages,
                          int64_t stage, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));

/* What an evaluation with these counts would come to: CAMPAIGN_PAUSE, CAMPAIGN_FINISH, or CAMPAIGN_EVENT_COUNT when the
   campaign goes on. `why`, a reason, is for a pause. *campaign is not stored. */
bool campaign_foresee(struct db *db, struct campaign *campaign, const struct stages *stages, int64_t now_ms,
                      enum campaign_event *ret, char why[REASON_SIZE], struct error *err)
    __attribute__((warn_unused_result));

/* The current stage of a list reaches as many devices as it should: it goes on in the list for those that are out.
   Devices that came to run the target before count in the stage. The campaign is not stored. */
bool campaign_reach(struct db *db, struct campaign *campaign, const struct stages *stages, int64_t now_ms,
                    struct error *err) __attribute__((warn_unused_result));

/* ERROR_CAMPAIGN_CONFLICT, with both names. Returns false. */
bool campaign_refuse_conflict(const struct campaign *campaign, const struct campaign *other,
                              struct error *err);

#endif
