/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bsdiff/costs.h"

#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"

/* A context with few occurrences says little. So the wider context is added with the weight of this
   number of bytes. */
#define DIFF_PRIOR  64
#define EXTRA_PRIOR 16 /* of no following byte, for one */
#define WORD_PRIOR  6  /* of one following byte, for two */

/* The compressed stream is larger or smaller than these statistics say. The factor between them, within
   these limits, is applied to all costs. */
#define LEAST_FACTOR 0.5F
#define MOST_FACTOR  2.0F

#define WORDS (1 << 20) /* counters for three bytes in a row, by hash. Collisions matter little. */

struct extra_counts { /* extra bytes, counted by zero, one and two following bytes */
    uint32_t none[256], total;
    uint32_t one[256][256], one_total[256];
    uint16_t two[WORDS];
    uint32_t two_total[65536];
};

/* The logarithm of a positive normal number, to 1/1000 of a bit. The costs need no more, and log2f() would
   take a tenth of the time of the effort good. */
static float rough_log2(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 23) - 127;
    bits = (bits & 0x7FFFFFU) | 0x3F800000U;
    float m;
    memcpy(&m, &bits, sizeof m);
    /* between 1 and 2, where the logarithm is 0 at 1 and 1 at 2 */
    return (float)exponent +
           (m - 1) * (1.42423F + (m - 1) * (-0.65827F + (m - 1) * (0.31528F - (m - 1) * 0.08124F)));
}

static uint16_t cost_of(float share)
{
    return (uint16_t)(BSDIFF_BIT * -rough_log2(share) + 0.5F);
}

/* The factor from the calculated cost to the compressed length. */
static float factor_of(uint64_t cost, size_t packed_len)
{
    float factor = (float)packed_len * 8 * BSDIFF_BIT / ((float)cost + 1);
    return factor < LEAST_FACTOR ? LEAST_FACTOR : factor > MOST_FACTOR ? MOST_FACTOR : factor;
}

static void multiply(uint16_t *cost, size_t count, float factor)
{
    for (size_t i = 0; i < count; i++)
        cost[i] = (uint16_t)((float)cost[i] * factor + 0.5F);
}

bool bsdiff_costs_new(size_t new_len, struct bsdiff_costs **ret, struct error *err)
{
    struct bsdiff_costs *costs = calloc(1, sizeof *costs);
    *ret = costs;
    if (costs)
        costs->extra = malloc(new_len * sizeof *costs->extra + 1);
    return (costs && costs->extra) || error_set(err, ERROR_INTERNAL, "out of memory");
}

void bsdiff_costs_free(struct bsdiff_costs **costs)
{
    if (*costs)
        free((*costs)->extra);
    free(*costs);
    *costs = NULL;
}

/* Sets the costs in the contexts of one class of run. `wide` is the frequency of each byte in that class,
   whatever follows the run. Returns the cost of all counted bytes. */
static uint64_t price_run(uint32_t (*count)[256], const float *wide, float total, uint16_t (*cost)[256])
{
    uint64_t sum = 0;
    for (unsigned int behind = 0; behind < 256; behind++) {
        uint32_t here = 0;
        for (unsigned int byte = 0; byte < 256; byte++)
            here += count[behind][byte];
        for (unsigned int byte = 0; byte < 256; byte++) {
            float hits = (float)count[behind][byte] + DIFF_PRIOR * wide[byte] / total;
            cost[behind][byte] = cost_of(hits / ((float)here + DIFF_PRIOR));
            sum += (uint64_t)count[behind][byte] * cost[behind][byte];
        }
    }
    return sum;
}

