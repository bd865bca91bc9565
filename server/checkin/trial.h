/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The canary at work (upgrade/canary.h): whether a device may try a package, and what follows when it comes back with
   the old version. Writer's thread. */
#ifndef DFOTA_SERVER_CHECKIN_TRIAL_H
#define DFOTA_SERVER_CHECKIN_TRIAL_H

#include "server/checkin/facts.h"
#include "server/config/config.h"

/* Fills snapshot.trial and what belongs to it, for the package of the first hop. */
bool trial_look(struct db *db, const struct config *config, struct facts *facts, struct error *err)
    __attribute__((warn_unused_result));

/* The attempt has ended and is stored. When its device came back with the old version, the package may go out of
   service: with a row in the ledger and a line in the log. */
bool trial_end(struct db *db, const struct attempt *attempt, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));

#endif
