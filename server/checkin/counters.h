/* How often and when devices asked last: counted in memory, written a few times a minute. A check-in that
   changes nothing else costs no write of its own; what a power cut loses is a count, never a fact that an
   answer was based on. */
#ifndef DFOTA_SERVER_CHECKIN_COUNTERS_H
#define DFOTA_SERVER_CHECKIN_COUNTERS_H

#include "server/db/writer.h"

struct seen;

bool seen_open(struct seen **ret, struct error *err);
/* Writer's thread only. `noted`: it stands in the ledger; else it is counted for its day. */
void seen_add(struct seen *seen, int64_t device_id, int64_t now_ms, bool noted);
/* For a flush of the writer's, in its thread, and `flushed` with what became of it. */
bool seen_store(struct seen *seen, struct db *db, struct error *err);
void seen_flushed(struct seen *seen, bool committed);
void seen_close(struct seen *seen); /* after the writer; NULL is fine */

#endif
