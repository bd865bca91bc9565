/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec7xx/delta.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/little.h"
#include "delta/lzma/lzma.h"

#define CONTROL_HEAD 16 /* CTLBK_1 and NUL, size of new, length. The vendor's packer counts the digit up. */
#define EXTRA_HEAD   12 /* EXTBK_1 and NUL, length */
#define DIFF_HEAD    4  /* length */
#define NEGATIVE     0x80000000U
#define NUMBER_BYTES 5 /* longest LEB128 number of 32 bits */

void ec7xx_delta_free(struct ec7xx_delta *delta)
{
    buffer_free(&delta->records);
    buffer_free(&delta->extra_bytes);
    buffer_free(&delta->difference_bytes);
}

/* ---- Blocks ---- */

static bool take_block(struct bytes *rest, uint32_t len, uint8_t mark, const char *name,
                       struct ec7xx_delta_block *ret, struct error *err)
{
    if (len & NEGATIVE)
        return error_set(err, ERROR_CORRUPT, "the length of its %s block is negative", name);
    if (len > rest->len)
        return error_set(err, ERROR_CORRUPT, "its %s block is cut off", name);
    if (mark > 1)
        return error_set(err, ERROR_CORRUPT, "the mark of its %s block is %u, not 0 or 1", name, mark);
    *ret = (struct ec7xx_delta_block){{rest->ptr, len}, mark == 1};
    *rest = (struct bytes){rest->ptr + len, rest->len - len};
    return true;
}

bool ec7xx_delta_read(struct bytes bytes, struct ec7xx_delta *ret, struct error *err)
{
    *ret = (struct ec7xx_delta){.new_bytes = 0};
    if (bytes.len < EC7XX_DELTA_HEAD || memcmp(bytes.ptr, "ECHEADER", 8) != 0)
        return error_set(err, ERROR_CORRUPT, "its delta does not begin with ECHEADER");
    const uint8_t *head = bytes.ptr;
    ret->head = (struct bytes){head, EC7XX_DELTA_HEAD};
    ret->rest = (struct bytes){head + EC7XX_DELTA_HEAD, bytes.len - EC7XX_DELTA_HEAD};
    if (!take_block(&ret->rest, little_u32(head + 8), head[12], "control", &ret->control, err) ||
        !take_block(&ret->rest, little_u32(head + 13), head[17], "extra", &ret->extra, err) ||
        !take_block(&ret->rest, little_u32(head + 18), 0, "difference", &ret->difference, err))
        return false;
    return ret->rest.len == 0 || (ret->rest.len == 1 && ret->rest.ptr[0] == 0) ||
           error_set(err, ERROR_CORRUPT, "%zu bytes follow after its last block", ret->rest.len);
}

/* Appends the unpacked block to *out, and removes its head of that length, which begins with `magic`. */
static bool unpack_block(const struct ec7xx_delta_block *block, const char *magic, size_t head_bytes,
                         size_t limit, struct buffer *out, struct error *err)
{
    struct error why;
    size_t most = head_bytes + limit;
    if (!block->is_packed && block->bytes.len > most)
        return error_set(err, ERROR_CORRUPT, "its block %s is longer than %zu bytes", magic, most);
    if (block->is_packed ? !lzma_device_unpack(out, block->bytes, most, &why)
                         : !buffer_add(out, block->bytes.ptr, block->bytes.len, &why))
        return error_set(err, why.code, "its block %s: %.200s", magic, why.text);
    if (out->len < head_bytes || memcmp(out->ptr, magic, strlen(magic)) != 0 || !isdigit(out->ptr[6]) ||
        out->ptr[7] != 0)
        return error_set(err, ERROR_CORRUPT, "one of its blocks does not begin with %s and a digit", magic);
    size_t stated = little_u32(out->ptr + head_bytes - 4);
    if (stated != out->len - head_bytes)
        return error_set(err, ERROR_CORRUPT, "its block %s states %zu bytes and has %zu", magic, stated,
                         out->len - head_bytes);
    return true;
}

static void remove_head(struct buffer *buffer, size_t len)
{
    memmove(buffer->ptr, buffer->ptr + len, buffer->len - len);
    buffer->len -= len;
}

static bool open_control(struct ec7xx_delta *delta, uint32_t new_bytes, struct error *err)
{
    size_t limit = 3 * NUMBER_BYTES * ((size_t)new_bytes / 4 + 1000);
    if (!unpack_block(&delta->control, "CTLBK_", CONTROL_HEAD, limit, &delta->records, err))
        return false;
    delta->new_bytes = little_u32(delta->records.ptr + 8);
    remove_head(&delta->records, CONTROL_HEAD);
    return delta->new_bytes == new_bytes ||
           error_set(err, ERROR_CORRUPT, "its delta makes %" PRIu32 " bytes, not %" PRIu32, delta->new_bytes,
                     new_bytes);
}

