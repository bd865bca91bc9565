/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The steps that the parser tries from one node. Each function stores what it finds in the nodes behind,
   where it is cheaper than what is known. */
#ifndef DFOTA_DELTA_LZMA_WAYS_H
#define DFOTA_DELTA_LZMA_WAYS_H

#include "delta/lzma/optimum.h"

/* One search tries steps up to this length. Longer ones are taken without a search. */
#define WAYS_LEN_MAX CHAIN_LENGTH_MAX

enum ways_depth {
    WAYS_ONE_STEP,
    WAYS_FURTHER, /* a literal and rep 0 behind the longest steps, too */
};

struct ways { /* a node, and what the functions need to know about it */
    struct optimum *optimum;
    const struct optimum_node *node;
    unsigned int index;
    const uint8_t *at;
    size_t position;
    size_t room; /* bytes to the end of the data, or of the nodes */
    /* Prices up to here and behind the bit that says: */
    uint32_t literal; /* literal; with the literal itself after ways_try_literal() */
    uint32_t match;   /* match or rep */
    uint32_t rep;     /* rep */
};

/* The node has its price, state and reps. */
struct ways ways_from(struct optimum *optimum, unsigned int index, size_t position, size_t room);

/* The number of equal bytes at a distance, up to `limit`; 0 if it is below MODEL_LEN_MIN. */
uint32_t ways_count(const struct ways *ways, uint32_t distance, size_t limit);

/* A literal, or one byte of rep 0. Each returns whether this is the cheapest way to the next node. */
bool ways_try_literal(struct ways *ways);
bool ways_try_short_rep(const struct ways *ways);

/* A literal and rep 0. The price of the literal is known. */
void ways_try_literal_rep(const struct ways *ways);

/* One of the last distances, with all lengths up to `len`. */
void ways_try_rep(const struct ways *ways, uint32_t rep, uint32_t len, enum ways_depth depth);

/* The found matches, with all lengths from `len` to `limit`. Each length is tried with the first match that
   has it. */
void ways_try_matches(const struct ways *ways, uint32_t len, uint32_t limit, enum ways_depth depth);

#endif
