/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec618/stream.h"

#include "base/cleanup.h"
#include "delta/bzip2/block.h"

/* What each effort tries: parses with different prices of a record, each repeated with costs learned from
   the parse before. The prices are higher than the real cost of a record, because a record also makes the
   bytes around it more expensive. The plain stream that is the smallest with the trial compression gets
   the final compression. */
struct plan {
    unsigned int shortest;       /* shortest match that is used */
    unsigned int record_bits[4]; /* 0 ends the list */
    unsigned int passes;
    enum bzip_effort trial, final;
};

static const struct plan plans[] = {
    [EC618_QUICK] = {5, {70}, 2, BZIP_ROUGH, BZIP_QUICK},
    [EC618_GOOD] = {5, {70, 110}, 3, BZIP_ROUGH, BZIP_GOOD},
    [EC618_BEST] = {5, {55, 75, 100, 140}, 4, BZIP_QUICK, BZIP_BEST},
};

struct search {
    const struct ec618_part_task *task;
    const struct plan *plan;
    struct ec618_spans spans;
    struct match_script script;  /* the latest script */
    struct buffer plain, stream; /* the smallest so far, before the final compression */
};

static void end_search(struct search *s)
{
    ec618_spans_free(&s->spans);
    match_script_free(&s->script);
    buffer_free(&s->plain);
    buffer_free(&s->stream);
}

static void swap_buffers(struct buffer *a, struct buffer *b)
{
    struct buffer kept = *a;
    *a = *b;
    *b = kept;
}

/* Parses with these costs and keeps the result if it is the smallest. */
static bool try_costs(struct search *s, const struct ec618_costs *costs, struct error *err)
{
    _cleanup_(buffer_free) struct buffer plain = {0};
    _cleanup_(buffer_free) struct buffer stream = {0};
    if (!ec618_parse_part(s->task, &s->spans, costs, &s->script, err) ||
        !ec618_parse_write(s->task, &s->script, &plain, err) ||
        !bzip_block_add_stream(&stream, buffer_bytes(&plain), BZIP_SMALL_BLOCK, s->plan->trial, err))
        return false;
    if (s->stream.len == 0 || stream.len < s->stream.len) {
        swap_buffers(&s->plain, &plain);
        swap_buffers(&s->stream, &stream);
    }
    return true;
}

static bool try_price(struct search *s, unsigned int record_bits, struct error *err)
{
    struct ec618_costs costs;
    ec618_costs_guess(s->task, record_bits, &costs);
    for (unsigned int pass = 0; pass < s->plan->passes; pass++) {
        if (!try_costs(s, &costs, err))
            return false;
        ec618_costs_learn(s->task, &s->script, record_bits, &costs);
    }
    return true;
}

static bool search(struct search *s, struct error *err)
{
    const struct plan *plan = s->plan;
    for (size_t i = 0; i < sizeof plan->record_bits / sizeof plan->record_bits[0] && plan->record_bits[i];
         i++)
        if (!try_price(s, plan->record_bits[i], err))
            return false;
    return true;
}

bool ec618_stream_make(const struct ec618_index *index, const struct ec618_part_task *task,
                       struct ec618_window window, enum ec618_effort effort, struct buffer *ret,
                       struct error *err)
{
    _cleanup_(end_search) struct search s = {.task = task, .plan = &plans[effort]};
    _cleanup_(buffer_free) struct buffer stream = {0};
    if (!ec618_match_find(index, task->begin, task->len, window, s.plan->shortest, &s.spans, err) ||
        !search(&s, err) ||
        !bzip_block_add_stream(&stream, buffer_bytes(&s.plain), BZIP_SMALL_BLOCK, s.plan->final, err))
        return false;
    swap_buffers(&stream, ret);
    return true;
}
