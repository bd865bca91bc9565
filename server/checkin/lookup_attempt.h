/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Which open attempt of the device a request is about. */
#ifndef DFOTA_SERVER_CHECKIN_LOOKUP_ATTEMPT_H
#define DFOTA_SERVER_CHECKIN_LOOKUP_ATTEMPT_H

#include "server/checkin/facts.h"
#include "server/context.h"

/* Writer's thread: fills slot, attempt, main and the attempt's fields of the snapshot. The other facts
   are loaded before. */
bool lookup_attempt(struct daemon *daemon, struct db *db, struct facts *facts, struct error *err)
    __attribute__((warn_unused_result));

#endif
