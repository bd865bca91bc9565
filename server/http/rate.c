/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/rate.h"

#define PIECES_PER_SECOND 10 /* of one transfer */
#define PIECE_LEAST       1024
#define PIECE_MOST        65536

void rate_init(struct rate *rate, uint64_t bytes_per_second, uint64_t least)
{
    *rate = (struct rate){.bytes_per_second = bytes_per_second, .least = least};
    pthread_mutex_init(&rate->lock, NULL);
}

void rate_destroy(struct rate *rate)
{
    pthread_mutex_destroy(&rate->lock);
}

uint64_t rate_take(struct rate *rate, int64_t now_us, unsigned running, uint64_t wanted, int64_t *ret_wait_us)
{
    uint64_t transfers = running ? running : 1, all = rate->bytes_per_second;
    if (all / transfers < rate->least)
        all = transfers * rate->least;
    uint64_t piece = all / transfers / PIECES_PER_SECOND;
    if (piece < PIECE_LEAST)
        piece = PIECE_LEAST;
    if (piece > PIECE_MOST)
        piece = PIECE_MOST;
    if (piece > wanted)
        piece = wanted;
    pthread_mutex_lock(&rate->lock);
    if (rate->free_us < now_us)
        rate->free_us = now_us;
    *ret_wait_us = rate->free_us - now_us;
    rate->free_us += (int64_t)(piece * 1000000 / all);
    pthread_mutex_unlock(&rate->lock);
    return piece;
}
