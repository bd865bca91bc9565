/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The parser: chooses the steps. It searches the cheapest sequence of steps over up to OPTIMUM_NODES
   bytes, with the costs at the start of the search. The search has shortcuts, and they decide the output,
   too. */
#ifndef DFOTA_DELTA_LZMA_OPTIMUM_H
#define DFOTA_DELTA_LZMA_OPTIMUM_H

#include "delta/lzma/chain_finder.h"
#include "delta/lzma/model.h"
#include "delta/lzma/prices.h"

#define OPTIMUM_NODES   512
#define OPTIMUM_UNKNOWN (1U << 30) /* the price of a node that no sequence reaches */

/* A place in the data, and how the cheapest known sequence reaches it: with `last`, behind `before` bytes
   of other steps in the same way. `before` is 0; or 1 for a literal; or more for a step in the way of
   `last` and a literal. After a literal the last step is always rep 0. */
struct optimum_node {
    uint32_t price;
    struct step last;
    uint32_t before;
    unsigned int state; /* state and reps are set when the search comes to the node */
    uint32_t reps[MODEL_REPS];
};

struct optimum { /* 553 KB */
    const struct model *model;
    const struct prices *prices;
    struct bytes plain;
    size_t ahead;                     /* bytes that the finder is ahead of the coded steps */
    uint32_t longest;                 /* length of the longest match in `found`, up to MODEL_LEN_MAX; or 0 */
    unsigned int farthest;            /* the last node that a sequence reaches */
    unsigned int chosen;              /* number of steps in `steps` */
    struct step steps[OPTIMUM_NODES]; /* what optimum_next() returns next; the last one comes first */
    struct optimum_node node[OPTIMUM_NODES];
    struct chain_matches found; /* at the byte before the position of the finder */
    struct chain_finder finder;
};

/* Model, prices and `plain` must live as long as the parser. */
void optimum_init(struct optimum *optimum, const struct model *model, const struct prices *prices,
                  struct bytes plain);

/* Searches the matches of the next byte. */
void optimum_search(struct optimum *optimum);

/* Chooses the step at `position`, which is at least 1: the first byte is always a literal. The caller
   codes the step, and subtracts its length from `ahead`. */
struct step optimum_next(struct optimum *optimum, size_t position);

#endif
