/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/match/match.h"

#include <stdlib.h>

/* A match must be better than the current alignment by this number of bytes, which is about the cost of a
   record. */
#define MIN_GAIN 8
_Static_assert(MIN_GAIN >= SUFFIX_WORD, "suffix_may_have() must see each match that is worth a record");

/* A longer match is followed to the next position; the index is not searched again there. A search costs
   as much as its result is long, so each byte of new is paid for at most FOLLOW more times, however long
   the matches are. A longer match at one of the skipped positions is found when the followed match ends,
   and backward_length() extends it. */
#define FOLLOW 32

/* The backward extension goes at most this many times the distance to the match before. So the sum stays
   linear. */
#define BACK_REACH 64

struct parse {
    const struct suffix *index;
    struct bytes old, new;
    struct match_script *script;
    size_t done_new, done_old; /* start of the bytes without a record, and the old bytes aligned with it */
    size_t at;                 /* current position in new */
    struct suffix_match match; /* the match there */
    size_t last_at;            /* position of the previous match */
};

bool match_script_add(struct match_script *script, struct match_record record, struct error *err)
{
    if (script->count == script->capacity) {
        size_t capacity = script->capacity ? script->capacity * 2 : 64;
        struct match_record *grown = reallocarray(script->record, capacity, sizeof *grown);
        if (!grown)
            return error_set(err, ERROR_INTERNAL, "out of memory: %zu records", capacity);
        script->record = grown;
        script->capacity = capacity;
    }
    script->record[script->count++] = record;
    return true;
}

/* Whether the current alignment (old = new + shift) predicts byte i of new. */
static bool predicts(const struct parse *p, int64_t shift, size_t i)
{
    int64_t at = (int64_t)i + shift;
    return at >= 0 && at < (int64_t)p->old.len && p->old.ptr[at] == p->new.ptr[i];
}

static void look_here(struct parse *p)
{
    if (p->match.len > FOLLOW) {
        p->match.at++;
        p->match.len--;
        return;
    }
    struct bytes rest = {p->new.ptr + p->at, p->new.len - p->at};
    if (suffix_may_have(p->index, rest))
        p->match = suffix_find_longest(p->index, rest, &p->script->steps);
    else
        p->match.len = 0; /* a match shorter than a word gains nothing */
}

/* Moves to the next match that is better than the current alignment. False: the end of new. `kept` counts
   the bytes of new in [at, counted) that the current alignment predicts. */
static bool find_next_match(struct parse *p)
{
    int64_t shift = (int64_t)p->done_old - (int64_t)p->done_new;
    size_t counted = p->at += p->match.len;
    size_t kept = 0;
    p->match.len = 0;
    while (p->at < p->new.len) {
        look_here(p);
        size_t end = p->at + p->match.len;
        p->script->steps += 1 + (end > counted ? end - counted : 0);
        for (; counted < end; counted++)
            kept += predicts(p, shift, counted);
        if (p->match.len > kept + MIN_GAIN)
            return true;
        if (p->match.len > 0 && p->match.len == kept) { /* not better than the current alignment */
            p->at = end;
            p->match.len = 0;
            kept = 0;
            continue;
        }
        if (counted == p->at)
            counted++;
        else
            kept -= predicts(p, shift, p->at);
        p->at++;
    }
    return false;
}

/* The length, at most `limit`, at which the current alignment has the most equal bytes more than different ones. */
static size_t forward_length(struct parse *p, size_t limit)
{
    size_t left = p->old.len - p->done_old;
    limit = left < limit ? left : limit;
    p->script->steps += limit;
    int64_t score = 0, best = 0;
    size_t length = 0;
    for (size_t i = 0; i < limit; i++) {
        score += p->old.ptr[p->done_old + i] == p->new.ptr[p->done_new + i] ? 1 : -1;
        if (score > best) {
            best = score;
            length = i + 1;
        }
    }
    return length;
}

/* The same backwards from the new match. */
static size_t backward_length(struct parse *p)
{
    size_t limit = p->at - p->done_new;
    size_t reach = (p->at - p->last_at) * BACK_REACH;
    limit = reach < limit ? reach : limit;
    limit = p->match.at < limit ? p->match.at : limit;
    p->script->steps += limit;
    int64_t score = 0, best = 0;
    size_t length = 0;
    for (size_t i = 1; i <= limit; i++) {
        score += p->old.ptr[p->match.at - i] == p->new.ptr[p->at - i] ? 1 : -1;
        if (score > best) {
            best = score;
            length = i;
        }
    }
    return length;
}

/* Both alignments cover `overlap` bytes from new[start]. Returns how many of them the earlier alignment
   keeps. */
static size_t split_overlap(struct parse *p, size_t start, size_t overlap)
{
    const uint8_t *new = p->new.ptr + start;
    const uint8_t *before = p->old.ptr + p->done_old + (start - p->done_new);
    const uint8_t *after = p->old.ptr + p->match.at - (p->at - start);
    p->script->steps += overlap;
    int64_t score = 0, best = 0;
    size_t keep = 0;
    for (size_t i = 0; i < overlap; i++) {
        score += (before[i] == new[i]) - (after[i] == new[i]);
        if (score > best) {
            best = score;
            keep = i + 1;
        }
    }
    return keep;
}

/* Divides the bytes between the current alignment and the new match, appends the record, and makes the
   match the current alignment. */
static bool record_match(struct parse *p, struct error *err)
{
    size_t gap = p->at - p->done_new;
    size_t forward = forward_length(p, gap);
    size_t backward = backward_length(p);
    if (forward + backward > gap) {
        size_t overlap = forward + backward - gap;
        size_t start = p->at - backward;
        size_t keep = split_overlap(p, start, overlap);
        forward -= overlap - keep;
        backward -= keep;
    }
    size_t old_next = p->match.at - backward;
    struct match_record record = {
        .diff_len = (uint32_t)forward,
        .extra_len = (uint32_t)(gap - forward - backward),
        .seek = (int64_t)old_next - (int64_t)(p->done_old + forward),
    };
    p->done_new = p->at - backward;
    p->done_old = old_next;
    p->last_at = p->at;
    return match_script_add(p->script, record, err);
}

static bool record_tail(struct parse *p, struct error *err)
{
    size_t gap = p->new.len - p->done_new;
    if (gap == 0)
        return true;
    size_t forward = forward_length(p, gap);
    struct match_record record = {(uint32_t)forward, (uint32_t)(gap - forward), 0};
    return match_script_add(p->script, record, err);
}

bool match_make_script(const struct suffix *index, struct bytes old, struct bytes new,
                       struct match_script *ret, struct error *err)
{
    if (new.len > SUFFIX_MAX_TEXT)
        return error_set(err, ERROR_TOO_LARGE, "a new image of %zu bytes is too large: the limit is %zu",
                         new.len, SUFFIX_MAX_TEXT);
    struct match_script script = {0};
    struct parse p = {.index = index, .old = old, .new = new, .script = &script};
    bool ok = true;
    while (ok && find_next_match(&p))
        ok = record_match(&p, err);
    if (!ok || !record_tail(&p, err)) {
        match_script_free(&script);
        return false;
    }
    *ret = script;
    return true;
}

void match_script_free(struct match_script *script)
{
    free(script->record);
    *script = (struct match_script){0};
}
