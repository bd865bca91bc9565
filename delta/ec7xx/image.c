/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec7xx/image.h"

#include <inttypes.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/little.h"
#include "base/sha256.h"

#define TAIL_END       16 /* the last fields of the tail: pieces, plain part, table, CMAR */
#define TABLE_MAGIC    0xEC718CBAU
#define TABLE_END      0xEC718CBDU
#define ENTRY_MAGIC    0xEC718CA0U
#define ENTRY_OFFSET   4
#define ENTRY_PACKED   8
#define ENTRY_PLAIN    16
#define ENTRY_INDEX    20
#define ENTRY_FLAGS    21
#define ENTRY_GROUP    22
#define FLAG_IS_PACKED 1

static bool has_tail(struct bytes bytes)
{
    return bytes.len >= EC7XX_TAIL_BYTES && memcmp(bytes.ptr + bytes.len - 4, "CMAR", 4) == 0;
}

static bool is_erased(const uint8_t *from, size_t len)
{
    return len == 0 || (from[0] == 0xFF && memcmp(from, from + 1, len - 1) == 0);
}

static const uint8_t *entry_of(const struct ec7xx_image *image, unsigned int place)
{
    return image->all.ptr + image->table_at + EC7XX_TABLE_HEAD_BYTES + (size_t)place * EC7XX_ENTRY_BYTES;
}

static size_t table_bytes(const struct ec7xx_image *image)
{
    return EC7XX_TABLE_HEAD_BYTES + (size_t)image->sections * EC7XX_ENTRY_BYTES + EC7XX_TABLE_END_BYTES;
}

static bool open_tail(struct ec7xx_image *image, struct error *err)
{
    size_t len = image->all.len;
    if (!has_tail(image->all))
        return error_set(err, ERROR_INVALID, "the image does not end in CMAR: it has no packed sections");
    const uint8_t *end = image->all.ptr + len - TAIL_END;
    image->pieces = end[2];
    image->plain_bytes = little_u32(end + 4);
    image->table_at = little_u32(end + 8);
    image->tail_bytes = EC7XX_TAIL_BYTES + EC7XX_PIECE_BYTES * image->pieces;
    if (image->pieces > EC7XX_PIECES_MAX)
        return error_set(err, ERROR_CORRUPT, "the tail of the image states %u pieces; the limit is %d",
                         image->pieces, EC7XX_PIECES_MAX);
    if (image->tail_bytes > len || image->table_at > len - image->tail_bytes)
        return error_set(err, ERROR_CORRUPT, "the tail of the image states a section table past its end");
    if (image->plain_bytes > image->table_at)
        return error_set(err, ERROR_CORRUPT,
                         "the plain part of the image has 0x%" PRIx32
                         " bytes and goes past the section table at 0x%" PRIx32,
                         image->plain_bytes, image->table_at);
    return is_erased(image->all.ptr + image->plain_bytes, image->table_at - image->plain_bytes) ||
           error_set(err, ERROR_CORRUPT, "the bytes between plain part and section table are not FF");
}

static bool open_table(struct ec7xx_image *image, struct error *err)
{
    const uint8_t *table = image->all.ptr + image->table_at;
    size_t room = image->all.len - image->tail_bytes - image->table_at;
    if (room < EC7XX_TABLE_HEAD_BYTES || little_u32(table) != TABLE_MAGIC)
        return error_set(err, ERROR_CORRUPT, "no section table is at 0x%" PRIx32 " of the image",
                         image->table_at);
    uint32_t sections = little_u32(table + 4);
    if (sections == 0 || sections > EC7XX_TABLE_SECTIONS_MAX)
        return error_set(err, ERROR_CORRUPT, "the section table has %" PRIu32 " sections, not 1 to %d",
                         sections, EC7XX_TABLE_SECTIONS_MAX);
    image->sections = sections;
    if (table_bytes(image) > room)
        return error_set(err, ERROR_CORRUPT, "the section table goes past the end of the image");
    for (unsigned int i = 0; i < sections; i++)
        if (little_u32(entry_of(image, i)) != ENTRY_MAGIC)
            return error_set(err, ERROR_CORRUPT, "entry %u of the section table has no mark", i + 1);
    return little_u32(entry_of(image, sections)) == TABLE_END ||
           error_set(err, ERROR_CORRUPT, "the section table has no mark at its end");
}

