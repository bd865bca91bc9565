/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a download that the peer has acknowledged.

   The server's last write returns long before a modem has the data. So a transfer owns the socket, and asks TCP_INFO
   (tcpi_bytes_acked, less the head; a FIN counts as one byte), also after the last byte was written. A
   transfer ends when everything is acknowledged, when the connection is dead, or when less than
   least_rate was acknowledged in stall_ms; then it resets the connection. One thread watches all
   transfers. Behind a proxy the peer is the proxy. */
#ifndef DFOTA_SERVER_HTTP_TRANSFER_H
#define DFOTA_SERVER_HTTP_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

struct transfers;
struct transfer;

struct transfer_event {
    int64_t attempt, fetch;    /* fetch: which of the attempt's fetches from byte 0 it belongs to */
    uint64_t first, acked_end; /* the peer has acknowledged [first, acked_end) of the package */
    uint64_t end;              /* this answer carries [first, end) */
    uint64_t
        sent;  /* bytes of the package that were sent since the last event, also those that were sent again */
    bool over; /* the last event of this transfer; false: progress */
};

typedef void transfer_function(void *cls, const struct transfer_event *event);

struct transfers_config {
    int64_t stall_ms;
    uint64_t least_rate; /* bytes per second that the peer must acknowledge in stall_ms */
    uint64_t max_rate;   /* bytes per second that all transfers send together; 0: no limit */
    uint64_t share_rate; /* … but each transfer at least this */
    /* Runs in the watching thread: at most one progress event per transfer and second, then one with `over`. */
    transfer_function *notify;
    void *cls;
};

bool transfers_start(const struct transfers_config *config, struct transfers **ret, struct error *err);

struct transfers_load {
    unsigned running;          /* transfers that were promised or have begun, and are not over */
    uint64_t bytes_per_second; /* acknowledged, in about the last second */
};

/* Any thread. `but`: transfers of this attempt are not counted; 0: all are. */
struct transfers_load transfers_load(struct transfers *transfers, int64_t but);

/* Any thread: a transfer of this attempt will begin, and counts from now on. Older ones of the attempt count no more: the
   device has given them up. Then comes transfer_begin(), transfer_missed() or transfer_recall(). */
void transfer_promise(struct transfers *transfers, int64_t attempt);
/* It does not begin. */
void transfer_recall(struct transfers *transfers);

/* Whether there is a max_rate. transfers_take() is as rate_take(). Any thread. */
bool transfers_are_paced(const struct transfers *transfers);
uint64_t transfers_take(struct transfers *transfers, uint64_t wanted, int64_t *ret_wait_us);

/* Any thread: sockets that are open beside those of the connections. Copies; and sockets that the watching thread found not
   acknowledged after the answer was written, unless the device has asked again since. */
unsigned transfers_trailing(const struct transfers *transfers);

/* Http folder, loop's thread: an answer with firmware begins on `socket`, which belongs to the transfer from now on. The
   caller uses the socket until transfer_written() or transfer_cut(); then the watching thread closes it. head_bytes is
   the exact length of the response head. Bytes are counted from what the socket had acknowledged before. NULL: no
   transfer can be made, and the socket stays the caller's; the attempt is not watched and stays "sending". is_copy: the
   connection keeps a descriptor of its own. */
struct transfer *transfer_begin(struct transfers *transfers, int socket, bool is_copy, uint64_t head_bytes,
                                int64_t attempt, int64_t fetch, uint64_t first, uint64_t end);
/* An answer that never began, because the peer was gone: reports it as over, with no byte acknowledged.
   Any thread. */
void transfer_missed(struct transfers *transfers, int64_t attempt, int64_t fetch, uint64_t first,
                     uint64_t end);
/* The answer has ended. The transfer and its socket belong to the watching thread, which may close them at once. */
void transfer_written(struct transfer *transfer, bool all_written);
/* The same, when the rest cannot be sent and no FIN was sent. */
void transfer_cut(struct transfer *transfer);

/* Asks the kernel now about every running transfer of this attempt, and calls `each` in the caller's
   thread, with `sent` 0. For a check-in right after a download, which has to know the last bytes. notify reports the
   same bytes again, maybe with older numbers: take the maximum. */
void transfers_poll(struct transfers *transfers, int64_t attempt, transfer_function *each, void *cls);

/* Waits at most deadline_ms for the running transfers, at the end of the server. False: some still run. */
bool transfers_drain(struct transfers *transfers, int64_t deadline_ms);
/* Reports each running transfer as over and closes all. After the listeners are closed. NULL is fine. */
void transfers_stop(struct transfers *transfers);

#endif
