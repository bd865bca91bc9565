/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Stores what a peer has acknowledged in the attempt that it belongs to. */
#ifndef DFOTA_SERVER_DELIVERY_PROGRESS_H
#define DFOTA_SERVER_DELIVERY_PROGRESS_H

#include "server/http/transfer.h"
#include "server/db/writer.h"
#include "storage/attempt.h"

struct progress;

/* Adds the acknowledged bytes and changes the state. False: nothing is new. */
bool progress_apply(struct attempt *attempt, const struct transfer_event *event, int64_t now_ms);
/* Writer's thread. Stores the change, with a ledger row if all bytes are delivered now. `before_ms`: the
   attempt's delivered_ms before the change. */
bool progress_store(struct db *db, const struct attempt *attempt, int64_t before_ms, struct error *err)
    __attribute__((warn_unused_result));

/* Call at start, in a transaction: attempts that were `sending` when the server ended become interrupted. */
bool progress_recover(struct db *db, struct error *err) __attribute__((warn_unused_result));

bool progress_open(struct progress **ret, struct error *err);
/* For transfers_start(): gives the event to the writer. If the end of a transfer cannot be stored, for
   example on a full disk, it is kept and stored with a later flush. `cls` is the struct progress. */
void progress_notify(void *cls, const struct transfer_event *event);
void progress_set_writer(struct progress *progress, struct writer *writer); /* before the first event */
/* Stores the kept ends during a flush of the writer, in its thread. Then progress_flushed() tells whether
   the flush was committed. */
bool progress_store_kept(struct progress *progress, struct db *db, struct error *err);
void progress_flushed(struct progress *progress, bool committed);
void progress_close(struct progress *progress); /* call after the writer is closed; NULL is fine */

#endif
