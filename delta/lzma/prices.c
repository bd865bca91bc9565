/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/lzma/prices.h"

#define STEPS_MAX 64 /* matches, or reps with a length, until the tables are made anew */

/* ---- Bits ---- */

/* The cost of a bit is -log2 of its probability. Each squaring doubles the logarithm: its whole part gives
   one more bit of the cost. */
static void make_bits(struct prices *prices)
{
    for (uint32_t i = 0; i < PRICES_PROBABILITIES; i++) {
        uint32_t power = (i << PRICES_REDUCED_BITS) + (1U << (PRICES_REDUCED_BITS - 1)), log = 0;
        for (unsigned int bit = 0; bit < PRICES_BIT_SHIFT; bit++) {
            power *= power;
            log *= 2;
            for (; power >= 1U << 16; power >>= 1)
                log++;
        }
        prices->bit[i] = (uint8_t)((RANGE_PROBABILITY_BITS << PRICES_BIT_SHIFT) - 15 - log);
    }
}

static uint32_t price_tree(const struct prices *prices, const uint16_t *tree, unsigned int bits,
                           uint32_t value)
{
    uint32_t price = 0;
    for (uint32_t node = value | 1U << bits; node > 1; node >>= 1)
        price += prices_bit(prices, tree[node >> 1], node & 1);
    return price;
}

static uint32_t price_reverse(const struct prices *prices, const uint16_t *tree, unsigned int bits,
                              uint32_t value)
{
    uint32_t price = 0, node = 1;
    for (; bits > 0; bits--, value >>= 1) {
        price += prices_bit(prices, tree[node], value & 1);
        node = node << 1 | (value & 1);
    }
    return price;
}

/* ---- Literals ---- */

uint32_t prices_literal(const struct prices *prices, const uint16_t *probabilities, uint32_t byte)
{
    return price_tree(prices, probabilities, 8, byte);
}

uint32_t prices_matched(const struct prices *prices, const uint16_t *probabilities, uint32_t byte,
                        uint32_t hint)
{
    uint32_t price = 0, node = 1, differ = 0;
    for (unsigned int bits = 8; bits-- > 0;) {
        uint32_t bit = byte >> bits & 1, expected = hint >> bits & 1;
        price += prices_bit(prices, probabilities[(differ ? 0 : (1 + expected) << 8) + node], bit);
        differ |= bit ^ expected;
        node = node << 1 | bit;
    }
    return price;
}

/* ---- Tables ---- */

static uint32_t price_len(const struct prices *prices, const struct model_lengths *lengths, uint32_t value,
                          unsigned int position)
{
    uint32_t price = prices_bit(prices, lengths->not_first, value >= MODEL_LEN_GROUP);
    if (value < MODEL_LEN_GROUP)
        return price + price_tree(prices, lengths->first[position], 3, value);
    value -= MODEL_LEN_GROUP;
    price += prices_bit(prices, lengths->not_second, value >= MODEL_LEN_GROUP);
    if (value < MODEL_LEN_GROUP)
        return price + price_tree(prices, lengths->second[position], 3, value);
    return price + price_tree(prices, lengths->rest, 8, value - MODEL_LEN_GROUP);
}

static void make_lens(const struct prices *prices, const struct model_lengths *lengths,
                      uint32_t to[MODEL_POSITIONS][PRICES_LEN_MAX + 1])
{
    for (unsigned int position = 0; position < MODEL_POSITIONS; position++)
        for (uint32_t len = MODEL_LEN_MIN; len <= PRICES_LEN_MAX; len++)
            to[position][len] = price_len(prices, lengths, len - MODEL_LEN_MIN, position);
}

static void make_distances(struct prices *prices)
{
    const struct model_probabilities *p = prices->p;
    for (unsigned int group = 0; group < MODEL_LEN_GROUPS; group++) {
        for (uint32_t slot = 0; slot < PRICES_SLOTS; slot++) {
            prices->slot[group][slot] = price_tree(prices, p->slot[group], MODEL_SLOT_BITS, slot);
            if (slot >= MODEL_NEAR_SLOTS)
                prices->slot[group][slot] += (slot / 2 - 1 - MODEL_ALIGN_BITS) << PRICES_BIT_SHIFT;
        }
        for (uint32_t distance = 1; distance <= MODEL_NEAR; distance++) {
            unsigned int slot = model_slot(distance), bits = slot < 4 ? 0 : slot / 2 - 1;
            prices->near[group][distance - 1] =
                prices->slot[group][slot] + price_reverse(prices, p->near[slot], bits, distance - 1);
        }
    }
    for (uint32_t i = 0; i < 1 << MODEL_ALIGN_BITS; i++)
        prices->align[i] = price_reverse(prices, p->align, MODEL_ALIGN_BITS, i);
}

void prices_init(struct prices *prices, const struct model_probabilities *p)
{
    memset(prices, 0, sizeof *prices);
    prices->p = p;
    make_bits(prices);
    prices->matches = prices->reps = STEPS_MAX;
    prices_update(prices);
}

void prices_count(struct prices *prices, struct step step)
{
    prices->matches += step.way != STEP_LITERAL && step.way >= STEP_MATCH;
    prices->reps += step.way < MODEL_REPS && step.len > 1;
}

void prices_update(struct prices *prices)
{
    if (prices->matches >= STEPS_MAX) {
        prices->matches = 0;
        make_distances(prices);
        make_lens(prices, &prices->p->match_len, prices->match_len);
    }
    if (prices->reps >= STEPS_MAX) {
        prices->reps = 0;
        make_lens(prices, &prices->p->rep_len, prices->rep_len);
    }
}
