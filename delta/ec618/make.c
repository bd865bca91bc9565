/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "delta/ec618/match.h"
#include "delta/ec618/parse.h"
#include "delta/ec618/payload.h"
#include "delta/ec618/stream.h"

/* If one order is larger than the other by more than 1/HOPELESS, more effort does not make it the smaller
   one. */
#define HOPELESS 25

struct maker {
    struct bytes old, new;
    struct ec618_options options;
    const struct ec618_index *index;
    unsigned int parts;
};

struct streams { /* of all parts of one order, by block */
    enum ec618_order order;
    size_t total;
    struct buffer stream[EC618_PARTS_MAX];
};

static void free_streams(struct streams *streams)
{
    for (unsigned int i = 0; i < EC618_PARTS_MAX; i++)
        buffer_free(&streams->stream[i]);
    streams->total = 0;
}

static void swap_buffers(struct buffer *a, struct buffer *b)
{
    struct buffer kept = *a;
    *a = *b;
    *b = kept;
}

static bool make_stream(const struct maker *m, enum ec618_order order, unsigned int block,
                        enum ec618_effort effort, struct buffer *ret, struct error *err)
{
    struct ec618_window window = ec618_payload_window(order, block, m->old.len);
    size_t begin = (size_t)block * EC618_BLOCK_BYTES;
    struct ec618_part_task task = {
        .old = m->old,
        .new = m->new,
        .begin = begin,
        .len = m->new.len - begin < EC618_BLOCK_BYTES ? m->new.len - begin : EC618_BLOCK_BYTES,
        .start = ec618_payload_start(order, block),
    };
    if (m->options.closed_last_part && order == EC618_REVERSE && block == m->parts - 1)
        window.to = window.from;
    return ec618_stream_make(m->index, &task, window, effort, ret, err);
}

/* Whether the block is unchanged. Such a part has no stream. */
static bool stays(const struct maker *m, unsigned int block)
{
    size_t begin = (size_t)block * EC618_BLOCK_BYTES, left = m->new.len - begin;
    size_t len = left < EC618_BLOCK_BYTES ? left : EC618_BLOCK_BYTES;
    return m->old.len >= begin + len && memcmp(m->old.ptr + begin, m->new.ptr + begin, len) == 0;
}

/* Makes the stream of each part. Keeps the smaller one: the earlier stream or the new one. */
static bool make_streams(const struct maker *m, enum ec618_effort effort, struct streams *streams,
                         struct error *err)
{
    streams->total = 0;
    for (unsigned int block = 0; block < m->parts; block++) {
        _cleanup_(buffer_free) struct buffer made = {0};
        struct buffer *stream = &streams->stream[block];
        if (stays(m, block))
            continue;
        if (!make_stream(m, streams->order, block, effort, &made, err))
            return false;
        if (stream->len == 0 || made.len < stream->len)
            swap_buffers(stream, &made);
        streams->total += stream->len;
    }
    return true;
}

/* Makes both orders with the effort quick, then those that may become the smallest with the full effort. */
static bool make_orders(const struct maker *m, struct streams *streams, struct error *err)
{
    const struct ec618_options *options = &m->options;
    size_t total[2] = {SIZE_MAX, SIZE_MAX};
    for (int i = 0; i < 2; i++) {
        streams[i].order = i == 0 ? EC618_FORWARD : EC618_REVERSE;
        streams[i].total = SIZE_MAX;
        if (options->only_order && streams[i].order != options->order)
            continue;
        if (!make_streams(m, EC618_QUICK, &streams[i], err))
            return false;
        total[i] = streams[i].total;
    }
    size_t least = total[0] < total[1] ? total[0] : total[1];
    for (int i = 0; i < 2 && options->effort != EC618_QUICK; i++)
        if (total[i] <= least + least / HOPELESS && !make_streams(m, options->effort, &streams[i], err))
            return false;
    return true;
}

bool ec618_payload_make(struct bytes old, struct bytes new, struct ec618_options options, struct buffer *ret,
                        struct error *err)
{
    if (new.len == 0)
        return error_set(err, ERROR_INVALID, "the new image is empty");
    if (new.len > (size_t)EC618_PARTS_MAX * EC618_BLOCK_BYTES)
        return error_set(err, ERROR_TOO_LARGE, "a new image of %zu bytes is too large: the limit is %d",
                         new.len, EC618_PARTS_MAX * EC618_BLOCK_BYTES);
    if (old.len > EC618_OLD_MAX)
        return error_set(err, ERROR_TOO_LARGE, "an old image of %zu bytes is too large: the limit is %d",
                         old.len, EC618_OLD_MAX);
    struct ec618_index *index;
    if (!ec618_index_build(old, new, &index, err))
        return false;
    struct maker m = {old, new, options, index,
                      (unsigned int)((new.len + EC618_BLOCK_BYTES - 1) / EC618_BLOCK_BYTES)};
    struct streams streams[2] = {0};
    bool ok = make_orders(&m, streams, err);
    if (ok) {
        const struct streams *best = &streams[streams[1].total < streams[0].total];
        ok = ec618_payload_write(best->order, old.len, new.len, best->stream, ret, err);
    }
    ec618_index_free(index);
    free_streams(&streams[0]);
    free_streams(&streams[1]);
    return ok;
}
