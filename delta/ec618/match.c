/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec618/match.h"

#include <divsufsort.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"

#define FOLLOW 32   /* a longer match is followed; the order is not searched again at each of its bytes */
#define BRIDGE 2000 /* two spans of the same shift are joined if the distance is not larger */
/* A span continues through mismatches until there are this many more mismatches than hits. */
#define RUN_ON 48

struct ec618_index {
    struct bytes old, new;
    int32_t *order; /* sorted suffixes of old followed by new */
};

struct finder {
    const struct ec618_index *index;
    struct bytes part;
    size_t begin;
    struct ec618_window window;
    unsigned int shortest;
    int32_t before[EC618_BLOCK_BYTES]; /* place in old of the nearest suffix of the window before and
                                          after each byte of the part; -1: none */
    int32_t behind[EC618_BLOCK_BYTES];
    struct ec618_span *found;
    size_t found_count;
};

bool ec618_index_build(struct bytes old, struct bytes new, struct ec618_index **ret, struct error *err)
{
    size_t len = old.len + new.len;
    _cleanup_(cleanup_free) uint8_t *both = malloc(len + 1);
    struct ec618_index *index = calloc(1, sizeof *index);
    int32_t *order = malloc((len + 1) * sizeof *order);
    if (!both || !index || !order) {
        free(index);
        free(order);
        return error_set(err, ERROR_INTERNAL, "out of memory: the index takes %zu bytes", len * 5);
    }
    if (old.len > 0)
        memcpy(both, old.ptr, old.len);
    if (new.len > 0)
        memcpy(both + old.len, new.ptr, new.len);
    *index = (struct ec618_index){old, new, order};
    if (len > 0 && divsufsort(both, order, (int32_t)len) != 0) {
        ec618_index_free(index);
        return error_set(err, ERROR_INTERNAL, "out of memory");
    }
    *ret = index;
    return true;
}

void ec618_index_free(struct ec618_index *index)
{
    if (!index)
        return;
    free(index->order);
    free(index);
}

void ec618_spans_free(struct ec618_spans *spans)
{
    free(spans->span);
    *spans = (struct ec618_spans){0};
}

/* Walks once through all sorted suffixes. Each suffix of the part gets the nearest suffixes of the window
   on both sides. */
static void find_neighbours(struct finder *f)
{
    const struct ec618_index *index = f->index;
    size_t old_len = index->old.len, total = old_len + index->new.len;
    const int32_t none = -1;
    int32_t last = none;
    int32_t waiting = none; /* linked list, through `behind`, of the places of the part that have no
                               following suffix yet */
    for (size_t i = 0; i < total; i++) {
        size_t at = (size_t)index->order[i];
        if (at >= f->window.from && at < f->window.to) {
            last = (int32_t)at;
            while (waiting != none) {
                int32_t next = f->behind[waiting];
                f->behind[waiting] = last;
                waiting = next;
            }
        } else if (at >= old_len + f->begin && at - old_len - f->begin < f->part.len) {
            size_t place = at - old_len - f->begin;
            f->before[place] = last;
            f->behind[place] = waiting;
            waiting = (int32_t)place;
        }
    }
    while (waiting != none) {
        int32_t next = f->behind[waiting];
        f->behind[waiting] = none;
        waiting = next;
    }
}

static uint32_t common_length(const struct finder *f, size_t place, int32_t at)
{
    if (at < 0)
        return 0;
    const uint8_t *old = f->index->old.ptr + at, *new = f->part.ptr + place;
    size_t limit = f->window.to - (size_t)at;
    limit = f->part.len - place < limit ? f->part.len - place : limit;
    size_t len = 0;
    while (len < limit && old[len] == new[len])
        len++;
    return (uint32_t)len;
}

static void add_found(struct finder *f, size_t place, int32_t at, uint32_t len)
{
    if (len >= f->shortest)
        f->found[f->found_count++] = (struct ec618_span){
            .shift = at - (int64_t)(f->begin + place),
            .from = (uint32_t)place,
            .to = (uint32_t)place + len,
            .hits = len,
        };
}

