/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What happens to a device changes its outcome in its campaign, and with it the counts of the stage. Nothing
   is counted again: each change moves one device from one outcome to another. Writer's thread, in the
   transaction of the fact. */
#ifndef DFOTA_SERVER_CAMPAIGN_MOVE_H
#define DFOTA_SERVER_CAMPAIGN_MOVE_H

#include "server/campaign/member.h"
#include "storage/attempt.h"

/* An attempt is opened for the device, or gets its first byte: the current stage has admitted the device. */
bool campaign_admit(struct db *db, const struct campaign_member *member, int64_t device_id, int64_t now_ms,
                    struct error *err) __attribute__((warn_unused_result));

/* The attempt has ended and is stored. The gate of the stage is looked at again. */
bool campaign_attempt_ended(struct db *db, const struct attempt *attempt, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));

/* Whether the campaign would pause if the attempt came to `state`. ret_why, REASON_SIZE bytes, is set when it
   would. */
bool campaign_breaks(struct db *db, const struct campaign_member *member, const struct attempt *attempt,
                     enum attempt_state state, int64_t now_ms, bool *ret, char *ret_why, struct error *err)
    __attribute__((warn_unused_result));

/* The device reported this version, and the report counts. The gate of the stage is looked at again. */
bool campaign_version_reported(struct db *db, const struct campaign_member *member, const char *version,
                               int64_t now_ms, struct error *err) __attribute__((warn_unused_result));

#endif