/* The group of the next entry: the last one, or a new one. */
static struct ec7xx_group *group_of(struct ec7xx_image *image, const uint8_t *entry, struct error *err)
{
    unsigned int number = entry[ENTRY_GROUP];
    struct ec7xx_group *last = image->groups ? &image->group[image->groups - 1] : NULL;
    if (last && last->number == number)
        return last;
    if (ec7xx_image_find_group(image, number)) {
        error_set(err, ERROR_CORRUPT, "the sections of group %u are not together in the table", number);
        return NULL;
    }
    if (image->groups == EC7XX_GROUPS_MAX) {
        error_set(err, ERROR_CORRUPT, "the image has more than %d groups", EC7XX_GROUPS_MAX);
        return NULL;
    }
    last = &image->group[image->groups++];
    *last = (struct ec7xx_group){.number = number, .offset = little_u32(entry + ENTRY_OFFSET)};
    if (last->offset == image->table_at + table_bytes(image)) {
        last->offset = image->table_at;
        last->head_bytes = (uint32_t)table_bytes(image);
        last->plain_bytes = last->head_bytes;
    }
    return last;
}

static bool open_entry(struct ec7xx_image *image, const uint8_t *entry, struct error *err)
{
    struct ec7xx_group *group = group_of(image, entry, err);
    if (!group)
        return false;
    if (entry[ENTRY_FLAGS] & ~FLAG_IS_PACKED)
        return error_set(err, ERROR_CORRUPT, "section %u has the flags 0x%02x, of which only bit 0 is known",
                         entry[ENTRY_INDEX], entry[ENTRY_FLAGS]);
    if (group->sections == EC7XX_GROUP_SECTIONS_MAX)
        return error_set(err, ERROR_CORRUPT, "group %u has more than %d sections", group->number,
                         EC7XX_GROUP_SECTIONS_MAX);
    struct ec7xx_section *section = &group->section[group->sections++];
    *section = (struct ec7xx_section){
        .index = entry[ENTRY_INDEX],
        .is_packed = entry[ENTRY_FLAGS] & FLAG_IS_PACKED,
        .offset = little_u32(entry + ENTRY_OFFSET),
        .packed_bytes = little_u32(entry + ENTRY_PACKED),
        .plain_bytes = little_u32(entry + ENTRY_PLAIN),
    };
    if (section->plain_bytes > EC7XX_GROUP_PLAIN_MAX)
        return error_set(err, ERROR_CORRUPT, "section %u has %" PRIu32 " bytes unpacked; the limit is %u",
                         section->index, section->plain_bytes, EC7XX_GROUP_PLAIN_MAX);
    group->plain_bytes += section->plain_bytes;
    return true;
}

/* An area ends where the next one begins. The last one ends with the image and has its tail. */
static bool set_areas(struct ec7xx_image *image, struct error *err)
{
    bool has_head = false;
    for (unsigned int i = 0; i < image->groups; i++) {
        struct ec7xx_group *group = &image->group[i];
        size_t end = image->all.len;
        has_head = has_head || group->head_bytes > 0;
        for (unsigned int k = 0; k < image->groups; k++) {
            if (k < i && image->group[k].offset == group->offset)
                return error_set(err, ERROR_CORRUPT, "two groups begin at 0x%" PRIx32, group->offset);
            if (image->group[k].offset > group->offset && image->group[k].offset < end)
                end = image->group[k].offset;
        }
        if (group->offset < image->table_at || group->offset >= end)
            return error_set(err, ERROR_CORRUPT, "group %u is not between section table and end of the image",
                             group->number);
        group->area_bytes = (uint32_t)(end - group->offset);
        if (end == image->all.len) {
            group->tail_bytes = image->tail_bytes;
            group->plain_bytes += image->tail_bytes;
        }
    }
    return has_head || error_set(err, ERROR_CORRUPT, "no section follows directly after the section table");
}

