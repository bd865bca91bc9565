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

/* What the campaign would come to if the attempt came to `state`: CAMPAIGN_PAUSE, CAMPAIGN_FINISH, or
   CAMPAIGN_EVENT_COUNT when it goes on. ret_why, REASON_SIZE bytes, is set for a pause. */
bool campaign_foresee_attempt(struct db *db, const struct campaign_member *member,
                              const struct attempt *attempt, enum attempt_state state, int64_t now_ms,
                              enum campaign_event *ret, char *ret_why, struct error *err)
    __attribute__((warn_unused_result));
/* The same for the report of a version: the device had confirmed the target, and runs another version again. */
bool campaign_foresee_version(struct db *db, const struct campaign_member *member, const char *version,
                              int64_t now_ms, enum campaign_event *ret, char *ret_why, struct error *err)
    __attribute__((warn_unused_result));

/* Whether requests for this slot speak for the device. A request of a lower grade than the evidence on record gets an
   attempt beside, and may come from a stranger: campaigns do not count it. */
bool campaign_trusts(const struct device *device, bool beside);

/* The device reported this version, and the report counts. All its live campaigns of the firmware of the member take it:
   it has confirmed the target; or it has fallen back from the target, which is a failure. */
bool campaign_version_reported(struct db *db, const struct campaign_member *member, const char *version,
                               int64_t now_ms, struct error *err) __attribute__((warn_unused_result));

#endif
