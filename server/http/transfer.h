/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Bytes really acknowledged by the peer of a download.

   The server's last write returns long before a modem has the data, and libmicrohttpd closes its socket before anyone can
   ask the kernel. So a transfer owns a dup() of the socket, asks TCP_INFO (tcpi_bytes_acked, less the head; a FIN counts
   as one byte) while it runs, after libmicrohttpd is done, until everything is acknowledged, the connection is dead, or
   less than least_rate moved in stall_ms (it is then reset). One thread watches all transfers. Behind a proxy the peer is the proxy. */
#ifndef DFOTA_SERVER_HTTP_TRANSFER_H
#define DFOTA_SERVER_HTTP_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

struct transfers;
struct transfer;

struct transfer_event {
    int64_t attempt, fetch;    /* which of the attempt's fetches from the start it belongs to */
    uint64_t first, acked_end; /* the peer has acknowledged [first, acked_end) of the package */
    uint64_t end;              /* this answer carries [first, end) */
    bool over;                 /* nothing more will come of this transfer; else it is progress */
};

typedef void transfer_function(void *cls, const struct transfer_event *event);

/* notify runs in the transfers' thread: at most one progress event per transfer and second, then one that is over. */
bool transfers_start(int64_t stall_ms, uint64_t least_rate, transfer_function *notify, void *cls,
                     struct transfers **ret, struct error *err);

/* http folder, loop's thread: an answer with firmware begins on `socket` (it is dup()ed here). head_bytes is the exact
   length of the response head; 0-based counts are taken relative to what the socket had acknowledged before. NULL when
   dup fails (out of descriptors): the transfer is then not watched and stays "sending". */
struct transfer *transfer_begin(struct transfers *transfers, int socket, uint64_t head_bytes, int64_t attempt,
                                int64_t fetch, uint64_t first, uint64_t end);
/* An answer that never began, because the peer was gone before: told as over with nothing acknowledged. Any thread. */
void transfer_missed(struct transfers *transfers, int64_t attempt, int64_t fetch, uint64_t first,
                     uint64_t end);
/* libmicrohttpd is done with the connection (all written, or not). The transfer then belongs to the watching thread. */
void transfer_written(struct transfer *transfer, bool all_written);

/* What every running transfer of this attempt has acknowledged at this moment, asked from the kernel now. Calls
   notify-like `each` in the caller's thread under no lock of the caller's. For the check-in that follows a download on
   its heels: the news must not come after it. The same news is told by notify again, maybe older: take the maximum. */
void transfers_poll(struct transfers *transfers, int64_t attempt, transfer_function *each, void *cls);

/* Waits at most deadline_ms for the transfers that still run (shutdown). False: some still do. */
bool transfers_drain(struct transfers *transfers, int64_t deadline_ms);
/* Tells of each running transfer as over, closes all. After the listeners are closed. NULL is fine. */
void transfers_stop(struct transfers *transfers);

#endif
