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
    uint64_t has_two[WORDS / 64]; /* bits: whether two[] is not 0. They fit into the cache of a processor */
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

/* Sets the costs of one context from the frequency of each byte there (`count`) and in its class of run (`share`). Returns the cost
   of all counted bytes. */
static uint64_t price_context(const uint32_t *count, const float *share, uint16_t *cost)
{
    uint64_t sum = 0;
    uint32_t here = 0;
    for (unsigned int byte = 0; byte < 256; byte++)
        here += count[byte];
    for (unsigned int byte = 0; byte < 256;
         byte++) /* nothing else is in this loop, so that it is compiled to vectors */
        cost[byte] =
            cost_of(((float)(int32_t)count[byte] + share[byte]) / ((float)(int32_t)here + DIFF_PRIOR));
    for (unsigned int byte = 0; byte < 256; byte++)
        sum += (uint64_t)count[byte] * cost[byte];
    return sum;
}

/* Sets the costs in the contexts of one class of run. `wide` is the frequency of each byte in that class,
   whatever follows the run. Returns the cost of all counted bytes. */
static uint64_t price_run(uint32_t (*count)[256], const bool *seen, float *wide, float total,
                          uint16_t (*cost)[256])
{
    static const uint32_t none[256];
    uint16_t unseen[256];
    uint64_t sum = 0;
    for (unsigned int byte = 0; byte < 256; byte++)
        wide[byte] = DIFF_PRIOR * wide[byte] / total;
    price_context(none, wide, unseen);
    for (unsigned int behind = 0; behind < 256; behind++)
        if (seen[behind])
            sum += price_context(count[behind], wide, cost[behind]);
        else
            memcpy(cost[behind], unseen, sizeof unseen);
    return sum;
}

static bool learn_diff(struct bytes diff, size_t packed_len, struct bsdiff_costs *ret, struct error *err)
{
    _cleanup_(cleanup_free) uint32_t(*count)[256][256] = calloc(BSDIFF_RUNS, sizeof *count);
    if (!count)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    bool seen[BSDIFF_RUNS][256] = {0}; /* contexts */
    struct bsdiff_context context = {0};
    for (size_t i = diff.len; i-- > 0;) {
        unsigned int run = bsdiff_run_class(context.run);
        count[run][context.behind][diff.ptr[i]]++;
        seen[run][context.behind] = true;
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
        sum += price_run(count[run], seen[run], wide, total, ret->diff[run]);
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
    if (at + 3 <= new.len) {
        memcpy(three, new.ptr + at, 3);
        return;
    }
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
            unsigned int word = word_of(b);
            c->two[word] = (uint16_t)(c->two[word] + (c->two[word] < UINT16_MAX));
            c->has_two[word / 64] |= 1ULL << word % 64;
            c->two_total[b[1] << 8 | b[2]]++;
        }
    }
}

#define BATCH 64 /* bytes that are priced together: the calculation is compiled to vectors */

struct batch { /* the counts of each byte */
    uint32_t counted
        [BATCH]; /* 1 if this byte itself was counted: one is then subtracted, so that a byte does not lower its own cost */
    int32_t none[BATCH], total[BATCH], one[BATCH], one_total[BATCH], two[BATCH], two_total[BATCH];
};

static void look_up(const struct extra_counts *c, const uint8_t *b, struct batch *batch, size_t k)
{
    unsigned int word = word_of(b);
    uint32_t counted = batch->counted[k], two = c->has_two[word / 64] >> word % 64 & 1 ? c->two[word] : 0;
    batch->none[k] = (int32_t)(c->none[b[0]] - counted);
    batch->total[k] = (int32_t)(c->total - counted);
    batch->one[k] = (int32_t)(c->one[b[1]][b[0]] - counted);
    batch->one_total[k] = (int32_t)(c->one_total[b[1]] - counted);
    batch->two[k] = (int32_t)(two - (two > 0 ? counted : 0));
    batch->two_total[k] = (int32_t)(c->two_total[b[1] << 8 | b[2]] - counted);
}

static void price_batch(const struct batch *b, uint16_t *cost)
{
    float share[BATCH];
    for (size_t k = 0; k < BATCH; k++)
        share[k] = ((float)b->none[k] + 0.5F) / ((float)b->total[k] + 128);
    for (size_t k = 0; k < BATCH; k++)
        share[k] = ((float)b->one[k] + EXTRA_PRIOR * share[k]) / ((float)b->one_total[k] + EXTRA_PRIOR);
    for (size_t k = 0; k < BATCH; k++)
        share[k] = ((float)b->two[k] + WORD_PRIOR * share[k]) / ((float)b->two_total[k] + WORD_PRIOR);
    for (size_t k = 0; k < BATCH; k++)
        share[k] = share[k] < 1 ? share[k] : 1;
    for (size_t k = 0; k < BATCH; k++)
        cost[k] = cost_of(share[k]);
}

struct cursor { /* walks through the records with the bytes of new */
    const struct match_script *script;
    size_t next, extra,
        end; /* the record after the current one; where the extra bytes of the current one begin and end */
};

static bool is_extra(struct cursor *cursor, size_t at)
{
    while (at >= cursor->end) {
        const struct match_record *record = &cursor->script->record[cursor->next++];
        cursor->extra = cursor->end + record->diff_len;
        cursor->end = cursor->extra + record->extra_len;
    }
    return at >= cursor->extra;
}

static bool learn_extra(struct bytes new, const struct match_script *script, size_t packed_len,
                        struct bsdiff_costs *ret, struct error *err)
{
    _cleanup_(cleanup_free) struct extra_counts *c = calloc(1, sizeof *c);
    if (!c)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    count_extra(new, script, c);
    struct batch batch = {0};
    struct cursor cursor = {.script = script};
    uint64_t sum = 0;
    for (size_t at = 0; at < new.len; at += BATCH) {
        size_t count = new.len - at < BATCH ? new.len - at : BATCH;
        uint8_t b[3];
        uint16_t cost[BATCH];
        for (size_t k = 0; k < count; k++) {
            read_three(new, at + k, b);
            batch.counted[k] = is_extra(&cursor, at + k);
            look_up(c, b, &batch, k);
        }
        price_batch(&batch, cost);
        memcpy(ret->extra + at, cost, count * sizeof *cost);
        for (size_t k = 0; k < count; k++)
            sum += batch.counted[k] ? cost[k] : 0;
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