/* Between the sections, and behind the last one. */
static bool check_gaps(const struct ec7xx_image *image, const struct ec7xx_group *group, struct error *err)
{
    for (unsigned int i = 0; i < group->sections; i++) {
        size_t from = group->section[i].offset + (size_t)group->section[i].packed_bytes;
        size_t to = i + 1 < group->sections ? group->section[i + 1].offset
                                            : group->offset + (size_t)group->area_bytes - group->tail_bytes;
        if (!is_erased(image->all.ptr + from, to - from))
            return error_set(err, ERROR_CORRUPT, "the bytes behind section %u are not FF",
                             group->section[i].index);
    }
    return true;
}

bool ec7xx_image_open(struct bytes bytes, struct ec7xx_image *ret, struct error *err)
{
    *ret = (struct ec7xx_image){.all = bytes};
    if (bytes.len > UINT32_MAX)
        return error_set(err, ERROR_CORRUPT, "the image has %zu bytes", bytes.len);
    if (!open_tail(ret, err) || !open_table(ret, err))
        return false;
    for (unsigned int i = 0; i < ret->sections; i++)
        if (!open_entry(ret, entry_of(ret, i), err))
            return false;
    if (!set_areas(ret, err))
        return false;
    for (unsigned int i = 0; i < ret->groups; i++)
        if (!ec7xx_group_check(&ret->group[i], bytes.len, err) || !check_gaps(ret, &ret->group[i], err))
            return false;
    return true;
}

const struct ec7xx_group *ec7xx_image_find_group(const struct ec7xx_image *image, unsigned int number)
{
    for (unsigned int i = 0; i < image->groups; i++)
        if (image->group[i].number == number)
            return &image->group[i];
    return NULL;
}

/* ---- The content of the sections ---- */

/* `place` is that of the group's first section in the table. */
static bool check_group_hashes(const struct ec7xx_image *image, const struct ec7xx_group *group,
                               unsigned int place, struct error *err)
{
    _cleanup_(buffer_free) struct buffer plain = {0};
    if (!ec7xx_group_unpack(group, image->all, &plain, err))
        return false;
    size_t at = group->head_bytes;
    for (unsigned int i = 0; i < group->sections; i++) {
        struct sha256 hash, stated;
        sha256_of(plain.ptr + at, group->section[i].plain_bytes, &hash);
        memcpy(stated.byte, entry_of(image, place + i) + EC7XX_ENTRY_HASH, SHA256_SIZE);
        if (!sha256_equal(&hash, &stated))
            return error_set(err, ERROR_CORRUPT, "section %u does not have its SHA-256 in the section table",
                             group->section[i].index);
        at += group->section[i].plain_bytes;
    }
    return true;
}

bool ec7xx_image_check_hashes(const struct ec7xx_image *image, struct error *err)
{
    unsigned int place = 0;
    for (unsigned int i = 0; i < image->groups; i++) {
        if (!check_group_hashes(image, &image->group[i], place, err))
            return false;
        place += image->group[i].sections;
    }
    return true;
}

/* Names the first section in which both areas differ. */
static bool compare_areas(const struct ec7xx_group *group, const uint8_t *image, const uint8_t *packed,
                          struct error *err)
{
    for (unsigned int i = 0; i < group->sections; i++) {
        const struct ec7xx_section *section = &group->section[i];
        if (memcmp(image + section->offset, packed + section->offset - group->offset,
                   section->packed_bytes) != 0)
            return error_set(err, ERROR_INVALID,
                             "a module would pack section %u of the new image to other bytes",
                             section->index);
    }
    return memcmp(image + group->offset, packed, group->area_bytes) == 0 ||
           error_set(err, ERROR_INVALID, "a module would write group %u of the new image with other bytes",
                     group->number);
}

bool ec7xx_image_check_packing(const struct ec7xx_image *image, struct error *err)
{
    for (unsigned int i = 0; i < image->groups; i++) {
        const struct ec7xx_group *group = &image->group[i];
        _cleanup_(buffer_free) struct buffer plain = {0};
        _cleanup_(buffer_free) struct buffer packed = {0};
        struct error why;
        if (!ec7xx_group_unpack(group, image->all, &plain, err))
            return false;
        if (!ec7xx_group_pack(group, buffer_bytes(&plain), &packed, &why))
            return error_set(err, why.code == ERROR_CORRUPT ? ERROR_INVALID : why.code,
                             "the new image: %.300s", why.text);
        if (!compare_areas(group, image->all.ptr, packed.ptr, err))
            return false;
    }
    return true;
}
