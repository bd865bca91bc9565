/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec7xx/payload.h"

#include <inttypes.h>
#include <string.h>
#include "base/little.h"

#define FLAG_BACKWARD   1
#define FLAG_PACKED     2
#define GROUPS_SHIFT    2 /* the other bits of the flags: number of groups */
#define ROW_IS_GROUP    1
#define ROW_SECOND_FORM 1 /* in the second word of a row */
#define TAIL_IS_THERE   1 /* the vendor's packer also sets bit 1 for the group with the table */

static const uint8_t payload_magic[4] = {0xEC, 0x50, 0x53, 0x48};
static const uint8_t group_magic[4] = {0xEC, 0x5A, 0x47, 0x48};

bool ec7xx_payload_owns(struct bytes payload)
{
    return payload.len >= EC7XX_PAYLOAD_HEAD && memcmp(payload.ptr, payload_magic, 4) == 0;
}

struct bytes ec7xx_payload_window(enum ec7xx_order order, struct bytes old_plain, uint32_t at, bool is_first)
{
    size_t end = (size_t)at + EC7XX_SEGMENT_BYTES;
    if (order == EC7XX_BACKWARD)
        return (struct bytes){old_plain.ptr, is_first || end > old_plain.len ? old_plain.len : end};
    size_t from = at < old_plain.len ? at : old_plain.len;
    return (struct bytes){old_plain.ptr + from, old_plain.len - from};
}

unsigned int ec7xx_payload_plain_segments(uint32_t new_plain)
{
    return (unsigned int)(((uint64_t)new_plain + EC7XX_SEGMENT_BYTES - 1) / EC7XX_SEGMENT_BYTES);
}

bool ec7xx_payload_is_second_form(struct bytes payload)
{
    if (!ec7xx_payload_owns(payload))
        return false;
    size_t rows = little_u16(payload.ptr + 6), there = (payload.len - EC7XX_PAYLOAD_HEAD) / EC7XX_SEGMENT_ROW;
    for (size_t i = 0; i < rows && i < there; i++) {
        const uint8_t *row = payload.ptr + EC7XX_PAYLOAD_HEAD + i * EC7XX_SEGMENT_ROW;
        if (row[0] & ROW_IS_GROUP && row[4] & ROW_SECOND_FORM)
            return true;
    }
    return false;
}

/* ---- Group segments ---- */

static void read_section(const uint8_t *from, struct ec7xx_section *ret)
{
    *ret = (struct ec7xx_section){
        .index = from[0],
        .is_packed = from[1] & 1,
        .offset = little_u32(from + 4),
        .packed_bytes = little_u32(from + 8),
        .plain_bytes = little_u32(from + 12),
    };
}

/* `side`: 0 for the old image, 1 for the new one. `from` is the head of the group segment. */
static bool read_side(const uint8_t *from, unsigned int side, struct ec7xx_group *ret, struct error *err)
{
    static const uint8_t zeros[EC7XX_GROUP_PAIR_ROW / 2];
    unsigned int rows =
        little_u16(from + 16) > little_u16(from + 18) ? little_u16(from + 16) : little_u16(from + 18);
    *ret = (struct ec7xx_group){
        .number = from[4],
        .head_bytes = little_u16(from + 12 + 2 * side),
        .tail_bytes = from[10 + side],
        .sections = little_u16(from + 16 + 2 * side),
        .offset = little_u32(from + 20 + 4 * side),
        .area_bytes = little_u32(from + 28 + 4 * side),
        .plain_bytes = little_u32(from + 36 + 4 * side),
    };
    if (((from[8 + side] & TAIL_IS_THERE) != 0) != (ret->tail_bytes > 0) || from[8 + side] > 3)
        return error_set(err, ERROR_CORRUPT,
                         "group %u states a tail of %" PRIu32 " bytes, and its mark is %u", ret->number,
                         ret->tail_bytes, from[8 + side]);
    for (unsigned int i = 0; i < rows; i++) {
        const uint8_t *row = from + EC7XX_GROUP_HEAD + i * EC7XX_GROUP_PAIR_ROW + side * sizeof zeros;
        bool is_there = i < ret->sections;
        if (is_there ? row[1] > 1 || row[2] || row[3] : memcmp(row, zeros, sizeof zeros) != 0)
            return error_set(err, ERROR_CORRUPT, "row %u of group %u has unknown values", i + 1, ret->number);
        if (is_there)
            read_section(row, &ret->section[i]);
    }
    return true;
}

static bool open_group(struct ec7xx_payload *payload, struct ec7xx_segment *segment, struct error *err)
{
    struct ec7xx_pair *pair = &payload->pair[segment->group];
    const uint8_t *head = segment->all.ptr;
    if (segment->all.len < EC7XX_GROUP_HEAD || memcmp(head, group_magic, 4) != 0)
        return error_set(err, ERROR_CORRUPT, "a group segment does not begin with its mark");
    unsigned int old_rows = little_u16(head + 16), new_rows = little_u16(head + 18);
    unsigned int rows = old_rows > new_rows ? old_rows : new_rows;
    if (head[5] || head[6] || head[7])
        return error_set(err, ERROR_CORRUPT, "bytes 5 to 7 of group %u are not 0", head[4]);
    if (rows > EC7XX_GROUP_SECTIONS_MAX)
        return error_set(err, ERROR_CORRUPT, "group %u has %u sections; the limit is %d", head[4], rows,
                         EC7XX_GROUP_SECTIONS_MAX);
    size_t head_bytes = EC7XX_GROUP_HEAD + (size_t)rows * EC7XX_GROUP_PAIR_ROW;
    if (segment->all.len < head_bytes)
        return error_set(err, ERROR_CORRUPT, "the head of group %u is cut off", head[4]);
    if (!read_side(head, 0, &pair->old, err) || !read_side(head, 1, &pair->new, err))
        return false;
    for (unsigned int i = 0; i < segment->group; i++)
        if (payload->pair[i].new.number == pair->new.number)
            return error_set(err, ERROR_CORRUPT, "two segments change group %u", pair->new.number);
    segment->at = pair->new.offset;
    segment->new_bytes = pair->new.plain_bytes;
    segment->delta = (struct bytes){head + head_bytes, segment->all.len - head_bytes};
    return true;
}

