/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One snapshot of the database for all requests that a loop decides in one turn: to begin and to end a snapshot costs as much
   as to read a few rows. */
#ifndef DFOTA_SERVER_DB_TURN_READER_H
#define DFOTA_SERVER_DB_TURN_READER_H

#include "server/db/reader_pool.h"
#include "server/db/writer.h"

/* The connection is in a transaction. *turn is request->turn: the first call of a turn takes a connection from the pool.
   The snapshot is renewed when the writer has committed since, so a device finds what was acknowledged to it. The connection
   belongs to the turn. Loop's thread. */
bool turn_reader_take(void **turn, struct reader_pool *reader_pool, struct writer *writer, struct db **ret,
                      struct error *err) __attribute__((warn_unused_result));
/* The request has read. When the log of the database is long, the snapshot ends here: a snapshot in each turn would be open
   nearly all the time under load, and the log would grow without limit. */
void turn_reader_leave(void *turn, struct writer *writer);
/* The commits of the writer before the snapshot that was taken last in this turn. */
uint64_t turn_reader_commits(const void *turn);
/* For listener_config.end_turn: the connection goes back to the pool. */
void turn_reader_end(void *turn);

#endif
