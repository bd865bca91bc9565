/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec618/payload.h"

#include <inttypes.h>
#include <string.h>
#include "base/cleanup.h"
#include "delta/bzip2/decode.h"

#define HEAD_BYTES      16 /* `BPHD`, number of parts, size of old, order */
#define PART_HEAD_BYTES 20 /* `BSDIFF40`, flag, length, bytes of new */

#define NEGATIVE 0x80000000U /* a module stops half way at a part with such a flag or length */

static const char *const order_name[] = {[EC618_FORWARD] = "NorO", [EC618_REVERSE] = "RvsO"};

static uint32_t get_number(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static bool put_number(struct buffer *out, uint32_t value, struct error *err)
{
    const uint8_t bytes[] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                             (uint8_t)(value >> 24)};
    return buffer_add(out, bytes, sizeof bytes, err);
}

struct ec618_window ec618_payload_window(enum ec618_order order, unsigned int block, size_t old_bytes)
{
    size_t begin = (size_t)block * EC618_BLOCK_BYTES, end = begin + EC618_BLOCK_BYTES;
    if (order == EC618_FORWARD)
        return (struct ec618_window){begin < old_bytes ? begin : old_bytes, old_bytes};
    return (struct ec618_window){0, end < old_bytes ? end : old_bytes};
}

static bool open_part(struct ec618_payload *payload, unsigned int block, struct bytes bytes,
                      struct ec618_part *part, struct error *err)
{
    if (bytes.len < PART_HEAD_BYTES || memcmp(bytes.ptr, "BSDIFF40", 8) != 0)
        return error_set(err, ERROR_CORRUPT, "part %u does not begin with BSDIFF40", block);
    *part = (struct ec618_part){
        .block = block,
        .flag = get_number(bytes.ptr + 8),
        .stated_bytes = get_number(bytes.ptr + 12),
        .new_bytes = get_number(bytes.ptr + 16),
        .stream = {bytes.ptr + PART_HEAD_BYTES, bytes.len - PART_HEAD_BYTES},
    };
    if (part->flag & NEGATIVE || part->stated_bytes & NEGATIVE)
        return error_set(err, ERROR_CORRUPT, "part %u has a negative flag or length", block);
    bool last = block + 1 == payload->parts;
    if (part->new_bytes > EC618_BLOCK_BYTES || part->new_bytes == 0 ||
        (!last && part->new_bytes < EC618_BLOCK_BYTES))
        return error_set(err, ERROR_CORRUPT, "part %u makes %" PRIu32 " bytes, not %d", block,
                         part->new_bytes, EC618_BLOCK_BYTES);
    size_t end = (size_t)block * EC618_BLOCK_BYTES + part->new_bytes;
    if (part->flag == EC618_UNCHANGED && end > payload->old_bytes)
        return error_set(err, ERROR_CORRUPT,
                         "part %u is marked as unchanged, but its block is outside of the old image", block);
    payload->new_bytes += part->new_bytes;
    return true;
}

bool ec618_payload_open(struct bytes bytes, struct ec618_payload *ret, struct error *err)
{
    if (bytes.len < HEAD_BYTES || memcmp(bytes.ptr, "BPHD", 4) != 0)
        return error_set(err, ERROR_CORRUPT, "the payload does not begin with BPHD");
    uint32_t parts = get_number(bytes.ptr + 4);
    bool reverse = memcmp(bytes.ptr + 12, order_name[EC618_REVERSE], 4) == 0;
    if (!reverse && memcmp(bytes.ptr + 12, order_name[EC618_FORWARD], 4) != 0)
        return error_set(err, ERROR_CORRUPT, "the payload's order is neither NorO nor RvsO");
    if (parts == 0 || parts > EC618_PARTS_MAX)
        return error_set(err, ERROR_CORRUPT, "the payload has %" PRIu32 " parts, not 1 to %d", parts,
                         EC618_PARTS_MAX);
    size_t at = HEAD_BYTES + 4 * (size_t)parts;
    if (bytes.len < at)
        return error_set(err, ERROR_CORRUPT, "the payload is cut off in its table");
    *ret = (struct ec618_payload){
        .order = reverse ? EC618_REVERSE : EC618_FORWARD,
        .old_bytes = get_number(bytes.ptr + 8),
        .parts = parts,
    };
    /* In both orders the table is sorted by block. Only the parts are stored in the order in which they
       are taken. */
    for (unsigned int place = 0; place < parts; place++) {
        unsigned int block = reverse ? parts - 1 - place : place;
        size_t len = get_number(bytes.ptr + HEAD_BYTES + 4 * (size_t)block);
        if (len > bytes.len - at)
            return error_set(err, ERROR_CORRUPT, "the payload is cut off: part %u goes past its end", block);
        if (!open_part(ret, block, (struct bytes){bytes.ptr + at, len}, &ret->part[place], err))
            return false;
        at += len;
    }
    if (at < bytes.len)
        return error_set(err, ERROR_CORRUPT, "%zu bytes follow after the last part", bytes.len - at);
    return true;
}