static bool learn_diff(struct bytes diff, size_t packed_len, struct bsdiff_costs *ret, struct error *err)
{
    _cleanup_(cleanup_free) uint32_t(*count)[256][256] = calloc(BSDIFF_RUNS, sizeof *count);
    if (!count)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    struct bsdiff_context context = {0};
    for (size_t i = diff.len; i-- > 0;) {
        count[bsdiff_run_class(context.run)][context.behind][diff.ptr[i]]++;
        bsdiff_context_move(&context, diff.ptr[i]);
    }
    uint64_t sum = 0;
    for (unsigned int run = 0; run < BSDIFF_RUNS; run++) {
        float wide[256], total = 0;
        for (unsigned int byte = 0; byte < 256; byte++) {
            wide[byte] = 1.0F / 16;
            for (unsigned int behind = 0; behind < 256; behind++)
                wide[byte] += (float)count[run][behind][byte];
            total += wide[byte];
        }
        sum += price_run(count[run], wide, total, ret->diff[run]);
    }
    multiply(&ret->diff[0][0][0], sizeof ret->diff / sizeof ret->diff[0][0][0], factor_of(sum, packed_len));
    return true;
}

static unsigned int word_of(const uint8_t *at)
{
    return ((unsigned int)at[0] * 0x9E3779B1U + (unsigned int)(at[1] << 8 | at[2]) * 0x85EBCA6BU) >> 12;
}

/* Bytes after the end of new count as zeros. */
static void read_three(struct bytes new, size_t at, uint8_t *three)
{
    for (size_t i = 0; i < 3; i++)
        three[i] = at + i < new.len ? new.ptr[at + i] : 0;
}

static void count_extra(struct bytes new, const struct match_script *script, struct extra_counts *c)
{
    size_t at = 0;
    for (size_t i = 0; i < script->count; i++) {
        at += script->record[i].diff_len;
        for (uint32_t k = 0; k < script->record[i].extra_len; k++, at++) {
            uint8_t b[3];
            read_three(new, at, b);
            c->none[b[0]]++;
            c->total++;
            c->one[b[1]][b[0]]++;
            c->one_total[b[1]]++;
            c->two[word_of(b)] = (uint16_t)(c->two[word_of(b)] + (c->two[word_of(b)] < UINT16_MAX));
            c->two_total[b[1] << 8 | b[2]]++;
        }
    }
}

/* `counted` is 1 if this byte itself was counted: one is then subtracted, so that a byte does not lower
   its own cost. */
static uint16_t price_extra(const struct extra_counts *c, const uint8_t *b, unsigned int counted)
{
    float share = ((float)(c->none[b[0]] - counted) + 0.5F) / ((float)(c->total - counted) + 128);
    share = ((float)(c->one[b[1]][b[0]] - counted) + EXTRA_PRIOR * share) /
            ((float)(c->one_total[b[1]] - counted) + EXTRA_PRIOR);
    unsigned int two = c->two[word_of(b)];
    two -= two > 0 ? counted : 0;
    share =
        ((float)two + WORD_PRIOR * share) / ((float)(c->two_total[b[1] << 8 | b[2]] - counted) + WORD_PRIOR);
    return cost_of(share < 1 ? share : 1);
}

static bool learn_extra(struct bytes new, const struct match_script *script, size_t packed_len,
                        struct bsdiff_costs *ret, struct error *err)
{
    _cleanup_(cleanup_free) struct extra_counts *c = calloc(1, sizeof *c);
    if (!c)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    count_extra(new, script, c);
    uint64_t sum = 0;
    size_t at = 0;
    for (size_t i = 0; i < script->count; i++) {
        size_t extra = at + script->record[i].diff_len, end = extra + script->record[i].extra_len;
        for (; at < end; at++) {
            uint8_t b[3];
            read_three(new, at, b);
            ret->extra[at] = price_extra(c, b, at >= extra);
            sum += at >= extra ? ret->extra[at] : 0;
        }
    }
    multiply(ret->extra, new.len, factor_of(sum, packed_len));
    return true;
}

bool bsdiff_costs_learn(struct bytes new, const struct bsdiff_sample *sample, struct bsdiff_costs *ret,
                        struct error *err)
{
    return learn_diff(sample->diff, sample->packed_len[BSDIFF_DIFF], ret, err) &&
           learn_extra(new, sample->script, sample->packed_len[BSDIFF_EXTRA], ret, err);
}
