/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The decision about a check-in, with what the report in this very request does: it may break the gate of the
   campaign, or take a package out of service. */
#ifndef DFOTA_SERVER_CHECKIN_DECIDE_H
#define DFOTA_SERVER_CHECKIN_DECIDE_H

#include "server/checkin/facts.h"
#include "storage/db.h"

/* facts->snapshot is what the decision was made of. Changes nothing in the database. */
bool checkin_decide(struct db *db, struct facts *facts, const struct decision_limits *limits,
                    struct decision *ret, struct error *err) __attribute__((warn_unused_result));

#endif
