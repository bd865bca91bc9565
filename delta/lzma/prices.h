/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a step costs, in 1/16 bit. Costs of lengths and distances come from tables, which are made anew only
   after many steps. When they are made anew decides the output. */
#ifndef DFOTA_DELTA_LZMA_PRICES_H
#define DFOTA_DELTA_LZMA_PRICES_H

#include "delta/lzma/model.h"

#define PRICES_LEN_MAX       128 /* longest length with a cost */
#define PRICES_SLOTS         32  /* of distances up to 64 KiB */
#define PRICES_REDUCED_BITS  4   /* lowest bits of a probability that do not change its cost */
#define PRICES_BIT_SHIFT     4   /* one bit costs 16 */
#define PRICES_PROBABILITIES (RANGE_PROBABILITY_ONE >> PRICES_REDUCED_BITS)

struct prices {
    const struct model_probabilities *p;
    uint8_t bit[PRICES_PROBABILITIES];
    uint32_t match_len[MODEL_POSITIONS][PRICES_LEN_MAX + 1], rep_len[MODEL_POSITIONS][PRICES_LEN_MAX + 1];
    uint32_t slot[MODEL_LEN_GROUPS][PRICES_SLOTS]; /* with the bits that have no probability */
    uint32_t near[MODEL_LEN_GROUPS][MODEL_NEAR];   /* whole distances */
    uint32_t align[1 << MODEL_ALIGN_BITS];
    unsigned int matches, reps; /* steps since the tables were made */
};

/* Makes all tables. The probabilities must live as long as the prices. */
void prices_init(struct prices *prices, const struct model_probabilities *p);

/* Counts a coded step. */
void prices_count(struct prices *prices, struct step step);

/* Makes the tables anew if enough steps were counted. */
void prices_update(struct prices *prices);

/* The cost of `byte` as a literal; and in a state after a match, where `hint` is the byte at the last
   distance. */
uint32_t prices_literal(const struct prices *prices, const uint16_t *probabilities, uint32_t byte);
uint32_t prices_matched(const struct prices *prices, const uint16_t *probabilities, uint32_t byte,
                        uint32_t hint);

static inline uint32_t prices_bit(const struct prices *prices, uint32_t probability, unsigned int bit)
{
    uint32_t of_bit = bit ? RANGE_PROBABILITY_ONE - 1 - probability : probability;
    return prices->bit[of_bit >> PRICES_REDUCED_BITS];
}

/* The cost of which of the last distances it is, behind the bit of `rep`. Length 1 only for rep 0. */
static inline uint32_t prices_rep(const struct prices *prices, uint32_t rep, bool is_long, unsigned int state,
                                  unsigned int position)
{
    const struct model_probabilities *p = prices->p;
    uint32_t price = prices_bit(prices, p->not_rep0[state], rep > 0);
    if (rep == 0)
        return price + prices_bit(prices, p->long_rep0[state][position], is_long);
    price += prices_bit(prices, p->not_rep1[state], rep > 1);
    return rep == 1 ? price : price + prices_bit(prices, p->rep3[state], rep > 2);
}

static inline uint32_t prices_distance(const struct prices *prices, uint32_t distance, uint32_t len)
{
    unsigned int group = model_len_group(len);
    return distance <= MODEL_NEAR ? prices->near[group][distance - 1]
                                  : prices->slot[group][model_slot(distance)] +
                                        prices->align[(distance - 1) % (1U << MODEL_ALIGN_BITS)];
}

#endif
