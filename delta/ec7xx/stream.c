/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec7xx/stream.h"

#include <string.h>
#include "base/cleanup.h"
#include "base/little.h"
#include "delta/bsdiff/bsdiff.h"
#include "delta/bsdiff/costs.h"
#include "delta/bsdiff/parse.h"
#include "delta/bsdiff/spans.h"
#include "delta/bzip2/block.h"
#include "delta/ec7xx/delta.h"
#include "delta/lzma/lzma.h"

#define PRICES     4
#define LEAST_GAIN 2000 /* a gain of less than one byte in this number of bytes ends the search */
#define SHORT      100  /* LZMA makes shorter blocks larger */

/* What each effort tries, as in bsdiff/make.c: prices of a record in hundredths of its cost in the first script,
   each parsed several times with costs learned from the parse before. */
static const struct plan {
    unsigned int price[PRICES]; /* 0 ends the list */
    unsigned int passes;
    enum bzip_effort trial, final;
} plans[] = {
    [EC7XX_QUICK] = {{0}, 0, BZIP_ROUGH, BZIP_QUICK},
    [EC7XX_GOOD] = {{115, 160}, 3, BZIP_ROUGH, BZIP_GOOD},
    [EC7XX_BEST] = {{115, 80, 100, 160}, 4, BZIP_QUICK, BZIP_BEST},
};

struct blocks { /* of one script, packed */
    struct buffer control, extra, difference;
    bool control_is_packed, extra_is_packed;
    struct buffer plain_difference; /* without its length */
    size_t total;
};

struct search {
    struct bytes old, new;
    const struct plan *plan;
    struct match_script first, best;
    struct bsdiff_spans spans;
    struct bsdiff_costs *costs;
    struct blocks blocks; /* of the first script */
    size_t best_total;
};

static void free_blocks(struct blocks *blocks)
{
    buffer_free(&blocks->control);
    buffer_free(&blocks->extra);
    buffer_free(&blocks->difference);
    buffer_free(&blocks->plain_difference);
}

static void end_search(struct search *s)
{
    match_script_free(&s->first);
    match_script_free(&s->best);
    bsdiff_spans_free(&s->spans);
    bsdiff_costs_free(&s->costs);
    free_blocks(&s->blocks);
}

/* ---- Blocks ---- */

static bool add_u32(struct buffer *out, uint32_t value, struct error *err)
{
    uint8_t bytes[4];
    little_put_u32(bytes, value);
    return buffer_add(out, bytes, sizeof bytes, err);
}

static bool add_number(struct buffer *out, uint32_t value, struct error *err)
{
    uint8_t bytes[5];
    size_t len = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[len++] = (uint8_t)(value | 0x80);
    bytes[len++] = (uint8_t)value;
    return buffer_add(out, bytes, len, err);
}

/* The seek of the last record is not used. */
static bool add_records(struct buffer *out, const struct match_script *script, struct error *err)
{
    for (size_t i = 0; i < script->count; i++) {
        const struct match_record *record = &script->record[i];
        uint32_t seek = i + 1 < script->count ? (uint32_t)record->seek : 0;
        if (!add_number(out, record->diff_len, err) || !add_number(out, record->extra_len, err) ||
            !add_number(out, seek, err))
            return false;
    }
    return true;
}

/* Replaces the block by its packed form if that is smaller. */
static bool pack_block(struct buffer *block, bool *ret_is_packed, struct error *err)
{
    _cleanup_(buffer_free) struct buffer packed = {0};
    *ret_is_packed = false;
    if (block->len < SHORT)
        return true;
    if (!lzma_device_pack(&packed, buffer_bytes(block), err))
        return false;
    if (packed.len >= block->len)
        return true;
    struct buffer plain = *block;
    *block = packed;
    packed = plain;
    *ret_is_packed = true;
    return true;
}

static bool make_control(struct blocks *blocks, struct bytes new, const struct match_script *script,
                         struct error *err)
{
    struct buffer *out = &blocks->control;
    if (!buffer_add(out, "CTLBK_1", 8, err) || !add_u32(out, (uint32_t) new.len, err) ||
        !add_u32(out, 0, err))
        return false;
    size_t head = out->len;
    if (!add_records(out, script, err))
        return false;
    little_put_u32(out->ptr + head - 4, (uint32_t)(out->len - head));
    return pack_block(out, &blocks->control_is_packed, err);
}

static bool make_extra(struct blocks *blocks, struct bytes old, struct bytes new,
                       const struct match_script *script, struct error *err)
{
    _cleanup_(buffer_free) struct buffer plain = {0};
    struct buffer *out = &blocks->extra;
    return bsdiff_plain(BSDIFF_EXTRA, old, new, script, &plain, err) && buffer_add(out, "EXTBK_1", 8, err) &&
           add_u32(out, (uint32_t)plain.len, err) && buffer_add(out, plain.ptr, plain.len, err) &&
           pack_block(out, &blocks->extra_is_packed, err);
}

/* An empty difference is written as one zero. */
static bool make_difference(struct blocks *blocks, struct bytes old, struct bytes new,
                            const struct match_script *script, enum bzip_effort effort, struct error *err)
{
    _cleanup_(buffer_free) struct buffer framed = {0};
    struct buffer *plain = &blocks->plain_difference;
    if (!bsdiff_plain(BSDIFF_DIFF, old, new, script, plain, err) ||
        !add_u32(&framed, plain->len > 0 ? (uint32_t)plain->len : 1, err) ||
        !(plain->len > 0 ? buffer_add(&framed, plain->ptr, plain->len, err)
                         : buffer_add(&framed, "", 1, err)))
        return false;
    return bzip_block_add_stream(&blocks->difference, buffer_bytes(&framed), BZIP_SMALL_BLOCK, effort, err);
}

