/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "base/cleanup.h"
#include "base/little.h"
#include "delta/ec7xx/payload.h"

#define ROW_LIMIT (1U << 24) /* position and length of a segment have 24 bits */

static void put_u16(uint8_t *at, unsigned int value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void put_section(uint8_t *at, const struct ec7xx_group *group, unsigned int place)
{
    if (place >= group->sections)
        return;
    const struct ec7xx_section *section = &group->section[place];
    at[0] = (uint8_t)section->index;
    at[1] = section->is_packed;
    little_put_u32(at + 4, section->offset);
    little_put_u32(at + 8, section->packed_bytes);
    little_put_u32(at + 12, section->plain_bytes);
}

/* `side`: 0 for the old image, 1 for the new one. */
static void put_side(uint8_t *head, const struct ec7xx_group *group, unsigned int side)
{
    head[8 + side] = (uint8_t)((group->tail_bytes > 0) | (group->head_bytes > 0) << 1);
    head[10 + side] = (uint8_t)group->tail_bytes;
    put_u16(head + 12 + 2 * side, group->head_bytes);
    put_u16(head + 16 + 2 * side, group->sections);
    little_put_u32(head + 20 + 4 * side, group->offset);
    little_put_u32(head + 28 + 4 * side, group->area_bytes);
    little_put_u32(head + 36 + 4 * side, group->plain_bytes);
}

static bool add_group_head(struct buffer *out, const struct ec7xx_group *old, const struct ec7xx_group *new,
                           struct error *err)
{
    static const uint8_t magic[] = {0xEC, 0x5A, 0x47, 0x48};
    unsigned int rows = old->sections > new->sections ? old->sections : new->sections;
    size_t len = EC7XX_GROUP_HEAD + (size_t)rows * EC7XX_GROUP_PAIR_ROW;
    if (old->head_bytes > UINT16_MAX || new->head_bytes > UINT16_MAX)
        return error_set(err, ERROR_TOO_LARGE, "the section table has more than %d bytes", UINT16_MAX);
    if (!buffer_reserve(out, len, err))
        return false;
    uint8_t *head = out->ptr + out->len;
    memset(head, 0, len);
    memcpy(head, magic, sizeof magic);
    head[4] = (uint8_t) new->number;
    put_side(head, old, 0);
    put_side(head, new, 1);
    for (unsigned int i = 0; i < rows; i++) {
        uint8_t *row = head + EC7XX_GROUP_HEAD + (size_t)i * EC7XX_GROUP_PAIR_ROW;
        put_section(row, old, i);
        put_section(row + EC7XX_GROUP_PAIR_ROW / 2, new, i);
    }
    out->len += len;
    return true;
}

/* The row of a segment that was appended at `from`. */
static bool put_row(struct buffer *out, unsigned int place, bool is_group, size_t from, uint32_t writes,
                    struct error *err)
{
    uint8_t *row = out->ptr + EC7XX_PAYLOAD_HEAD + (size_t)place * EC7XX_SEGMENT_ROW;
    if (out->len >= ROW_LIMIT)
        return error_set(err, ERROR_TOO_LARGE, "the payload has 16 MiB or more");
    little_put_u32(row, (uint32_t)from << 8 | is_group);
    little_put_u32(row + 4, (uint32_t)(out->len - from) << 8);
    little_put_u32(row + 8, writes);
    return true;
}

static bool add_groups(const struct ec7xx_payload_source *source, struct buffer *out, struct error *err)
{
    for (unsigned int i = 0; i < source->new->groups; i++) {
        const struct ec7xx_group *new = &source->new->group[i];
        const struct ec7xx_group *old = ec7xx_image_find_group(source->old, new->number);
        size_t from = out->len;
        if (!old)
            return error_set(err, ERROR_INVALID, "the old image has no group %u", new->number);
        if (!add_group_head(out, old, new, err) ||
            !buffer_add(out, source->group_delta[i].ptr, source->group_delta[i].len, err) ||
            !put_row(out, i, true, from, new->area_bytes, err))
            return false;
    }
    return true;
}

static bool add_plain(const struct ec7xx_payload_source *source, unsigned int count, struct buffer *out,
                      struct error *err)
{
    for (unsigned int i = 0; i < count; i++) {
        unsigned int number = source->order == EC7XX_BACKWARD ? count - 1 - i : i;
        size_t from = out->len;
        if (!buffer_add(out, source->plain_delta[number].ptr, source->plain_delta[number].len, err) ||
            !put_row(out, source->new->groups + i, false, from, EC7XX_SEGMENT_BYTES, err))
            return false;
    }
    return true;
}

bool ec7xx_payload_write(const struct ec7xx_payload_source *source, struct buffer *ret, struct error *err)
{
    _cleanup_(buffer_free) struct buffer out = {0};
    static const uint8_t magic[] = {0xEC, 0x50, 0x53, 0x48};
    unsigned int count = ec7xx_payload_plain_segments(source->new->plain_bytes);
    unsigned int groups = source->new->groups, segments = groups + count;
    size_t head = EC7XX_PAYLOAD_HEAD + (size_t)segments * EC7XX_SEGMENT_ROW;
    if (segments > EC7XX_SEGMENTS_MAX)
        return error_set(err, ERROR_TOO_LARGE, "the new image has %u segments; the limit is %d", segments,
                         EC7XX_SEGMENTS_MAX);
    if (!buffer_reserve(&out, head, err))
        return false;
    memset(out.ptr, 0, head);
    memcpy(out.ptr, magic, sizeof magic);
    put_u16(out.ptr + 4, groups << 2 | 2 | (source->order == EC7XX_BACKWARD));
    put_u16(out.ptr + 6, segments);
    little_put_u32(out.ptr + 8, source->old->plain_bytes);
    little_put_u32(out.ptr + 12, source->new->plain_bytes);
    little_put_u32(out.ptr + 16, source->old->table_at);
    little_put_u32(out.ptr + 20, source->new->table_at);
    out.len = head;
    if (!add_groups(source, &out, err) || !add_plain(source, count, &out, err))
        return false;
    *ret = out;
    out = (struct buffer){0};
    return true;
}
