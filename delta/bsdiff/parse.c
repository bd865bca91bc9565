/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bsdiff/parse.h"

#include <stdlib.h>
#include "base/cleanup.h"

/* What follows a byte. */
enum step {
    STEP_STAY,   /* the next byte from the same span */
    STEP_EXTRA,  /* the next byte is an extra one */
    STEP_RECORD, /* a new record begins */
};

#define STEP_BITS      2
#define STEPS_PER_BYTE 4
#define IMPOSSIBLE     (UINT64_MAX / 2)
#define NO_SPAN        UINT32_MAX

/* A span is kept for the next parse where a record in it costs at most SLACK more than extra bytes, and MARGIN bytes around that. */
#define SLACK  (48 * BSDIFF_BIT)
#define MARGIN 32

struct lane {      /* a span that covers the current byte */
    uint64_t cost; /* from the current byte to the end of new */
    int64_t shift;
    size_t step_at; /* index of the step of new[0] in `steps` */
    uint32_t from, span;
    uint32_t end;  /* where the cheapest way leaves the span */
    uint32_t here; /* cost of the diff byte at the current byte */
    struct bsdiff_context context;
};

struct reach { /* the part of a span that may be useful; from == to: none */
    uint32_t from, to;
};

struct path {
    struct bytes old, new;
    const struct bsdiff_spans *spans;
    const struct bsdiff_costs *costs;
    struct reach *reach; /* of each span */
    struct lane *lane;   /* lanes in use */
    size_t lanes, lane_room;
    uint32_t *by_end;    /* spans, by their end, the last end first */
    size_t *step_at;     /* index in `steps` of the first byte of each span */
    uint8_t *steps;      /* steps of all bytes of all spans */
    uint8_t *extra_step; /* after an extra byte: STEP_EXTRA or STEP_RECORD */
    uint32_t *best;      /* the best span for a record that begins at each byte */
    uint64_t extra_cost,
        record_cost; /* costs from the next byte to the end, if that byte is extra or begins a record */
};

static int compare_ends(const void *a, const void *b, void *spans)
{
    const struct bsdiff_span *span = spans;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    if (span[left].to != span[right].to)
        return span[left].to > span[right].to ? -1 : 1;
    return (left > right) - (left < right);
}

static void end_path(struct path *p)
{
    free(p->lane);
    free(p->reach);
    free(p->by_end);
    free(p->step_at);
    free(p->steps);
    free(p->extra_step);
    free(p->best);
}

static bool begin_path(struct path *p, struct error *err)
{
    size_t count = p->spans->count, at = 0;
    p->by_end = calloc(count + 1, sizeof *p->by_end);
    p->reach = calloc(count + 1, sizeof *p->reach);
    p->step_at = calloc(count + 1, sizeof *p->step_at);
    p->steps = calloc(p->spans->total / STEPS_PER_BYTE + 1, 1);
    p->extra_step = malloc(p->new.len + 1);
    p->best = malloc((p->new.len + 1) * sizeof *p->best);
    if (!p->reach || !p->by_end || !p->step_at || !p->steps || !p->extra_step || !p->best)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        p->by_end[i] = (uint32_t)i;
        p->step_at[i] = at;
        at += p->spans->span[i].to - p->spans->span[i].from;
    }
    qsort_r(p->by_end, count, sizeof *p->by_end, compare_ends, p->spans->span);
    return true;
}

static void put_step(struct path *p, size_t at, enum step step)
{
    p->steps[at / STEPS_PER_BYTE] |= (uint8_t)(step << at % STEPS_PER_BYTE * STEP_BITS);
}

static enum step get_step(const struct path *p, size_t at)
{
    return (enum step)(p->steps[at / STEPS_PER_BYTE] >> at % STEPS_PER_BYTE * STEP_BITS & 3);
}

static bool begin_lane(struct path *p, uint32_t index, struct error *err)
{
    const struct bsdiff_span *span = &p->spans->span[index];
    if (p->lanes == p->lane_room) {
        size_t room = p->lane_room ? p->lane_room * 2 : 64;
        struct lane *grown = reallocarray(p->lane, room, sizeof *grown);
        if (!grown)
            return error_set(err, ERROR_INTERNAL, "out of memory");
        p->lane = grown;
        p->lane_room = room;
    }
    p->lane[p->lanes++] = (struct lane){
        .cost = IMPOSSIBLE, /* a lane cannot continue after the end of its span */
        .shift = span->shift,
        .step_at = p->step_at[index] - span->from,
        .from = span->from,
        .span = index,
    };
    return true;
}

/* Looks up the costs of the diff bytes of all lanes at byte i. They are rarely in the cache of the processor, so it should not wait
   for each of them. */
static void look_up_costs(struct path *p, size_t i)
{
    const uint8_t *old = p->old.ptr, byte = p->new.ptr[i];
    for (size_t k = 0; k < p->lanes; k++) {
        struct lane *lane = &p->lane[k];
        uint8_t diff = (uint8_t)(byte - old[(int64_t)i + lane->shift]);
        lane->here = p->costs->diff[bsdiff_run_class(lane->context.run)][lane->context.behind][diff];
        bsdiff_context_move(&lane->context, diff);
    }
}