/* Replaces *blocks. */
static bool make_blocks(struct bytes old, struct bytes new, const struct match_script *script,
                        enum bzip_effort effort, struct blocks *blocks, struct error *err)
{
    free_blocks(blocks);
    *blocks = (struct blocks){.total = 0};
    if (!make_control(blocks, new, script, err) || !make_extra(blocks, old, new, script, err) ||
        !make_difference(blocks, old, new, script, effort, err))
        return false;
    blocks->total = blocks->control.len + blocks->extra.len + blocks->difference.len;
    return true;
}

bool ec7xx_stream_write(struct bytes old, struct bytes new, const struct match_script *script,
                        enum ec7xx_effort effort, struct buffer *ret, struct error *err)
{
    _cleanup_(free_blocks) struct blocks blocks = {.total = 0};
    _cleanup_(buffer_free) struct buffer out = {0};
    uint8_t head[EC7XX_DELTA_HEAD] = "ECHEADER";
    if (!make_blocks(old, new, script, plans[effort].final, &blocks, err))
        return false;
    little_put_u32(head + 8, (uint32_t)blocks.control.len);
    head[12] = blocks.control_is_packed;
    little_put_u32(head + 13, (uint32_t)blocks.extra.len);
    head[17] = blocks.extra_is_packed;
    little_put_u32(head + 18, (uint32_t)blocks.difference.len);
    if (!buffer_add(&out, head, sizeof head, err) ||
        !buffer_add(&out, blocks.control.ptr, blocks.control.len, err) ||
        !buffer_add(&out, blocks.extra.ptr, blocks.extra.len, err) ||
        !buffer_add(&out, blocks.difference.ptr, blocks.difference.len, err))
        return false;
    *ret = out;
    out = (struct buffer){0};
    return true;
}

/* ---- Search ---- */

static bool keep_if_best(struct search *s, const struct match_script *script, const struct blocks *blocks,
                         struct error *err)
{
    if (blocks->total >= s->best_total)
        return true;
    s->best_total = blocks->total;
    s->best.count = 0;
    for (size_t i = 0; i < script->count; i++)
        if (!match_script_add(&s->best, script->record[i], err))
            return false;
    return true;
}

static bool learn(struct search *s, const struct match_script *script, const struct blocks *blocks,
                  struct error *err)
{
    struct bsdiff_sample sample = {
        .script = script,
        .diff = buffer_bytes(&blocks->plain_difference),
        .packed_len = {blocks->control.len, blocks->difference.len, blocks->extra.len},
    };
    return bsdiff_costs_learn(s->new, &sample, s->costs, err);
}

static bool is_worthwhile(size_t len, size_t before)
{
    return before > len && before - len >= before / LEAST_GAIN;
}

static bool try_price(struct search *s, unsigned int price, struct error *err)
{
    _cleanup_(free_blocks) struct blocks blocks = {.total = 0};
    _cleanup_(match_script_free) struct match_script script = {0};
    uint64_t first_bits = s->blocks.control.len * 8;
    s->costs->record = (uint32_t)(first_bits * BSDIFF_BIT * price / 100 / (s->first.count + 1));
    size_t before = s->blocks.total;
    bool ok = learn(s, &s->first, &s->blocks, err);
    for (unsigned int pass = 0; ok && pass < s->plan->passes; pass++) {
        ok = (pass == 0 || learn(s, &script, &blocks, err)) &&
             bsdiff_parse(s->old, s->new, &s->spans, s->costs, &script, NULL, err) &&
             make_blocks(s->old, s->new, &script, s->plan->trial, &blocks, err) &&
             keep_if_best(s, &script, &blocks, err);
        if (!ok || !is_worthwhile(blocks.total, before))
            break;
        before = blocks.total;
    }
    return ok;
}

static bool search(struct search *s, struct error *err)
{
    s->best_total = SIZE_MAX;
    if (!make_blocks(s->old, s->new, &s->first, s->plan->trial, &s->blocks, err) ||
        !keep_if_best(s, &s->first, &s->blocks, err))
        return false;
    if (s->plan->passes == 0)
        return true;
    if (!bsdiff_costs_new(s->new.len, &s->costs, err))
        return false;
    for (size_t i = 0; i < PRICES && s->plan->price[i]; i++)
        if (!try_price(s, s->plan->price[i], err))
            return false;
    return true;
}

bool ec7xx_stream_make(struct bytes old, struct bytes new, enum ec7xx_effort effort, struct buffer *ret,
                       struct error *err)
{
    _cleanup_(end_search) struct search s = {.old = old, .new = new, .plan = &plans[effort]};
    struct suffix *index;
    if (!suffix_build(old, &index, err))
        return false;
    bool ok = match_make_script(index, old, new, &s.first, err) &&
              (s.plan->passes == 0 || bsdiff_spans_find(index, old, new, &s.first, &s.spans, err));
    suffix_free(index);
    return ok && search(&s, err) && ec7xx_stream_write(old, new, &s.best, effort, ret, err);
}
