/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the rule of the allowance needs to know. */
#ifndef DFOTA_SERVER_CHECKIN_LOOKUP_ALLOWANCE_H
#define DFOTA_SERVER_CHECKIN_LOOKUP_ALLOWANCE_H

#include "server/checkin/facts.h"
#include "server/context.h"

/* Writer's thread: fills allowance and allowance_use of the snapshot, when a package could be sent. The device, its
   attempt and the package are loaded before. */
bool lookup_allowance(struct daemon *daemon, struct db *db, struct facts *facts, struct error *err)
    __attribute__((warn_unused_result));

#endif
