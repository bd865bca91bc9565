/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The bytes per second of all transfers together. Each transfer asks for a small piece, and gets the time at which it may
   send the piece: pieces are sent one after the other. So transfers that ask equally often share the rate equally, what a
   slow peer leaves goes to the others, and bytes that nobody asked for are not saved up. Any thread. */
#ifndef DFOTA_SERVER_HTTP_RATE_H
#define DFOTA_SERVER_HTTP_RATE_H

#include <pthread.h>
#include <stdint.h>

struct rate {
    uint64_t bytes_per_second; /* 0: no limit */
    uint64_t least; /* bytes per second that each transfer gets, also when they are too many for the limit */
    pthread_mutex_t lock;
    int64_t free_us; /* the next piece may be sent from then on */
};

void rate_init(struct rate *rate, uint64_t bytes_per_second, uint64_t least);
void rate_destroy(struct rate *rate);

/* Takes up to `wanted` bytes for one of `running` transfers. Returns their number, at least 1; *ret_wait_us: they may be sent
   after this time. Not for a rate without limit. */
uint64_t rate_take(struct rate *rate, int64_t now_us, unsigned running, uint64_t wanted,
                   int64_t *ret_wait_us);

#endif
