/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bsdiff/spans.h"

#include <stdlib.h>

#define SHORTEST 4    /* equal bytes in a row that a match needs */
#define FOLLOW   32   /* a longer match is followed; the index is not searched again at each of its bytes */
#define BRIDGE   2000 /* two spans of the same shift are joined if the distance is not larger */
/* A span continues through mismatches until there are this many more mismatches than hits. */
#define RUN_ON 32
/* One span is stored per this number of bytes of new; when there are more, short ones are dropped. */
#define SHARE 4
#define RANKS 64 /* number of hits that are counted separately when short spans are dropped */

struct finder {
    struct bytes old, new;
    struct bsdiff_span *found;
    size_t count, capacity;
    size_t last[2];        /* the last found spans; the next match may belong to one of them */
    unsigned int shortest; /* SHORTEST at the beginning */
    uint64_t steps;
};

static int compare_places(const void *a, const void *b)
{
    const struct bsdiff_span *left = a, *right = b;
    if (left->shift != right->shift)
        return left->shift < right->shift ? -1 : 1;
    return (left->from > right->from) - (left->from < right->from);
}

static int compare_hits(const void *a, const void *b)
{
    const struct bsdiff_span *left = a, *right = b;
    if (left->hits != right->hits)
        return left->hits > right->hits ? -1 : 1;
    return compare_places(a, b);
}

/* Extends the span `last` by a span of the same shift that does not begin before it. */
static void join(struct bsdiff_span *last, const struct bsdiff_span *span)
{
    if (span->to <= last->to)
        return;
    last->hits += span->from > last->to ? span->hits : span->to - last->to;
    last->to = span->to;
}

/* Joins near spans of the same shift. */
static void join_spans(struct finder *f)
{
    size_t kept = 0;
    qsort(f->found, f->count, sizeof *f->found, compare_places);
    for (size_t i = 0; i < f->count; i++) {
        struct bsdiff_span *span = &f->found[i], *last = kept ? &f->found[kept - 1] : NULL;
        if (!last || last->shift != span->shift || span->from > last->to + (size_t)BRIDGE)
            f->found[kept++] = *span;
        else
            join(last, span);
    }
    f->count = kept;
}

/* Makes room: joins spans, then drops short ones until half of the space is free. */
static void thin_out(struct finder *f)
{
    size_t count[RANKS] = {0}, kept = 0;
    join_spans(f);
    for (size_t i = 0; i < f->count; i++)
        count[f->found[i].hits < RANKS ? f->found[i].hits : RANKS - 1]++;
    size_t left = f->count;
    for (; f->shortest < RANKS - 1 && left > f->capacity / 2; f->shortest++)
        left -= count[f->shortest];
    for (size_t i = 0; i < f->count; i++)
        if (f->found[i].hits >= f->shortest)
            f->found[kept++] = f->found[i];
    f->count = kept;
    f->last[0] = f->last[1] = SIZE_MAX;
}

static void add_found(struct finder *f, unsigned int slot, struct bsdiff_span span)
{
    for (unsigned int i = 0; i < 2; i++) {
        struct bsdiff_span *last = f->last[i] < f->count ? &f->found[f->last[i]] : NULL;
        if (last && last->shift == span.shift && span.from <= last->to) {
            join(last, &span);
            return;
        }
    }
    if (f->count == f->capacity)
        thin_out(f);
    if (f->count == f->capacity)
        return;
    f->last[slot] = f->count;
    f->found[f->count++] = span;
}

static void find_matches(struct finder *f, const struct suffix *index)
{
    for (size_t place = 0; place < f->new.len;) {
        struct bytes rest = {f->new.ptr + place, f->new.len - place};
        struct suffix_match match[2];
        suffix_find_neighbours(index, rest, match, &f->steps);
        for (unsigned int i = 0; i < 2; i++)
            if (match[i].len >= f->shortest)
                add_found(f, i,
                          (struct bsdiff_span){
                              .shift = (int64_t)match[i].at - (int64_t)place,
                              .from = (uint32_t)place,
                              .to = (uint32_t)(place + match[i].len),
                              .hits = (uint32_t)match[i].len,
                          });
        size_t longest = match[0].len > match[1].len ? match[0].len : match[1].len;
        place += longest > FOLLOW ? longest - FOLLOW : 1;
    }
}

/* Adds the pieces of a script. A piece counts as all hits, so it ranks before most found spans. */
static void add_script(struct finder *f, const struct match_script *script)
{
    uint32_t new_at = 0;
    int64_t old_at = 0;
    for (size_t i = 0; i < script->count; i++) {
        const struct match_record *record = &script->record[i];
        if (record->diff_len > 0)
            f->found[f->count++] = (struct bsdiff_span){
                .shift = old_at - new_at,
                .from = new_at,
                .to = new_at + record->diff_len,
                .hits = record->diff_len,
            };
        new_at += record->diff_len + record->extra_len;
        old_at += record->diff_len + record->seek;
    }
}

static bool hits(const struct finder *f, int64_t shift, int64_t place)
{
    return f->old.ptr[place + shift] == f->new.ptr[place];
}

/* Extends a span in both directions, within both images, as far as it may be useful. */
static void widen_span(struct finder *f, struct bsdiff_span *span)
{
    int64_t low = span->shift < 0 ? -span->shift : 0, high = (int64_t)f->old.len - span->shift;
    high = high < (int64_t)f->new.len ? high : (int64_t)f->new.len;
    int64_t from = span->from, to = span->to;
    for (int lead = RUN_ON; from > low && lead > 0; from--)
        lead += hits(f, span->shift, from - 1) ? (lead < RUN_ON) : -1;
    for (int lead = RUN_ON; to < high && lead > 0; to++)
        lead += hits(f, span->shift, to) ? (lead < RUN_ON) : -1;
    f->steps += (uint64_t)(span->from - from) + (uint64_t)(to - span->to);
    span->from = (uint32_t)from;
    span->to = (uint32_t)to;
}

/* Extends the spans, the best first, until their total is too large, and returns them. */
static void give_spans(struct finder *f, struct bsdiff_spans *ret)
{
    qsort(f->found, f->count, sizeof *f->found, compare_hits);
    size_t total = 0, kept = 0;
    for (size_t i = 0; i < f->count; i++) {
        struct bsdiff_span span = f->found[i];
        widen_span(f, &span);
        if (total + span.to - span.from > BSDIFF_LANES * f->new.len)
            break;
        total += span.to - span.from;
        f->found[kept++] = span;
    }
    struct bsdiff_span *shrunk = reallocarray(f->found, kept + 1, sizeof *shrunk);
    *ret = (struct bsdiff_spans){shrunk ? shrunk : f->found, kept, total, f->steps};
}

bool bsdiff_spans_find(const struct suffix *index, struct bytes old, struct bytes new,
                       const struct match_script *script, struct bsdiff_spans *ret, struct error *err)
{
    struct finder f = {
        .old = old,
        .new = new,
        .capacity = new.len / SHARE + 1024,
        .last = {SIZE_MAX, SIZE_MAX},
        .shortest = SHORTEST,
    };
    f.found = calloc(f.capacity + script->count, sizeof *f.found);
    if (!f.found)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    find_matches(&f, index);
    add_script(&f, script);
    join_spans(&f);
    give_spans(&f, ret);
    return true;
}

void bsdiff_spans_free(struct bsdiff_spans *spans)
{
    free(spans->span);
    *spans = (struct bsdiff_spans){0};
}
