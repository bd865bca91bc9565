/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Finds earlier copies of the bytes at a position, as the encoder of a module does. Positions whose next
   four bytes have the same hash form a chain, newest first. Two more tables have the newest position for a
   hash of two and of three bytes.

   A module keeps the heads of the chains and their links in the same memory: the head of a hash is the
   link of one position, and each overwrites the other. So chains are cut, and are joined to other chains.
   This loses matches, and the output depends on it. It cannot give a wrong match: candidates are compared
   with the data. A candidate is also never the searched position: a new head moves the old one into the
   link of the new position, so a position is in one entry at most. So a chain could come back to its
   head only through a position that is out of reach, and there the search ends. */
#ifndef DFOTA_DELTA_LZMA_CHAIN_FINDER_H
#define DFOTA_DELTA_LZMA_CHAIN_FINDER_H

#include <stdint.h>
#include "base/bytes.h"

#define CHAIN_DISTANCE_MAX 0x10000 /* the dictionary */
#define CHAIN_LENGTH_MAX   128     /* a match of this length ends the search */

#define CHAIN_PAIRS   (1U << 10)
#define CHAIN_TRIPLES (1U << 16)
#define CHAIN_HASHES  (1U << 16)
#define CHAIN_LINKS   (CHAIN_DISTANCE_MAX + 1U)

struct chain_match {
    uint32_t len, distance;
};

struct chain_matches { /* by length: each is longer than the one before */
    unsigned int count;
    struct chain_match match[CHAIN_LENGTH_MAX];
};

struct chain_finder { /* 529 KB. The tables have positions + 1; 0 is an empty place. */
    struct bytes plain;
    size_t position; /* the next one to search or to skip */
    uint32_t crc[256];
    uint32_t pair[CHAIN_PAIRS], triple[CHAIN_TRIPLES]; /* the newest positions */
    uint32_t
        link[CHAIN_LINKS]; /* at a hash: the newest position; at (position + 1) % CHAIN_LINKS: the next one */
};

/* `plain` must live as long as the finder, and has less than 4 GiB. */
void chain_finder_init(struct chain_finder *finder, struct bytes plain);

/* Finds the matches at the position, and goes on by one byte. */
void chain_finder_search(struct chain_finder *finder, struct chain_matches *found);

/* Goes on by `count` bytes. All are candidates for later matches. */
void chain_finder_skip(struct chain_finder *finder, size_t count);

#endif