/* The vendor's packer adds a zero behind the stream, as it does behind the delta. */
static bool unpack_difference(struct ec7xx_delta *delta, struct error *err)
{
    struct bytes stream = delta->difference.bytes;
    struct bzip_limits limits = {EC7XX_BZIP_BLOCK, DIFF_HEAD + 1 + (size_t)delta->new_bytes};
    struct error unwanted;
    if (bzip_decode(stream, limits, &delta->difference_bytes, &delta->shape, err))
        return true;
    delta->difference_bytes.len = 0;
    if (stream.len == 0 || stream.ptr[stream.len - 1] != 0)
        return false;
    stream.len--;
    return bzip_decode(stream, limits, &delta->difference_bytes, &delta->shape, &unwanted);
}

static bool open_difference(struct ec7xx_delta *delta, struct error *err)
{
    struct buffer *out = &delta->difference_bytes;
    struct error why;
    if (!unpack_difference(delta, &why))
        return error_set(err, why.code, "its difference block: %.200s", why.text);
    if (out->len < DIFF_HEAD || little_u32(out->ptr) != out->len - DIFF_HEAD)
        return error_set(err, ERROR_CORRUPT, "the length in its difference block is wrong");
    remove_head(out, DIFF_HEAD);
    return true;
}

bool ec7xx_delta_open(struct bytes bytes, uint32_t new_bytes, struct ec7xx_delta *ret, struct error *err)
{
    if (!ec7xx_delta_read(bytes, ret, err) || !open_control(ret, new_bytes, err) ||
        !unpack_block(&ret->extra, "EXTBK_", EXTRA_HEAD, new_bytes, &ret->extra_bytes, err))
        return false;
    remove_head(&ret->extra_bytes, EXTRA_HEAD);
    return open_difference(ret, err);
}

/* ---- Records ---- */

/* A number of seven bits per byte, the lowest first. The last byte has no top bit. */
static bool take_number(struct bytes *from, uint32_t *ret)
{
    uint64_t value = 0;
    for (unsigned int i = 0; i < NUMBER_BYTES && i < from->len; i++) {
        value |= (uint64_t)(from->ptr[i] & 0x7F) << 7 * i;
        if (from->ptr[i] & 0x80)
            continue;
        *ret = (uint32_t)value;
        *from = (struct bytes){from->ptr + i + 1, from->len - i - 1};
        return value <= UINT32_MAX;
    }
    return false;
}

bool ec7xx_delta_next(struct bytes *records, struct ec7xx_record *ret)
{
    uint32_t seek;
    if (!take_number(records, &ret->add) || !take_number(records, &ret->copy) || !take_number(records, &seek))
        return false;
    ret->seek = seek & NEGATIVE ? -(int32_t)(~seek) - 1 : (int32_t)seek;
    return true;
}

struct work {
    struct bytes old;
    int64_t old_at;
    struct bytes records, extra, difference; /* what is left */
    uint8_t *out;
    size_t left;
};

static bool apply_record(struct work *w, const struct ec7xx_record *record, struct error *err)
{
    uint64_t len = (uint64_t)record->add + record->copy;
    if (len > w->left)
        return error_set(err, ERROR_CORRUPT, "a record goes past the end of the segment");
    if (record->add > w->difference.len || record->copy > w->extra.len)
        return error_set(err, ERROR_CORRUPT, "a record needs more bytes than its delta has");
    if (record->add > 0 && (w->old_at < 0 || w->old_at > (int64_t)w->old.len - record->add))
        return error_set(err, ERROR_CORRUPT,
                         "a record reads outside of the old bytes that its segment may read");
    for (uint32_t i = 0; i < record->add; i++)
        w->out[i] = (uint8_t)(w->old.ptr[w->old_at + i] + w->difference.ptr[i]);
    if (record->copy > 0)
        memcpy(w->out + record->add, w->extra.ptr, record->copy);
    w->difference = (struct bytes){w->difference.ptr + record->add, w->difference.len - record->add};
    w->extra = (struct bytes){w->extra.ptr + record->copy, w->extra.len - record->copy};
    w->old_at += (int64_t)record->add + record->seek;
    w->out += len;
    w->left -= len;
    return true;
}

/* An empty difference is written as one zero. */
static bool is_used_up(const struct work *w, const struct ec7xx_delta *delta)
{
    bool is_empty = delta->difference_bytes.len == 1 && w->difference.len == 1 && w->difference.ptr[0] == 0;
    return w->extra.len == 0 && (w->difference.len == 0 || is_empty);
}

bool ec7xx_delta_apply(const struct ec7xx_delta *delta, struct bytes old, uint8_t *out, struct error *err)
{
    struct work w = {
        .old = old,
        .records = buffer_bytes(&delta->records),
        .extra = buffer_bytes(&delta->extra_bytes),
        .difference = buffer_bytes(&delta->difference_bytes),
        .out = out,
        .left = delta->new_bytes,
    };
    while (w.records.len > 0) {
        struct ec7xx_record record;
        if (!ec7xx_delta_next(&w.records, &record))
            return error_set(err, ERROR_CORRUPT, "its control block ends inside a record");
        if (!apply_record(&w, &record, err))
            return false;
    }
    if (w.left > 0)
        return error_set(err, ERROR_CORRUPT, "its records make %zu bytes too few", w.left);
    return is_used_up(&w, delta) || error_set(err, ERROR_CORRUPT, "its delta has bytes that no record takes");
}
