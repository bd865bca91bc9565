/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec618/parse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Diff bytes and extra bytes are in one stream, so a byte that is rare in one kind is cheap if it is
   frequent in the other kind. The statistics of all bytes are added to those of each kind with the weight
   of this number of bytes. */
#define PRIOR_BYTES 512

/* What follows a byte of a span. */
enum step {
    STEP_STAY,   /* the next byte from the same span */
    STEP_EXTRA,  /* the next byte is stored in the stream */
    STEP_RECORD, /* a new record begins */
};

struct lane { /* a span that covers the current byte */
    const struct ec618_span *span;
    uint8_t *step; /* steps of the bytes of the span */
    uint32_t cost; /* from the current byte to the end */
};

struct path {
    const struct ec618_part_task *task;
    const struct ec618_costs *costs;
    const struct ec618_spans *spans;
    struct lane *lane; /* sorted by the end of their spans, the last end first; find_path() moves the
                          lanes in use to the front */
    uint32_t extra_cost, record_cost;        /* costs from the next byte to the end, if that byte is extra or
                                         begins a record */
    uint8_t *steps;                          /* steps of all spans */
    uint8_t extra_step[EC618_BLOCK_BYTES];   /* after an extra byte: STEP_EXTRA or STEP_RECORD */
    uint32_t record_span[EC618_BLOCK_BYTES]; /* index of the best span for a record that begins at each
                                                byte */
    size_t *step_at;                         /* index in `steps` of each span */
};

void ec618_costs_guess(const struct ec618_part_task *task, unsigned int record_bits, struct ec618_costs *ret)
{
    uint32_t count[256] = {0};
    for (size_t i = 0; i < task->len; i++)
        count[task->new.ptr[task->begin + i]]++;
    for (unsigned int i = 0; i < 256; i++) {
        ret->extra[i] = (uint32_t)(EC618_BIT * log2f((float)(task->len + 128) / ((float)count[i] + 0.5F)));
        ret->diff[i] = 8 * EC618_BIT;
    }
    ret->diff[0] = EC618_BIT / 8;
    ret->record = record_bits * EC618_BIT;
}

static void count_bytes(const struct ec618_part_task *task, const struct match_script *script, float *diff,
                        float *extra)
{
    const uint8_t *new = task->new.ptr + task->begin;
    int64_t old_at = task->start;
    for (size_t i = 0; i < script->count; i++) {
        const struct match_record *record = &script->record[i];
        for (uint32_t k = 0; k < record->diff_len; k++)
            diff[(uint8_t)(*new ++-task->old.ptr[old_at++])]++;
        for (uint32_t k = 0; k < record->extra_len; k++)
            extra[*new ++]++;
        old_at += record->seek;
    }
}

void ec618_costs_learn(const struct ec618_part_task *task, const struct match_script *script,
                       unsigned int record_bits, struct ec618_costs *ret)
{
    float diff[256] = {0}, extra[256] = {0}, diff_total = PRIOR_BYTES, extra_total = PRIOR_BYTES;
    count_bytes(task, script, diff, extra);
    for (unsigned int i = 0; i < 256; i++) {
        diff_total += diff[i];
        extra_total += extra[i];
    }
    for (unsigned int i = 0; i < 256; i++) {
        float share = (diff[i] + extra[i] + 0.25F) / (float)(task->len + 64) * PRIOR_BYTES;
        ret->diff[i] = (uint32_t)(EC618_BIT * log2f((diff_total + 1) / (diff[i] + share)));
        ret->extra[i] = (uint32_t)(EC618_BIT * log2f((extra_total + 1) / (extra[i] + share)));
    }
    ret->record = record_bits * EC618_BIT;
}

static int compare_ends(const void *a, const void *b)
{
    const struct lane *left = a, *right = b;
    if (left->span->to != right->span->to)
        return left->span->to > right->span->to ? -1 : 1;
    return (left->span > right->span) - (left->span < right->span);
}

static bool begin_path(struct path *p, struct error *err)
{
    p->lane = calloc(p->spans->count + 1, sizeof *p->lane);
    p->steps = calloc(p->spans->total + 1, 1);
    p->step_at = calloc(p->spans->count + 1, sizeof *p->step_at);
    if (!p->lane || !p->steps || !p->step_at)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    size_t at = 0;
    for (size_t i = 0; i < p->spans->count; i++) {
        const struct ec618_span *span = &p->spans->span[i];
        p->lane[i].span = span;
        p->lane[i].step = p->steps + at;
        p->step_at[i] = at;
        at += span->to - span->from;
    }
    qsort(p->lane, p->spans->count, sizeof *p->lane, compare_ends);
    return true;
}

static void end_path(struct path *p)
{
    free(p->lane);
    free(p->steps);
    free(p->step_at);
    free(p);
}

/* Returns the cost of the bytes after a byte if they do not come from the same span, and the first step. */
static uint32_t leave(const struct path *p, uint8_t *ret_step)
{
    *ret_step = p->record_cost < p->extra_cost ? STEP_RECORD : STEP_EXTRA;
    return p->record_cost < p->extra_cost ? p->record_cost : p->extra_cost;
}

/* Moves a lane to byte i and returns its cost. */
static uint32_t step_lane(struct path *p, struct lane *lane, size_t i, uint32_t left, uint8_t left_step)
{
    const struct ec618_part_task *task = p->task;
    uint8_t byte = task->new.ptr[task->begin + i];
    uint8_t was = task->old.ptr[(int64_t)(task->begin + i) + lane->span->shift];
    bool stay = lane->cost <= left;
    lane->step[i - lane->span->from] = stay ? STEP_STAY : left_step;
    return lane->cost = (stay ? lane->cost : left) + p->costs->diff[(uint8_t)(byte - was)];
}

