/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What record_decision() stores when the loop guard closes. */
#ifndef DFOTA_SERVER_CHECKIN_RECORD_GUARD_H
#define DFOTA_SERVER_CHECKIN_RECORD_GUARD_H

#include "server/checkin/facts.h"

/* Closes the guard for the origin of the request, and fills facts->guard_why. Call it before the attempt is
   changed. */
bool record_guard_close(struct db *db, struct facts *facts, const struct decision *decision,
                        struct error *err);

/* The notice for the admin. */
void record_guard_notice(const struct facts *facts, char out[NOTICE_SIZE]);

#endif
