/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec7xx/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/little.h"
#include "base/chip.h"
#include "delta/ec7xx/payload.h"

#define METHOD      0x40 /* bits 4 and 5 of byte 3 are 0, bit 6 is 1 */
#define CHIP_BITS   0x10 /* of bytes 4 and 5: segments of 3 * 32 KB */
#define CHIP_LONG   1    /* 8 MB of flash */
#define BLOCK_BYTES 0x8000
#define ZIP_METHOD  (1U << 20)
#define OPTION_HASH 56
#define OPTION_NAME 92

static bool wrong(struct error *err, enum error_code code, const struct par_part *part, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

/* Sets the error and returns false. */
static bool wrong(struct error *err, enum error_code code, const struct par_part *part, const char *format,
                  ...)
{
    char text[320];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(err, code, "the package of %s: %s", par_attribute_name(part->attribute), text);
}

bool ec7xx_rules_hold_for(const struct par *par)
{
    bool is = par->head.ptr[2] == EC7XX_PAR_VERSION;
    for (unsigned int i = 0; i < par->parts; i++)
        is = is || ec7xx_payload_owns(par->part[i].payload);
    return is;
}

static bool check_head(const struct par *par, struct error *err)
{
    unsigned int chip = little_u16(par->head.ptr + 4);
    if (par->method != METHOD)
        return error_set(err, ERROR_CORRUPT, "byte 3 of the archive is 0x%02x: bits 4 to 6 must be 0, 0, 1",
                         par->head.ptr[3]);
    if ((chip | CHIP_LONG) != (CHIP_BITS | CHIP_LONG))
        return error_set(err, ERROR_CORRUPT,
                         "bytes 4 and 5 of the archive are 0x%04x: only 0x0010 and 0x0011 are known", chip);
    if (par->segment_bytes != BLOCK_BYTES)
        return error_set(err, ERROR_CORRUPT, "bytes 6 and 7 of the archive are 0x%04x, not 0x%04x",
                         par->segment_bytes, BLOCK_BYTES);
    for (size_t i = 0; i < par->progress_bytes; i++)
        if (par->head.ptr[PAR_PROGRESS + i] != 0xFF)
            return error_set(
                err, ERROR_CORRUPT,
                "byte %zu of the archive is 0x%02x: bytes %d to %zu must be FF, because the module "
                "records its progress there",
                PAR_PROGRESS + i, par->head.ptr[PAR_PROGRESS + i], PAR_PROGRESS,
                PAR_PROGRESS + par->progress_bytes - 1);
    return true;
}

static bool check_part_head(const struct par_part *part, unsigned int place, struct error *err)
{
    const uint8_t *head = part->head.ptr;
    if (part->attribute != PAR_AP && part->attribute != PAR_CP)
        return wrong(err, ERROR_CORRUPT, part, "part %u is not AP or CP", part->attribute);
    if (part->head.len > PAR_PART_BYTES && head[PAR_PART_BYTES] == EC7XX_OPTION_SYMBOLS)
        return wrong(err, ERROR_CANNOT_APPLY, part,
                     "it has the second form of the vendor's packer (HLS), which is not supported");
    if (part->head.len != PAR_PART_BYTES)
        return wrong(err, ERROR_CORRUPT, part, "its head has %zu bytes, not %d", part->head.len,
                     PAR_PART_BYTES);
    if (part->index != place)
        return wrong(err, ERROR_CORRUPT, part, "its index is %u, but its place in the archive is %u",
                     part->index, place);
    if (little_u32(head) & ZIP_METHOD)
        return wrong(err, ERROR_CORRUPT, part, "its zip method is 1; a module refuses the package");
    if (memcmp(head + OPTION_HASH, "\x03\x24\0\0", 4) != 0 || memcmp(head + OPTION_NAME, "\0\x14", 2) != 0)
        return wrong(err, ERROR_CORRUPT, part, "its options are not the hash of the new image and the name");
    if (part->base_bytes != part->new_bytes)
        return wrong(err, ERROR_CANNOT_APPLY, part,
                     "its old image has %u bytes and its new image %u: a change of the size is not supported",
                     part->base_bytes, part->new_bytes);
    return true;
}

/* A module was never seen to move a group. */
static bool check_pair(const struct par_part *part, const struct ec7xx_pair *pair, struct error *err)
{
    struct error why;
    if (!ec7xx_group_check(&pair->old, part->base_bytes, &why) ||
        !ec7xx_group_check(&pair->new, part->new_bytes, &why))
        return wrong(err, why.code, part, "%.200s", why.text);
    if (pair->old.offset != pair->new.offset || pair->old.area_bytes != pair->new.area_bytes)
        return wrong(err, ERROR_CANNOT_APPLY, part,
                     "group %u moves from 0x%x and 0x%x bytes to 0x%x and 0x%x bytes, which is not supported",
                     pair->new.number, pair->old.offset, pair->old.area_bytes, pair->new.offset,
                     pair->new.area_bytes);
    return pair->new.area_bytes <= EC7XX_SEGMENT_BYTES ||
           wrong(err, ERROR_CANNOT_APPLY, part,
                 "group %u has an area of 0x%x bytes; more than 0x%x is not supported", pair->new.number,
                 pair->new.area_bytes, EC7XX_SEGMENT_BYTES);
}

/* The groups must fill the image from the section table to its end. */
static bool check_areas(const struct par_part *part, const struct ec7xx_payload *payload, struct error *err)
{
    uint64_t total = payload->new_table;
    for (unsigned int i = 0; i < payload->groups; i++) {
        const struct ec7xx_group *group = &payload->pair[i].new;
        if (!check_pair(part, &payload->pair[i], err))
            return false;
        for (unsigned int k = 0; k < i; k++) {
            const struct ec7xx_group *other = &payload->pair[k].new;
            if (group->offset < other->offset + other->area_bytes &&
                other->offset < group->offset + group->area_bytes)
                return wrong(err, ERROR_CORRUPT, part, "groups %u and %u overlap", other->number,
                             group->number);
        }
        if (group->offset < payload->new_table)
            return wrong(err, ERROR_CORRUPT, part, "group %u is before the section table", group->number);
        total += group->area_bytes;
    }
    return total == part->new_bytes ||
           wrong(err, ERROR_CORRUPT, part, "its groups do not fill the image behind the section table");
}

/* Compares the head with the payload: the device reads some of these values from the head and some from the
   payload. */
static bool check_payload_head(const struct par_part *part, const struct ec7xx_payload *payload,
                               struct error *err)
{
    if (part->reverse != (payload->order == EC7XX_BACKWARD))
        return wrong(err, ERROR_CORRUPT, part, "its order bit is %d, but its payload is %s", part->reverse,
                     payload->order == EC7XX_BACKWARD ? "backward" : "forward");
    if (part->segments != payload->segments)
        return wrong(err, ERROR_CORRUPT, part, "its head states %u segments, its payload %u", part->segments,
                     payload->segments);
    if (payload->old_table != payload->new_table)
        return wrong(err, ERROR_CANNOT_APPLY, part,
                     "the section table moves from 0x%x to 0x%x, which is not supported", payload->old_table,
                     payload->new_table);
    if (payload->old_plain > payload->old_table || payload->new_plain > payload->new_table)
        return wrong(err, ERROR_CORRUPT, part, "the plain part goes past the section table");
    if (payload->old_plain > ec7xx_payload_plain_segments(payload->new_plain) * EC7XX_SEGMENT_BYTES)
        return wrong(
            err, ERROR_CANNOT_APPLY, part,
            "the old plain part ends at 0x%x, behind the last segment of the new one, which ends at 0x%x; "
            "it is not known whether a module erases the rest",
            payload->old_plain, payload->new_plain);
    return true;
}

static bool check_payload(const struct par_part *part, struct error *err)
{
    _cleanup_(cleanup_free) struct ec7xx_payload *payload = malloc(sizeof *payload);
    struct error why;
    if (!payload)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    if (!ec7xx_payload_open(part->payload, payload, &why))
        return wrong(err, why.code, part, "%.300s", why.text);
    return check_payload_head(part, payload, err) && check_areas(part, payload, err);
}

bool ec7xx_rules_check(const struct par *par, struct error *err)
{
    if (!check_head(par, err) || !par_check_parts(par, err))
        return false;
    for (unsigned int i = 0; i < par->parts; i++)
        if (!check_part_head(&par->part[i], i, err) || !check_payload(&par->part[i], err))
            return false;
    return true;
}

bool ec7xx_rules_check_length(const struct par *par, const struct ec7xx_chip *chip, struct error *err)
{
    const struct ec7xx_chip *least = chip ? chip : ec7xx_chip_smallest();
    if (par->all.len <= least->archive_bytes)
        return true;
    if (!chip)
        return error_set(
            err, ERROR_TOO_LARGE,
            "the archive has %zu bytes, and the chip is not known; the chip with the least room, %s, "
            "accepts at most %u",
            par->all.len, least->name, least->archive_bytes);
    return error_set(err, ERROR_TOO_LARGE, "the archive has %zu bytes; a module with %s accepts at most %u",
                     par->all.len, chip->name, chip->archive_bytes);
}
