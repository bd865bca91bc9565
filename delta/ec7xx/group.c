/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec7xx/group.h"

#include <inttypes.h>
#include <string.h>
#include "base/cleanup.h"
#include "delta/lzma/lzma.h"

#define ALIGNMENT 4

static uint64_t align(uint64_t at)
{
    return (at + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* *at is where the section must begin; moves it behind the section. */
static bool check_section(const struct ec7xx_group *group, const struct ec7xx_section *section, uint64_t *at,
                          struct error *err)
{
    unsigned int number = group->number, index = section->index;
    uint64_t end = (uint64_t)group->offset + group->area_bytes - group->tail_bytes;
    if (section->offset != align(*at))
        return error_set(err, ERROR_CORRUPT,
                         "section %u of group %u begins at 0x%" PRIx32 ", not at 0x%" PRIx64 " behind %s",
                         index, number, section->offset, align(*at),
                         section == group->section ? "the head of its group" : "the section before it");
    if (section->packed_bytes > end - section->offset)
        return error_set(err, ERROR_CORRUPT, "section %u of group %u goes past the end of the group", index,
                         number);
    if (!section->is_packed && section->packed_bytes != section->plain_bytes)
        return error_set(err, ERROR_CORRUPT,
                         "section %u of group %u is not packed, but its sizes are %" PRIu32 " and %" PRIu32,
                         index, number, section->packed_bytes, section->plain_bytes);
    *at = (uint64_t)section->offset + section->packed_bytes;
    return true;
}

static bool check_area(const struct ec7xx_group *group, size_t image_bytes, struct error *err)
{
    uint32_t offset = group->offset, area = group->area_bytes;
    if (offset > image_bytes || area > image_bytes - offset)
        return error_set(err, ERROR_CORRUPT, "the area of group %u goes past the end of the image",
                         group->number);
    if (offset % EC7XX_SECTOR != 0 || area % EC7XX_SECTOR != 0 || area == 0)
        return error_set(err, ERROR_CORRUPT,
                         "the area of group %u, 0x%" PRIx32 " and 0x%" PRIx32
                         " bytes, does not begin and end at a sector of %d bytes",
                         group->number, offset, area, EC7XX_SECTOR);
    if (group->head_bytes > area || group->tail_bytes > area - group->head_bytes)
        return error_set(err, ERROR_CORRUPT, "head and tail of group %u are larger than its area",
                         group->number);
    return true;
}

bool ec7xx_group_check(const struct ec7xx_group *group, size_t image_bytes, struct error *err)
{
    if (!check_area(group, image_bytes, err))
        return false;
    if (group->sections == 0)
        return error_set(err, ERROR_CORRUPT, "group %u has no section", group->number);
    uint64_t at = (uint64_t)group->offset + group->head_bytes;
    uint64_t plain = (uint64_t)group->head_bytes + group->tail_bytes;
    for (unsigned int i = 0; i < group->sections; i++) {
        if (!check_section(group, &group->section[i], &at, err))
            return false;
        plain += group->section[i].plain_bytes;
    }
    if (plain > EC7XX_GROUP_PLAIN_MAX)
        return error_set(err, ERROR_CORRUPT, "group %u has %" PRIu64 " bytes unpacked; the limit is %u",
                         group->number, plain, EC7XX_GROUP_PLAIN_MAX);
    return plain == group->plain_bytes ||
           error_set(err, ERROR_CORRUPT,
                     "group %u states %" PRIu32 " bytes unpacked, and its sections have %" PRIu64,
                     group->number, group->plain_bytes, plain);
}

static bool equal_section(const struct ec7xx_section *a, const struct ec7xx_section *b)
{
    return a->index == b->index && a->is_packed == b->is_packed && a->offset == b->offset &&
           a->packed_bytes == b->packed_bytes && a->plain_bytes == b->plain_bytes;
}

bool ec7xx_group_equal(const struct ec7xx_group *a, const struct ec7xx_group *b)
{
    if (a->number != b->number || a->offset != b->offset || a->area_bytes != b->area_bytes ||
        a->head_bytes != b->head_bytes || a->tail_bytes != b->tail_bytes ||
        a->plain_bytes != b->plain_bytes || a->sections != b->sections)
        return false;
    for (unsigned int i = 0; i < a->sections; i++)
        if (!equal_section(&a->section[i], &b->section[i]))
            return false;
    return true;
}

static bool unpack_section(const struct ec7xx_group *group, const struct ec7xx_section *section,
                           struct bytes image, struct buffer *ret, struct error *err)
{
    struct bytes packed = {image.ptr + section->offset, section->packed_bytes};
    struct error why;
    size_t before = ret->len;
    if (!section->is_packed)
        return buffer_add(ret, packed.ptr, packed.len, err);
    if (!lzma_device_unpack(ret, packed, section->plain_bytes, &why))
        return error_set(err, why.code, "section %u of group %u: %.200s", section->index, group->number,
                         why.text);
    return ret->len - before == section->plain_bytes ||
           error_set(err, ERROR_CORRUPT, "section %u of group %u unpacks to %zu bytes, not to %" PRIu32,
                     section->index, group->number, ret->len - before, section->plain_bytes);
}

bool ec7xx_group_unpack(const struct ec7xx_group *group, struct bytes image, struct buffer *ret,
                        struct error *err)
{
    if (!buffer_reserve(ret, group->plain_bytes, err) ||
        !buffer_add(ret, image.ptr + group->offset, group->head_bytes, err))
        return false;
    for (unsigned int i = 0; i < group->sections; i++)
        if (!unpack_section(group, &group->section[i], image, ret, err))
            return false;
    return buffer_add(ret, image.ptr + group->offset + group->area_bytes - group->tail_bytes,
                      group->tail_bytes, err);
}

/* Writes the section into the area. */
static bool pack_section(const struct ec7xx_group *group, const struct ec7xx_section *section,
                         const uint8_t *plain, uint8_t *area, struct error *err)
{
    _cleanup_(buffer_free) struct buffer packed = {0};
    struct bytes bytes = {plain, section->plain_bytes};
    if (section->is_packed ? !lzma_device_pack(&packed, bytes, err)
                           : !buffer_add(&packed, bytes.ptr, bytes.len, err))
        return false;
    if (packed.len != section->packed_bytes)
        return error_set(err, ERROR_CORRUPT,
                         "section %u of group %u gets %zu bytes when a module packs it, not %" PRIu32,
                         section->index, group->number, packed.len, section->packed_bytes);
    if (packed.len > 0)
        memcpy(area + (section->offset - group->offset), packed.ptr, packed.len);
    return true;
}

bool ec7xx_group_pack(const struct ec7xx_group *group, struct bytes plain, struct buffer *ret,
                      struct error *err)
{
    if (!buffer_reserve(ret, group->area_bytes, err))
        return false;
    uint8_t *area = ret->ptr + ret->len;
    const uint8_t *from = plain.ptr + group->head_bytes;
    memset(area, 0xFF, group->area_bytes);
    memcpy(area, plain.ptr, group->head_bytes);
    for (unsigned int i = 0; i < group->sections; i++) {
        if (!pack_section(group, &group->section[i], from, area, err))
            return false;
        from += group->section[i].plain_bytes;
    }
    memcpy(area + group->area_bytes - group->tail_bytes, from, group->tail_bytes);
    ret->len += group->area_bytes;
    return true;
}