/* ---- Plain segments ---- */

/* `place` counts only plain segments. */
static void set_plain(const struct ec7xx_payload *payload, unsigned int place, struct ec7xx_segment *segment)
{
    unsigned int count = payload->segments - payload->groups;
    unsigned int number = payload->order == EC7XX_BACKWARD ? count - 1 - place : place;
    segment->at = number * EC7XX_SEGMENT_BYTES;
    uint32_t left = payload->new_plain - segment->at;
    segment->new_bytes = left < EC7XX_SEGMENT_BYTES ? left : EC7XX_SEGMENT_BYTES;
    segment->delta = segment->all;
}

/* ---- Reading ---- */

static bool open_head(struct bytes bytes, struct ec7xx_payload *ret, struct error *err)
{
    if (!ec7xx_payload_owns(bytes))
        return error_set(err, ERROR_CORRUPT, "the payload does not begin as one of an EC7xx");
    unsigned int flags = little_u16(bytes.ptr + 4);
    *ret = (struct ec7xx_payload){
        .all = bytes,
        .order = flags & FLAG_BACKWARD ? EC7XX_BACKWARD : EC7XX_FORWARD,
        .groups = flags >> GROUPS_SHIFT,
        .segments = little_u16(bytes.ptr + 6),
        .old_plain = little_u32(bytes.ptr + 8),
        .new_plain = little_u32(bytes.ptr + 12),
        .old_table = little_u32(bytes.ptr + 16),
        .new_table = little_u32(bytes.ptr + 20),
    };
    if (ec7xx_payload_is_second_form(bytes))
        return error_set(
            err, ERROR_CANNOT_APPLY,
            "the payload has the second form of the vendor's packer (HLS), which is not supported");
    if (!(flags & FLAG_PACKED))
        return error_set(err, ERROR_CANNOT_APPLY,
                         "the payload is for an image without packed sections, which is not supported");
    if (ret->groups == 0 || ret->groups > EC7XX_GROUPS_MAX)
        return error_set(err, ERROR_CORRUPT, "the payload has %u groups, not 1 to %d", ret->groups,
                         EC7XX_GROUPS_MAX);
    if (ret->segments > EC7XX_SEGMENTS_MAX ||
        ret->segments != ret->groups + ec7xx_payload_plain_segments(ret->new_plain))
        return error_set(err, ERROR_CORRUPT,
                         "the payload has %u segments, and its groups and its plain part need %u",
                         ret->segments, ret->groups + ec7xx_payload_plain_segments(ret->new_plain));
    return true;
}

/* *at is where the segment must begin; moves it behind the segment. */
static bool open_segment(struct ec7xx_payload *payload, unsigned int place, size_t *at, struct error *err)
{
    const uint8_t *row = payload->all.ptr + EC7XX_PAYLOAD_HEAD + (size_t)place * EC7XX_SEGMENT_ROW;
    uint32_t first = little_u32(row), second = little_u32(row + 4), writes = little_u32(row + 8);
    struct ec7xx_segment *segment = &payload->segment[place];
    size_t len = second >> 8;
    segment->is_group = place < payload->groups;
    if ((first & 0xFF) != (segment->is_group ? ROW_IS_GROUP : 0) || (second & 0xFF) != 0)
        return error_set(err, ERROR_CORRUPT, "segment %u has the marks 0x%02" PRIx32 " and 0x%02" PRIx32,
                         place, first & 0xFF, second & 0xFF);
    if (first >> 8 != *at)
        return error_set(err, ERROR_CORRUPT, "segment %u begins at %" PRIu32 " of the payload, not at %zu",
                         place, first >> 8, *at);
    if (len > payload->all.len - *at)
        return error_set(err, ERROR_CORRUPT, "the payload is cut off: segment %u goes past its end", place);
    segment->all = (struct bytes){payload->all.ptr + *at, len};
    segment->group = place;
    if (!segment->is_group)
        set_plain(payload, place - payload->groups, segment);
    else if (!open_group(payload, segment, err))
        return false;
    uint32_t area = segment->is_group ? payload->pair[place].new.area_bytes : EC7XX_SEGMENT_BYTES;
    if (writes != area)
        return error_set(err, ERROR_CORRUPT,
                         "segment %u states that it writes 0x%" PRIx32 " bytes, not 0x%" PRIx32, place,
                         writes, area);
    *at += len;
    return true;
}

bool ec7xx_payload_open(struct bytes bytes, struct ec7xx_payload *ret, struct error *err)
{
    if (!open_head(bytes, ret, err))
        return false;
    size_t at = EC7XX_PAYLOAD_HEAD + (size_t)ret->segments * EC7XX_SEGMENT_ROW;
    if (bytes.len < at)
        return error_set(err, ERROR_CORRUPT, "the payload is cut off in its table");
    for (unsigned int place = 0; place < ret->segments; place++)
        if (!open_segment(ret, place, &at, err))
            return false;
    return at == bytes.len ||
           error_set(err, ERROR_CORRUPT, "%zu bytes follow after the last segment", bytes.len - at);
}