static void find_matches(struct finder *f)
{
    for (size_t place = 0; place < f->part.len;) {
        uint32_t before = common_length(f, place, f->before[place]);
        uint32_t behind = common_length(f, place, f->behind[place]);
        uint32_t longest = before > behind ? before : behind;
        add_found(f, place, f->before[place], before);
        add_found(f, place, f->behind[place], behind);
        place += longest > FOLLOW ? longest - FOLLOW : 1;
    }
}

static int compare_places(const void *a, const void *b)
{
    const struct ec618_span *left = a, *right = b;
    if (left->shift != right->shift)
        return left->shift < right->shift ? -1 : 1;
    return (left->from > right->from) - (left->from < right->from);
}

static int compare_hits(const void *a, const void *b)
{
    const struct ec618_span *left = a, *right = b;
    if (left->hits != right->hits)
        return left->hits > right->hits ? -1 : 1;
    return compare_places(a, b);
}

/* Joins near spans of the same shift. */
static void join_spans(struct finder *f)
{
    size_t kept = 0;
    qsort(f->found, f->found_count, sizeof *f->found, compare_places);
    for (size_t i = 0; i < f->found_count; i++) {
        struct ec618_span *span = &f->found[i], *last = kept ? &f->found[kept - 1] : NULL;
        if (!last || last->shift != span->shift || span->from > last->to + BRIDGE) {
            f->found[kept++] = *span;
        } else if (span->to > last->to) {
            last->hits += span->from > last->to ? span->to - span->from : span->to - last->to;
            last->to = span->to;
        }
    }
    f->found_count = kept;
}

static bool hits(const struct finder *f, int64_t shift, int64_t place)
{
    return f->index->old.ptr[(int64_t)f->begin + place + shift] == f->part.ptr[place];
}

/* Extends a span in both directions, within window and part, as far as it may be useful. */
static void widen_span(const struct finder *f, struct ec618_span *span)
{
    int64_t low = (int64_t)f->window.from - (int64_t)f->begin - span->shift;
    int64_t high = (int64_t)f->window.to - (int64_t)f->begin - span->shift;
    low = low > 0 ? low : 0;
    high = high < (int64_t)f->part.len ? high : (int64_t)f->part.len;
    int64_t from = span->from, to = span->to;
    for (int lead = RUN_ON; from > low && lead > 0; from--)
        lead += hits(f, span->shift, from - 1) ? (lead < RUN_ON) : -1;
    for (int lead = RUN_ON; to < high && lead > 0; to++)
        lead += hits(f, span->shift, to) ? (lead < RUN_ON) : -1;
    span->from = (uint32_t)from;
    span->to = (uint32_t)to;
}

/* Extends the spans, the best first, until their total is too large, and returns them. */
static void give_spans(struct finder *f, struct ec618_spans *ret)
{
    qsort(f->found, f->found_count, sizeof *f->found, compare_hits);
    size_t total = 0, kept = 0;
    for (size_t i = 0; i < f->found_count; i++) {
        struct ec618_span span = f->found[i];
        widen_span(f, &span);
        if (total + span.to - span.from > EC618_SPAN_BYTES)
            break;
        total += span.to - span.from;
        f->found[kept++] = span;
    }
    *ret = (struct ec618_spans){f->found, kept, total};
    f->found = NULL;
}

bool ec618_match_find(const struct ec618_index *index, size_t begin, size_t len, struct ec618_window window,
                      unsigned int shortest, struct ec618_spans *ret, struct error *err)
{
    _cleanup_(cleanup_free) struct finder *f = calloc(1, sizeof *f);
    struct ec618_span *found = calloc(2 * len + 1, sizeof *found);
    if (!f || !found) {
        free(found);
        return error_set(err, ERROR_INTERNAL, "out of memory");
    }
    f->index = index;
    f->part = (struct bytes){index->new.ptr + begin, len};
    f->begin = begin;
    f->window = window;
    f->shortest = shortest;
    f->found = found;
    if (window.from < window.to) {
        find_neighbours(f);
        find_matches(f);
        join_spans(f);
    }
    give_spans(f, ret);
    return true;
}
