/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* How often and when devices asked last: counted in memory, written a few times a minute. A check-in that
   changes nothing else costs no write of its own; what a power cut loses is a count, never a fact that an
   answer was based on. */
#ifndef DFOTA_SERVER_CHECKIN_COUNTERS_H
#define DFOTA_SERVER_CHECKIN_COUNTERS_H

#include "server/db/writer.h"

struct checkin_counters;

bool checkin_counters_open(struct checkin_counters **ret, struct error *err);
/* Writer's thread only. `noted`: it stands in the ledger; else it is counted for its day. */
void checkin_counters_add(struct checkin_counters *counters, int64_t device_id, int64_t now_ms, bool noted);
/* For a flush of the writer's, in its thread, and `flushed` with what became of it. */
bool checkin_counters_store(struct checkin_counters *counters, struct db *db, struct error *err);
void checkin_counters_flushed(struct checkin_counters *counters, bool committed);
void checkin_counters_close(struct checkin_counters *counters); /* after the writer; NULL is fine */

#endif
