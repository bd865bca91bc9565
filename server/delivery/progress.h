/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a peer acknowledged, brought to the attempt it belongs to. */
#ifndef DFOTA_SERVER_DELIVERY_PROGRESS_H
#define DFOTA_SERVER_DELIVERY_PROGRESS_H

#include "server/http/transfer.h"
#include "server/db/writer.h"
#include "storage/attempt.h"

struct progress;

/* Adds the acknowledged bytes and moves the state. False when it was no news. */
bool progress_apply(struct attempt *attempt, const struct transfer_event *event, int64_t now_ms);
/* Writer's thread: stores what that changed, and for the ledger that all of it is delivered now. `before_ms`:
   the attempt's delivered_ms before. */
bool progress_store(struct db *db, const struct attempt *attempt, int64_t before_ms, struct error *err)
    __attribute__((warn_unused_result));

/* At start, in a transaction: what was `sending` when the server ended was interrupted. */
bool progress_recover(struct db *db, struct error *err) __attribute__((warn_unused_result));

bool progress_open(struct progress **ret, struct error *err);
/* For transfers_start(): hands the event to `writer`. How a transfer ended is kept where it cannot be stored,
   as on a full disk, and stored with a later flush. cls is the struct progress. */
void progress_notify(void *cls, const struct transfer_event *event);
void progress_set_writer(struct progress *progress, struct writer *writer); /* before the first event */
/* Stores what is kept; for a flush of the writer's, in its thread, and `flushed` with what became of it. */
bool progress_store_kept(struct progress *progress, struct db *db, struct error *err);
void progress_flushed(struct progress *progress, bool committed);
void progress_close(struct progress *progress); /* after the writer; NULL is fine */

#endif