/* Moves a lane to byte i: it continues after this byte, or is left if `left` is cheaper. */
static void step_lane(struct path *p, struct lane *lane, size_t i, uint64_t left, enum step left_step)
{
    if (lane->cost > left) {
        lane->cost = left;
        lane->end = (uint32_t)i + 1;
        put_step(p, lane->step_at + i, left_step);
    }
    lane->cost += lane->here;
}

/* Notes that a record may begin at byte i in this span, and go on to `end`. */
static void note_reach(struct path *p, size_t i, uint32_t span, uint32_t end)
{
    struct reach *reach = &p->reach[span];
    reach->from = (uint32_t)i;
    reach->to = end > reach->to ? end : reach->to;
}

/* Reduces the spans to the parts that may be useful for the next parse, whose costs are a little different. */
static void narrow_spans(const struct path *p, struct bsdiff_spans *spans)
{
    size_t kept = 0;
    spans->total = 0;
    for (size_t i = 0; i < spans->count; i++) {
        struct bsdiff_span span = spans->span[i];
        const struct reach *reach = &p->reach[i];
        if (reach->to == 0)
            continue;
        span.from = reach->from - span.from > MARGIN ? reach->from - MARGIN : span.from;
        span.to = span.to - reach->to > MARGIN ? reach->to + MARGIN : span.to;
        spans->total += span.to - span.from;
        spans->span[kept++] = span;
    }
    spans->count = kept;
}

/* From the last byte to the first: finds the cheapest way to the end from each byte of each lane. */
static bool find_path(struct path *p, struct error *err)
{
    size_t begun = 0;
    p->extra_cost = p->record_cost = 0;
    for (size_t i = p->new.len; i-- > 0;) {
        enum step left_step = p->record_cost < p->extra_cost ? STEP_RECORD : STEP_EXTRA;
        uint64_t left = left_step == STEP_RECORD ? p->record_cost : p->extra_cost, best = IMPOSSIBLE;
        uint32_t best_end = 0;
        while (begun < p->spans->count && p->spans->span[p->by_end[begun]].to == i + 1)
            if (!begin_lane(p, p->by_end[begun++], err))
                return false;
        p->best[i] = NO_SPAN;
        look_up_costs(p, i);
        for (size_t k = 0; k < p->lanes;) {
            struct lane *lane = &p->lane[k];
            step_lane(p, lane, i, left, left_step);
            if (lane->cost < best) {
                best = lane->cost;
                best_end = lane->end;
                p->best[i] = lane->span;
            }
            if (lane->from == i)
                *lane = p->lane[--p->lanes];
            else
                k++;
        }
        p->extra_step[i] = (uint8_t)left_step;
        p->extra_cost = left + p->costs->extra[i];
        p->record_cost = best + p->costs->record;
        if (p->record_cost < p->extra_cost + SLACK)
            note_reach(p, i, p->best[i], best_end);
    }
    return true;
}

/* Begins a record that reads from `wanted` in old. The record before gets the seek to that place. */
static bool begin_record(struct match_script *script, int64_t *old_at, int64_t wanted, struct error *err)
{
    if (script->count == 0 && wanted != 0 && !match_script_add(script, (struct match_record){0}, err))
        return false;
    if (script->count > 0)
        script->record[script->count - 1].seek = wanted - *old_at;
    *old_at = wanted;
    return match_script_add(script, (struct match_record){0}, err);
}

static enum step first_step(const struct path *p)
{
    uint64_t record_cost = p->record_cost;
    if (p->best[0] != NO_SPAN && p->spans->span[p->best[0]].shift == 0)
        record_cost -= p->costs->record;
    return record_cost < p->extra_cost ? STEP_RECORD : STEP_EXTRA;
}

/* From the first byte to the last: writes the records of the cheapest way. */
static bool walk_path(const struct path *p, struct match_script *script, struct error *err)
{
    if (p->new.len == 0)
        return true;
    int64_t old_at = 0;
    uint32_t in = NO_SPAN;
    enum step step = first_step(p);
    if (step == STEP_EXTRA && !match_script_add(script, (struct match_record){0}, err))
        return false;
    for (size_t i = 0; i < p->new.len; i++) {
        if (step == STEP_EXTRA) {
            script->record[script->count - 1].extra_len++;
            step = (enum step)p->extra_step[i];
            continue;
        }
        if (step == STEP_RECORD) {
            in = p->best[i];
            if (!begin_record(script, &old_at, (int64_t)i + p->spans->span[in].shift, err))
                return false;
        }
        script->record[script->count - 1].diff_len++;
        old_at++;
        step = get_step(p, p->step_at[in] + i - p->spans->span[in].from);
    }
    return true;
}

bool bsdiff_parse(struct bytes old, struct bytes new, const struct bsdiff_spans *spans,
                  const struct bsdiff_costs *costs, struct match_script *ret, struct bsdiff_spans *narrow,
                  struct error *err)
{
    _cleanup_(end_path) struct path p = {.old = old, .new = new, .spans = spans, .costs = costs};
    if (!begin_path(&p, err))
        return false;
    ret->count = 0;
    ret->steps += spans->total + new.len;
    if (!find_path(&p, err) || !walk_path(&p, ret, err))
        return false;
    if (narrow)
        narrow_spans(&p, narrow);
    return true;
}
