/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Stores what a decision or a report changes. Writer's thread, in the transaction in which the facts were loaded. */
#ifndef DFOTA_SERVER_CHECKIN_RECORD_H
#define DFOTA_SERVER_CHECKIN_RECORD_H

#include "server/checkin/facts.h"
#include "server/context.h"
#include "upgrade/testimony.h"

/* Stores what the decision says is to be recorded. The attempt that bytes are sent for is then facts->attempt. */
bool record_decision(struct daemon *daemon, struct db *db, const struct client_identity *client,
                     struct facts *facts, const struct decision *decision, struct error *err)
    __attribute__((warn_unused_result));

struct report { /* the version of a device, from another source than its own check-in */
    struct version version;
    enum reported_by by;
    int64_t at_ms; /* known since */
    enum grade grade;
    const struct sha256 *build; /* the image that the device is said to run; NULL: not said */
    const struct testimony
        *testimony; /* when the version was seen; NULL: now. An attempt ends only when that was late
                                          enough to be the result of its package */
};

/* Confirms the version, ends the attempts whose outcome it tells, removes a notice. A report of a lower grade than the
   confirmed version becomes a claim and decides nothing. */
bool record_report(struct db *db, struct facts *facts, const struct report *report, struct error *err)
    __attribute__((warn_unused_result));

#endif
