/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bzip2/lengths.h"

#include <math.h>
#include <string.h>

/* A table stores each length as steps of one from the length before; a step takes this number of bits. */
#define STEP_BITS 2
#define SLOPES    20                    /* one more than the lengths have, because an even number is faster */
#define WHOLE     (1U << BZIP_CODE_MAX) /* the code space; a code takes WHOLE >> its length */

/* Slopes of the cost of the cheapest chain that ends in a length: slope[n] is the cost of length n + 2 minus that of length n + 1.
   The cost is convex, so the slopes rise. A step to another length costs STEP_BITS, so a slope beyond that is never climbed. */
struct slopes {
    double slope[SLOPES];
};

size_t bzip_lengths_table_bits(const uint8_t *length, unsigned int alphabet)
{
    size_t bits = 5 + alphabet;
    for (unsigned int i = 1; i < alphabet; i++)
        bits += STEP_BITS *
                (size_t)(length[i] > length[i - 1] ? length[i] - length[i - 1] : length[i - 1] - length[i]);
    return bits;
}

/* The slopes after the next symbol, which occurs `count` times. */
static void add_symbol(const struct slopes *from, double count, const struct slopes *space,
                       struct slopes *restrict to)
{
    const double least = -STEP_BITS, most = STEP_BITS;
    double slope[SLOPES]; /* separate loops, so that the compiler makes no branches */
    for (int n = 0; n < SLOPES; n++)
        slope[n] = from->slope[n];
    for (int n = 0; n < SLOPES; n++)
        slope[n] = slope[n] < least ? least : slope[n];
    for (int n = 0; n < SLOPES; n++)
        slope[n] = slope[n] > most ? most : slope[n];
    for (int n = 0; n < SLOPES; n++)
        to->slope[n] = slope[n] + (count + space->slope[n]);
}

/* The length of the symbol before in the cheapest chain, where the next symbol has the length `len`. */
static int length_before(const struct slopes *slopes, int len)
{
    while (len > 1 && slopes->slope[len - 2] > STEP_BITS)
        len--;
    while (len < BZIP_CODE_MAX && slopes->slope[len - 1] < -STEP_BITS)
        len++;
    return len;
}

/* Chooses the cheapest lengths for a price of code space. Returns the code space that they take. */
static uint32_t choose_at_price(const uint32_t *count, unsigned int alphabet, double price, uint8_t *length)
{
    struct slopes after[BZIP_ALPHABET_MAX + 1]; /* after[i + 1]: of chains that end with symbol i */
    struct slopes space;
    for (int n = 0; n < SLOPES; n++)
        space.slope[n] = -price / (double)(4U << n);
    after[0] = (struct slopes){0}; /* before the first symbol, every length costs the same */
    for (unsigned int i = 0; i < alphabet; i++)
        add_symbol(&after[i], count[i], &space, &after[i + 1]);
    int best = 1;
    while (best < BZIP_CODE_MAX && after[alphabet].slope[best - 1] < 0)
        best++;
    uint32_t taken = 0;
    for (unsigned int i = alphabet; i-- > 0;) {
        length[i] = (uint8_t)best;
        taken += WHOLE >> best;
        best = length_before(&after[i], best);
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
