/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Finds earlier copies of the bytes at a position. Positions whose next three bytes have the same hash form a
   chain, newest first. A second table has the newest position for each hash of two bytes. */
#ifndef DFOTA_DELTA_LZMA_CHAIN_FINDER_H
#define DFOTA_DELTA_LZMA_CHAIN_FINDER_H

#include <stdint.h>
#include "base/bytes.h"

#define CHAIN_DISTANCE_MAX 0x10000 /* the dictionary */
#define CHAIN_LENGTH_MAX   128     /* a match of this length ends the search */

#define CHAIN_PAIRS   (1U << 10)
#define CHAIN_HASHES  (1U << 16)
#define CHAIN_ENTRIES (2U * CHAIN_DISTANCE_MAX) /* a power of 2 above the dictionary */

struct chain_match {
    uint32_t len, distance;
};

struct chain_matches { /* by length: each is longer than the one before */
    unsigned int count;
    struct chain_match match[CHAIN_LENGTH_MAX];
};

struct chain_finder { /* 784 KB. The tables have positions + 1; 0 is none. */
    struct bytes plain;
    size_t position; /* the next one to search or to skip */
    uint32_t crc[256];
    uint32_t newest_pair[CHAIN_PAIRS];
    uint32_t newest[CHAIN_HASHES];
    uint32_t older[CHAIN_ENTRIES]; /* the next position in the chain of a position */
};

/* `plain` must live as long as the finder, and has less than 4 GiB. */
void chain_finder_init(struct chain_finder *finder, struct bytes plain);

/* Finds the matches at the position, and goes on by one byte. */
void chain_finder_search(struct chain_finder *finder, struct chain_matches *found);

/* Goes on by `count` bytes. All are candidates for later matches. */
void chain_finder_skip(struct chain_finder *finder, size_t count);

#endif
