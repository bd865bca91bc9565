/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bsdiff/search.h"

#include <string.h>
#include "base/cleanup.h"
#include "delta/bsdiff/bsdiff.h"
#include "delta/bsdiff/costs.h"
#include "delta/bsdiff/parse.h"
#include "delta/bsdiff/spans.h"
#include "delta/bzip2/block.h"

#define LEAST_GAIN 2000 /* a gain of less than one byte in this number of bytes ends the search */

struct outcome { /* of one script, after rough compression */
    struct buffer diff;
    size_t packed_len[BSDIFF_STREAMS];
};

struct search {
    struct bytes old, new;
    const struct bsdiff_tries *tries;
    const struct match_script *first;
    struct match_script *best;
    struct outcome outcome; /* of the first script */
    struct bsdiff_spans spans;
    struct bsdiff_costs *costs;
    size_t best_len; /* of the streams of `best` */
    uint64_t steps;
};

static void end_search(struct search *s)
{
    buffer_free(&s->outcome.diff);
    bsdiff_spans_free(&s->spans);
    bsdiff_costs_free(&s->costs);
}

static void free_outcome(struct outcome *outcome)
{
    buffer_free(&outcome->diff);
}

static size_t sum_outcome(const struct outcome *outcome)
{
    return outcome->packed_len[BSDIFF_CONTROL] + outcome->packed_len[BSDIFF_DIFF] +
           outcome->packed_len[BSDIFF_EXTRA];
}

static bool try_out(const struct search *s, const struct match_script *script, struct outcome *ret,
                    struct error *err)
{
    for (enum bsdiff_stream stream = BSDIFF_CONTROL; stream < BSDIFF_STREAMS; stream++) {
        _cleanup_(buffer_free) struct buffer other = {0};
        struct buffer *plain = stream == BSDIFF_DIFF ? &ret->diff : &other;
        if (!bsdiff_plain(stream, s->old, s->new, script, plain, err) ||
            !bzip_block_measure(buffer_bytes(plain), BZIP_LARGE_BLOCK, &ret->packed_len[stream], err))
            return false;
    }
    return true;
}

static bool keep_if_best(struct search *s, const struct match_script *script, const struct outcome *outcome,
                         struct error *err)
{
    size_t len = sum_outcome(outcome);
    if (len >= s->best_len)
        return true;
    s->best_len = len;
    s->best->count = 0;
    for (size_t i = 0; i < script->count; i++)
        if (!match_script_add(s->best, script->record[i], err))
            return false;
    return true;
}

static bool learn(struct search *s, const struct match_script *script, const struct outcome *outcome,
                  struct error *err)
{
    struct bsdiff_sample sample = {.script = script, .diff = buffer_bytes(&outcome->diff)};
    memcpy(sample.packed_len, outcome->packed_len, sizeof sample.packed_len);
    return bsdiff_costs_learn(s->new, &sample, s->costs, err);
}

/* Whether the gain is large enough to continue. */
static bool is_worthwhile(size_t len, size_t before)
{
    return before > len && before - len >= before / LEAST_GAIN;
}

/* Parses repeatedly with this price and costs learned from the script before, until the gain is too
   small. */
static bool try_price(struct search *s, unsigned int price, struct error *err)
{
    _cleanup_(free_outcome) struct outcome outcome = {0};
    _cleanup_(match_script_free) struct match_script script = {0};
    uint64_t first_bits = s->outcome.packed_len[BSDIFF_CONTROL] * 8;
    s->costs->record = (uint32_t)(first_bits * BSDIFF_BIT * price / 100 / (s->first->count + 1));
    bool ok = learn(s, s->first, &s->outcome, err);
    size_t before = sum_outcome(&s->outcome);
    for (unsigned int pass = 0; ok && pass < s->tries->passes; pass++) {
        ok = (pass == 0 || learn(s, &script, &outcome, err)) &&
             bsdiff_parse(s->old, s->new, &s->spans, s->costs, &script, &s->spans, err) &&
             try_out(s, &script, &outcome, err) && keep_if_best(s, &script, &outcome, err);
        if (!ok || !is_worthwhile(sum_outcome(&outcome), before))
            break;
        before = sum_outcome(&outcome);
    }
    s->steps += script.steps;
    return ok;
}

/* The first script is the one of the effort quick. It is kept when no other script is better. */
static bool search(struct search *s, struct error *err)
{
    if (!bsdiff_costs_new(s->new.len, &s->costs, err) || !try_out(s, s->first, &s->outcome, err))
        return false;
    size_t first_len = sum_outcome(&s->outcome);
    s->best_len = SIZE_MAX;
    if (!keep_if_best(s, s->first, &s->outcome, err))
        return false;
    for (size_t i = 0; i < BSDIFF_PRICES && s->tries->price[i]; i++) {
        if (!try_price(s, s->tries->price[i], err))
            return false;
        if (!is_worthwhile(s->best_len, first_len)) /* another price would not help */
            break;
    }
    return true;
}

bool bsdiff_search(const struct suffix *index, struct bytes old, struct bytes new,
                   const struct bsdiff_tries *tries, const struct match_script *first,
                   struct match_script *ret, size_t *ret_first_len, struct error *err)
{
    _cleanup_(end_search) struct search s = {
        .old = old, .new = new, .tries = tries, .first = first, .best = ret};
    if (!bsdiff_spans_find(index, old, new, first, &s.spans, err) || !search(&s, err))
        return false;
    ret->steps += s.steps + s.spans.steps;
    *ret_first_len = sum_outcome(&s.outcome);
    return true;
}
