/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* How often devices asked, and when they asked last. Counted in memory and stored a few times a minute,
   so that a check-in that changes nothing needs no write. A power cut can lose counts, never a fact that
   an answer depends on. */
#ifndef DFOTA_SERVER_CHECKIN_COUNTERS_H
#define DFOTA_SERVER_CHECKIN_COUNTERS_H

#include "server/db/writer.h"

struct checkin_counters;

bool checkin_counters_open(struct checkin_counters **ret, struct error *err);
/* Any thread. `noted`: the ledger has the check-in; else the check-in is counted for its day. True: there is little room left
   for more devices, and the caller should see to a flush. */
bool checkin_counters_add(struct checkin_counters *counters, int64_t device_id, int64_t now_ms, bool noted);
/* Any thread. The same for a check-in that device_check_in() has counted: only its day is counted, and what waits for the
   device is from now on as new as this check-in. */
bool checkin_counters_stored(struct checkin_counters *counters, int64_t device_id, int64_t now_ms,
                             bool noted);
/* Any thread: adds to *check_ins, and sets *last_seen_ms, by what is not stored yet. `counters`
   may be NULL. */
void checkin_counters_look(struct checkin_counters *counters, int64_t device_id, int64_t *check_ins,
                           int64_t *last_seen_ms);
/* For struct writer_flush: writer's thread. */
bool checkin_counters_store(struct checkin_counters *counters, struct db *db, struct error *err);
void checkin_counters_flushed(struct checkin_counters *counters, bool committed);
void checkin_counters_close(
    struct checkin_counters *counters); /* after the writer has stopped; NULL is fine */

#endif
