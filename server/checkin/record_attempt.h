/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Stores the changes of a device's attempts. Writer's thread, in the transaction of the check-in or report. */
#ifndef DFOTA_SERVER_CHECKIN_RECORD_ATTEMPT_H
#define DFOTA_SERVER_CHECKIN_RECORD_ATTEMPT_H

#include "server/checkin/facts.h"
#include "server/context.h"
#include "upgrade/testimony.h"

/* What the decision says of attempts: ends, opens or aims one, queues packages, begins a transfer. The attempt that
   bytes are sent for is then facts->attempt. */
bool record_attempt(struct daemon *daemon, struct db *db, struct facts *facts,
                    const struct decision *decision, struct error *err) __attribute__((warn_unused_result));

/* The device ran version `said`. Ends an attempt that was called silent, where the version tells its outcome.
   `testimony`: when the version was seen; NULL: now. */
bool record_attempt_late_news(struct db *db, struct facts *facts, const struct version *said,
                              const struct testimony *testimony, struct error *err)
    __attribute__((warn_unused_result));

/* A report of this version: ends the open attempts whose outcome the version tells. `testimony`: when the version was
   seen; NULL: now. */
bool record_attempt_report(struct db *db, struct facts *facts, const struct version *version,
                           const struct testimony *testimony, struct error *err)
    __attribute__((warn_unused_result));

/* Whether a version that was seen then can be the result of this attempt. */
bool record_attempt_is_told(const struct attempt *attempt, const struct testimony *testimony);

#endif