#define IMPOSSIBLE (UINT32_MAX / 2)

/* From the last byte to the first: finds the cheapest way to the end from each byte of each lane. */
static void find_path(struct path *p)
{
    size_t active = 0,
           waiting = 0; /* number of lanes in use, which are at the front, and of lanes that were started */
    p->extra_cost = p->record_cost = 0;
    for (size_t i = p->task->len; i-- > 0;) {
        uint8_t left_step;
        uint32_t left = leave(p, &left_step), best = IMPOSSIBLE;
        for (; waiting < p->spans->count && p->lane[waiting].span->to == i + 1; waiting++) {
            p->lane[active] = p->lane[waiting];
            p->lane[active++].cost = IMPOSSIBLE; /* a lane cannot continue after the end of its span */
        }
        for (size_t k = 0; k < active;) {
            struct lane *lane = &p->lane[k];
            uint32_t cost = step_lane(p, lane, i, left, left_step);
            if (cost < best) {
                best = cost;
                p->record_span[i] = (uint32_t)(lane->span - p->spans->span);
            }
            if (lane->span->from == i)
                *lane = p->lane[--active];
            else
                k++;
        }
        p->extra_step[i] = left_step;
        p->extra_cost = left + p->costs->extra[p->task->new.ptr[p->task->begin + i]];
        p->record_cost = best + p->costs->record;
    }
}

/* Begins a record that reads from `wanted` in old. The record before gets the seek to that place. */
static bool begin_record(struct match_script *script, int64_t *old_at, int64_t wanted, struct error *err)
{
    if (script->count == 0 && *old_at != wanted &&
        !match_script_add(script, (struct match_record){0, 0, 0}, err))
        return false;
    if (script->count > 0)
        script->record[script->count - 1].seek = wanted - *old_at;
    *old_at = wanted;
    return match_script_add(script, (struct match_record){0, 0, 0}, err);
}

/* From the first byte to the last: writes the records of the cheapest way. */
static bool walk_path(const struct path *p, struct match_script *script, struct error *err)
{
    const struct ec618_part_task *task = p->task;
    int64_t old_at = task->start;
    bool at_start = p->record_cost < IMPOSSIBLE &&
                    (int64_t)task->begin + p->spans->span[p->record_span[0]].shift == task->start;
    uint32_t record_cost = at_start ? p->record_cost - p->costs->record : p->record_cost;
    enum step step = record_cost < p->extra_cost ? STEP_RECORD : STEP_EXTRA;
    const struct ec618_span *span = NULL;
    if (step == STEP_EXTRA && !match_script_add(script, (struct match_record){0, 0, 0}, err))
        return false;
    for (size_t i = 0; i < task->len; i++) {
        if (step == STEP_RECORD) {
            span = &p->spans->span[p->record_span[i]];
            if (!begin_record(script, &old_at, (int64_t)(task->begin + i) + span->shift, err))
                return false;
        }
        struct match_record *record = &script->record[script->count - 1];
        if (step == STEP_EXTRA) {
            record->extra_len++;
            step = p->extra_step[i];
            continue;
        }
        if (!span)
            return error_set(err, ERROR_INTERNAL, "a difference without a record before it");
        record->diff_len++;
        old_at++;
        step = p->steps[p->step_at[span - p->spans->span] + i - span->from];
    }
    return true;
}

bool ec618_parse_part(const struct ec618_part_task *task, const struct ec618_spans *spans,
                      const struct ec618_costs *costs, struct match_script *ret, struct error *err)
{
    struct path *p = calloc(1, sizeof *p);
    if (!p)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    p->task = task;
    p->spans = spans;
    p->costs = costs;
    ret->count = 0;
    bool ok = begin_path(p, err);
    if (ok) {
        find_path(p);
        ok = walk_path(p, ret, err);
    }
    end_path(p);
    return ok;
}

/* Numbers have 31 bits of magnitude, low byte first. The top bit is the sign. */
static void put_number(uint8_t *to, int64_t value)
{
    uint32_t bits = (uint32_t)(value < 0 ? -value : value);
    for (size_t i = 0; i < 4; i++)
        to[i] = (uint8_t)(bits >> 8 * i);
    to[3] = (uint8_t)(to[3] | (value < 0 ? 0x80 : 0));
}

bool ec618_parse_write(const struct ec618_part_task *task, const struct match_script *script,
                       struct buffer *out, struct error *err)
{
    const uint8_t *new = task->new.ptr + task->begin;
    int64_t old_at = task->start;
    if (!buffer_reserve(out, task->len + script->count * EC618_RECORD_BYTES, err))
        return false;
    for (size_t i = 0; i < script->count; i++) {
        const struct match_record *record = &script->record[i];
        put_number(out->ptr + out->len, record->diff_len);
        put_number(out->ptr + out->len + 4, record->extra_len);
        put_number(out->ptr + out->len + 8, record->seek);
        out->len += EC618_RECORD_BYTES;
        for (uint32_t k = 0; k < record->diff_len; k++)
            out->ptr[out->len++] = (uint8_t)(*new ++-task->old.ptr[old_at++]);
        memcpy(out->ptr + out->len, new, record->extra_len);
        out->len += record->extra_len;
        new += record->extra_len;
        old_at += record->seek;
    }
    return true;
}
