/* What a peer acknowledged, brought to the attempt it belongs to. */
#ifndef DFOTA_SERVER_PROGRESS_H
#define DFOTA_SERVER_PROGRESS_H

#include "server/transfer.h"
#include "storage/attempt.h"

/* Adds the acknowledged bytes and moves the state. False when it was no news. */
bool progress_apply(struct attempt *attempt, const struct transfer_event *event, int64_t now_ms);

/* For transfers_start(): hands the event to the writer. cls is where the daemon keeps its writer (struct
 * writer **). */
void progress_notify(void *cls, const struct transfer_event *event);

#endif
