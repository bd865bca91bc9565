/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bzip2/lengths.h"

#include <math.h>
#include <string.h>

/* A table stores each length as steps of one from the length before; a step takes this number of bits. */
#define STEP_BITS 2
#define WHOLE     (1U << BZIP_CODE_MAX) /* the code space; a code takes WHOLE >> its length */

struct chain { /* for each symbol and each length, the length of the symbol before in the cheapest chain */
    uint8_t before[BZIP_ALPHABET_MAX][BZIP_CODE_MAX + 1];
};

size_t bzip_lengths_table_bits(const uint8_t *length, unsigned int alphabet)
{
    size_t bits = 5 + alphabet;
    for (unsigned int i = 1; i < alphabet; i++)
        bits += STEP_BITS *
                (size_t)(length[i] > length[i - 1] ? length[i] - length[i - 1] : length[i - 1] - length[i]);
    return bits;
}

/* From the cost of ending in each length to the cost of starting the next symbol at each length, and from
   where. */
static void add_steps(double *cost, uint8_t *before)
{
    for (int len = 1; len <= BZIP_CODE_MAX; len++)
        before[len] = (uint8_t)len;
    for (int len = 2; len <= BZIP_CODE_MAX; len++)
        if (cost[len - 1] + STEP_BITS < cost[len]) {
            cost[len] = cost[len - 1] + STEP_BITS;
            before[len] = before[len - 1];
        }
    for (int len = BZIP_CODE_MAX - 1; len >= 1; len--)
        if (cost[len + 1] + STEP_BITS < cost[len]) {
            cost[len] = cost[len + 1] + STEP_BITS;
            before[len] = before[len + 1];
        }
}

/* Chooses the cheapest lengths for a price of code space. Returns the code space that they take. */
static uint32_t choose_at_price(const uint32_t *count, unsigned int alphabet, double price, uint8_t *length)
{
    struct chain chain;
    double cost[BZIP_CODE_MAX + 1] = {0}, space[BZIP_CODE_MAX + 1];
    space[0] = price;
    for (int len = 1; len <= BZIP_CODE_MAX; len++)
        space[len] = space[len - 1] / 2;
    for (unsigned int i = 0; i < alphabet; i++) {
        add_steps(cost, chain.before[i]); /* before the first symbol, every length costs the same */
        for (int len = 1; len <= BZIP_CODE_MAX; len++)
            cost[len] += (double)count[i] * len + space[len];
    }
    int best = 1;
    for (int len = 2; len <= BZIP_CODE_MAX; len++)
        best = cost[len] < cost[best] ? len : best;
    uint32_t taken = 0;
    for (unsigned int i = alphabet; i-- > 0;) {
        length[i] = (uint8_t)best;
        taken += WHOLE >> best;
        best = chain.before[i][best];
    }
    return taken;
}

/* The bits that a code shorter by one bit saves, in the data and in the table. */
static long shortening_gain(const uint32_t *count, unsigned int alphabet, const uint8_t *length,
                            unsigned int i)
{
    long gain = (long)count[i];
    if (i > 0)
        gain += length[i] > length[i - 1] ? STEP_BITS : -STEP_BITS;
    if (i + 1 < alphabet)
        gain += length[i] > length[i + 1] ? STEP_BITS : -STEP_BITS;
    return gain;
}

static void use_space_left(const uint32_t *count, unsigned int alphabet, uint32_t taken, uint8_t *length)
{
    for (;;) {
        long best_gain = 0;
        unsigned int best = 0;
        for (unsigned int i = 0; i < alphabet; i++) {
            uint32_t more = length[i] > 1 ? WHOLE >> length[i] : WHOLE;
            long gain = more <= WHOLE - taken ? shortening_gain(count, alphabet, length, i) : 0;
            if (gain > best_gain) {
                best_gain = gain;
                best = i;
            }
        }
        if (best_gain == 0)
            return;
        taken += WHOLE >> length[best];
        length[best]--;
    }
}

void bzip_lengths_choose(const uint32_t *count, unsigned int alphabet, unsigned int steps, uint8_t *length)
{
    double total = 0;
    for (unsigned int i = 0; i < alphabet; i++)
        total += count[i];
    /* Without the cost of the table the right price would be total / ln 2. At a much higher price all
       codes fit. */
    double low = (total + 1) / 8, high = (total + alphabet) * 4;
    uint32_t taken;
    while ((taken = choose_at_price(count, alphabet, high, length)) > WHOLE)
        high *= 4;
    for (; steps > 0; steps--) {
        uint8_t tried[BZIP_ALPHABET_MAX];
        double price = sqrt(low * high);
        uint32_t used = choose_at_price(count, alphabet, price, tried);
        if (used > WHOLE) {
            low = price;
            continue;
        }
        high = price;
        taken = used;
        memcpy(length, tried, alphabet);
    }
    use_space_left(count, alphabet, taken, length);
}