bool ec618_payload_describe(const struct ec618_payload *payload, FILE *to, struct error *err)
{
    static const struct bzip_limits limits = {EC618_BZIP_BLOCK, EC618_PLAIN_MAX};
    fprintf(to, "payload order=%s parts=%u old_bytes=%" PRIu32 " new_bytes=%" PRIu32 "\n",
            order_name[payload->order], payload->parts, payload->old_bytes, payload->new_bytes);
    for (unsigned int place = 0; place < payload->parts; place++) {
        const struct ec618_part *part = &payload->part[place];
        fprintf(to,
                "part block=%u flag=0x%08" PRIx32 "%s stated_bytes=%" PRIu32 " new_bytes=%" PRIu32
                " stream_bytes=%zu",
                part->block, part->flag, part->flag == EC618_UNCHANGED ? " unchanged" : "",
                part->stated_bytes, part->new_bytes, part->stream.len);
        if (part->flag == EC618_UNCHANGED) {
            fprintf(to, "\n");
            continue;
        }
        _cleanup_(buffer_free) struct buffer plain = {0};
        struct bzip_shape shape;
        if (!bzip_decode(part->stream, limits, &plain, &shape, err)) {
            fprintf(to, " unsound\n");
            return false;
        }
        fprintf(to, " plain_bytes=%zu bzip_blocks=%zu largest_block=%zu tables=%u..%u\n", plain.len,
                shape.blocks, shape.largest_block, shape.fewest_tables, shape.most_tables);
    }
    return true;
}

static bool write_part(struct buffer *out, const struct buffer *stream, size_t new_bytes, struct error *err)
{
    return buffer_add(out, "BSDIFF40", 8, err) && put_number(out, stream->len ? 0 : EC618_UNCHANGED, err) &&
           put_number(out, (uint32_t)(PART_HEAD_BYTES + stream->len), err) &&
           put_number(out, (uint32_t)new_bytes, err) && buffer_add(out, stream->ptr, stream->len, err);
}

bool ec618_payload_write(enum ec618_order order, size_t old_bytes, size_t new_bytes,
                         const struct buffer *stream, struct buffer *ret, struct error *err)
{
    _cleanup_(buffer_free) struct buffer out = {0};
    size_t parts = (new_bytes + EC618_BLOCK_BYTES - 1) / EC618_BLOCK_BYTES;
    bool ok = buffer_add(&out, "BPHD", 4, err) && put_number(&out, (uint32_t)parts, err) &&
              put_number(&out, (uint32_t)old_bytes, err) && buffer_add(&out, order_name[order], 4, err);
    for (size_t block = 0; block < parts; block++)
        ok = ok && put_number(&out, (uint32_t)(PART_HEAD_BYTES + stream[block].len), err);
    for (size_t place = 0; place < parts; place++) {
        size_t block = order == EC618_REVERSE ? parts - 1 - place : place;
        size_t left = new_bytes - block * EC618_BLOCK_BYTES;
        ok = ok && write_part(&out, &stream[block], left < EC618_BLOCK_BYTES ? left : EC618_BLOCK_BYTES, err);
    }
    if (!ok)
        return false;
    *ret = out;
    out = (struct buffer){0};
    return true;
}
