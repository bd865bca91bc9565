/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/container/par.h"

#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/little.h"

#define HEAD_VERSION 2
#define HEAD_PARTS   3
#define HEAD_CHIP    4 /* bit 0: 8 MB of flash; an EC618 does not read it */
#define HEAD_SEGMENT 6
#define HEAD_LENGTH  8
#define HEAD_HASH    12

#define EC7XX_SEGMENTS 6 /* in the payload of an EC7xx: number of segments, two bytes */

#define PART_BITS      0
#define PART_REVERSE   0x10
#define PART_LENGTH    4
#define PART_ADDRESS   12
#define PART_NEW       16
#define PART_BASE      20
#define PART_BASE_HASH 24
#define PART_NEW_HASH  60
#define PART_NAME      94

static const uint8_t magic[] = {0xEC, 0xDF};

static size_t progress_bytes(struct bytes archive)
{
    bool is_long = archive.ptr[HEAD_VERSION] != PAR_VERSION && archive.ptr[HEAD_CHIP] & 1;
    return is_long ? PAR_LONG_PROGRESS_BYTES : PAR_PROGRESS_BYTES;
}

const char *par_attribute_name(unsigned int attribute)
{
    static const char *const names[] = {"?", "BL", "AP", "CP", "APP", "APP2", "APP3", "?"};
    return attribute < sizeof names / sizeof names[0] ? names[attribute] : "?";
}

/* ---- Writing ---- */

size_t par_zone(unsigned int attribute)
{
    return attribute == PAR_AP ? PAR_AP_ZONE : attribute == PAR_CP ? PAR_CP_ZONE : 0;
}

static uint32_t count_segments(const struct par_source *source)
{
    return (uint32_t)((source->new.len + PAR_SEGMENT - 1) / PAR_SEGMENT);
}

static bool fits_zone(const struct par_source *source, const char *name, size_t len, struct error *err)
{
    size_t zone = par_zone(source->attribute);
    return len <= zone ||
           error_set(err, ERROR_TOO_LARGE, "the %s %s has %zu bytes; its zone in the module's flash has %zu",
                     name, par_attribute_name(source->attribute), len, zone);
}

static bool check_sources(const struct par_source *source, size_t count, struct error *err)
{
    uint32_t segments = 0;
    if (count > PAR_PARTS_MAX)
        return error_set(err, ERROR_TOO_LARGE, "an archive holds at most %d packages", PAR_PARTS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!fits_zone(&source[i], "old", source[i].old.len, err) ||
            !fits_zone(&source[i], "new", source[i].new.len, err))
            return false;
        segments += count_segments(&source[i]);
    }
    return segments <= PAR_SEGMENTS_MAX ||
           error_set(err, ERROR_TOO_LARGE, "the new images have %u segments of %d bytes; a module accepts %d",
                     segments, PAR_SEGMENT, PAR_SEGMENTS_MAX);
}

/* What differs between the archives of two families. */
struct form {
    uint8_t version, chip;
    uint32_t part_bits; /* set in the head of each package */
    const char *name;   /* of the family, in the name of each package */
};

static const struct form ec618_form = {PAR_VERSION, 0, 0, "EC618"};
static const struct form ec7xx_forms[] = {{0x45, 0x10, 3U << 18, "EC7XX"}, {0x45, 0x11, 3U << 18, "EC7XX"}};

/* Option 3 is the hash of the new image, option 0 the name. Each begins with its kind and its length. */
static void put_options(uint8_t *head, const struct form *form, const struct par_source *source)
{
    struct sha256 hash;
    head[PART_NEW_HASH - 4] = 3;
    head[PART_NEW_HASH - 3] = 4 + SHA256_SIZE;
    sha256_of(source->new.ptr, source->new.len, &hash);
    memcpy(head + PART_NEW_HASH, hash.byte, sizeof hash.byte);
    head[PART_NAME - 1] = 2 + PAR_NAME_BYTES;
    snprintf((char *)head + PART_NAME, PAR_NAME_BYTES, "%s_%s.par", form->name,
             par_attribute_name(source->attribute));
}

static void put_part(uint8_t *head, const struct form *form, const struct par_source *source, size_t index)
{
    struct sha256 hash;
    uint32_t segments =
        form == &ec618_form ? count_segments(source) : little_u16(source->payload.ptr + EC7XX_SEGMENTS);
    memset(head, 0, PAR_PART_BYTES);
    little_put_u32(head + PART_BITS, (uint32_t)index | (source->reverse ? PART_REVERSE : 0) |
                                         (uint32_t)source->attribute << 5 | (uint32_t)PAR_PART_BYTES << 8 |
                                         form->part_bits | segments << 24);
    little_put_u32(head + PART_LENGTH, (uint32_t)(PAR_PART_BYTES + source->payload.len));
    little_put_u32(head + PART_ADDRESS, source->load_address);
    little_put_u32(head + PART_NEW, (uint32_t)source->new.len);
    little_put_u32(head + PART_BASE, (uint32_t)source->old.len);
    sha256_of(source->old.ptr, source->old.len, &hash);
    memcpy(head + PART_BASE_HASH, hash.byte, sizeof hash.byte);
    put_options(head, form, source);
}

static bool add_part(const struct form *form, const struct par_source *source, size_t index,
                     struct buffer *out, struct error *err)
{
    if (source->payload.len > UINT32_MAX - PAR_PART_BYTES - out->len)
        return error_set(err, ERROR_TOO_LARGE, "the archive would be 4 GiB or more");
    if (!buffer_reserve(out, PAR_PART_BYTES, err))
        return false;
    put_part(out->ptr + out->len, form, source, index);
    out->len += PAR_PART_BYTES;
    return buffer_add(out, source->payload.ptr, source->payload.len, err);
}

/* The length of the head, in bytes. */
static size_t begin_head(uint8_t *head, const struct form *form, size_t count)
{
    memset(head, 0, PAR_PROGRESS);
    memcpy(head, magic, sizeof magic);
    head[HEAD_VERSION] = form->version;
    head[HEAD_PARTS] = (uint8_t)(0x40 | (count - 1));
    head[HEAD_CHIP] = form->chip;
    head[HEAD_SEGMENT + 1] = PAR_SEGMENT >> 8;
    size_t progress = progress_bytes((struct bytes){head, PAR_PROGRESS});
    memset(head + PAR_PROGRESS, 0xFF, progress);
    return PAR_PROGRESS + progress;
}

static bool make_archive(const struct form *form, const struct par_source *source, size_t count,
                         struct buffer *ret, struct error *err)
{
    _cleanup_(buffer_free) struct buffer out = {0};
    struct sha256 hash;
    if (!buffer_reserve(&out, PAR_PROGRESS + PAR_LONG_PROGRESS_BYTES, err))
        return false;
    out.len = begin_head(out.ptr, form, count);
    for (size_t i = 0; i < count; i++)
        if (!add_part(form, &source[i], i, &out, err))
            return false;
    little_put_u32(out.ptr + HEAD_LENGTH, (uint32_t)out.len);
    par_hash(buffer_bytes(&out), &hash);
    memcpy(out.ptr + HEAD_HASH, hash.byte, sizeof hash.byte);
    *ret = out;
    out = (struct buffer){0};
    return true;
}

bool par_make(const struct par_source *source, size_t count, struct buffer *ret, struct error *err)
{
    return check_sources(source, count, err) && make_archive(&ec618_form, source, count, ret, err);
}

bool par_make_ec7xx(const struct par_source *source, size_t count, bool is_long, struct buffer *ret,
                    struct error *err)
{
    return make_archive(&ec7xx_forms[is_long], source, count, ret, err);
}

/* ---- Reading ---- */

bool par_owns(struct bytes bytes)
{
    return bytes.len >= sizeof magic && memcmp(bytes.ptr, magic, sizeof magic) == 0;
}

void par_hash(struct bytes archive, struct sha256 *ret)
{
    uint8_t head[PAR_PROGRESS + PAR_LONG_PROGRESS_BYTES];
    size_t head_bytes = PAR_PROGRESS + progress_bytes(archive);
    struct sha256_state *state = sha256_begin();
    memset(head, 0xFF, sizeof head);
    memcpy(head, archive.ptr, PAR_PROGRESS);
    memset(head + HEAD_HASH, 0, SHA256_SIZE);
    sha256_add(state, head, head_bytes);
    sha256_add(state, archive.ptr + head_bytes, archive.len - head_bytes);
    sha256_end(state, ret);
}

/* Takes the next part from *rest. False: the bytes are not a part. */
static bool read_part(struct bytes *rest, struct par_part *part)
{
    if (rest->len < PAR_PART_BYTES)
        return false;
    const uint8_t *head = rest->ptr;
    uint32_t bits = little_u32(head + PART_BITS);
    size_t head_bytes = bits >> 8 & 0x3FF, package_bytes = little_u32(head + PART_LENGTH);
    if (head_bytes < PAR_PART_BYTES || head_bytes > package_bytes || head_bytes > rest->len)
        return false;
    *part = (struct par_part){
        .head = {head, head_bytes},
        .index = bits & 0xF,
        .reverse = bits & PART_REVERSE,
        .attribute = (bits >> 5 & 7) | (bits >> 20 & 8),
        .segments = bits >> 24,
        .package_bytes = (uint32_t)package_bytes,
        .load_address = little_u32(head + PART_ADDRESS),
        .new_bytes = little_u32(head + PART_NEW),
        .base_bytes = little_u32(head + PART_BASE),
    };
    memcpy(part->base_hash.byte, head + PART_BASE_HASH, SHA256_SIZE);
    memcpy(part->new_hash.byte, head + PART_NEW_HASH, SHA256_SIZE);
    memcpy(part->name, head + PART_NAME, PAR_NAME_BYTES); /* the initialiser set the last byte to NUL */
    size_t taken = package_bytes < rest->len ? package_bytes : rest->len;
    part->payload = (struct bytes){head + head_bytes, taken - head_bytes};
    *rest = (struct bytes){head + taken, rest->len - taken};
    return true;
}

bool par_read(struct bytes bytes, struct par *ret, struct error *err)
{
    if (!par_owns(bytes) || bytes.len < PAR_HEAD_BYTES)
        return error_set(err, ERROR_CORRUPT, "this is not a .par archive");
    size_t progress = progress_bytes(bytes), head_bytes = PAR_PROGRESS + progress;
    if (bytes.len < head_bytes)
        return error_set(err, ERROR_CORRUPT, "the archive is cut off in its head of %zu bytes", head_bytes);
    *ret = (struct par){
        .all = bytes,
        .head = {bytes.ptr, head_bytes},
        .progress_bytes = progress,
        .stated_parts = (bytes.ptr[HEAD_PARTS] & 0xFU) + 1,
        .method = bytes.ptr[HEAD_PARTS] & 0x70U,
        .segment_bytes = bytes.ptr[HEAD_SEGMENT] | (uint32_t)bytes.ptr[HEAD_SEGMENT + 1] << 8,
        .stated_bytes = little_u32(bytes.ptr + HEAD_LENGTH),
        .rest = {bytes.ptr + head_bytes, bytes.len - head_bytes},
    };
    memcpy(ret->stated_hash.byte, bytes.ptr + HEAD_HASH, SHA256_SIZE);
    while (ret->parts < PAR_PARTS_MAX && read_part(&ret->rest, &ret->part[ret->parts]))
        ret->parts++;
    return true;
}

bool par_check(const struct par *par, struct error *err)
{
    if (par->stated_bytes > par->all.len)
        return error_set(err, ERROR_CORRUPT,
                         "the archive is cut off: its head states %u bytes, and it has %zu",
                         par->stated_bytes, par->all.len);
    if (par->stated_bytes < par->all.len)
        return error_set(err, ERROR_CORRUPT, "%zu bytes follow after the archive",
                         par->all.len - par->stated_bytes);
    struct sha256 hash;
    par_hash(par->all, &hash);
    if (!sha256_equal(&hash, &par->stated_hash))
        return error_set(err, ERROR_CORRUPT, "the archive is damaged: it does not have the stated hash");
    if (par->parts == 0)
        return error_set(err, ERROR_CORRUPT, "the archive has no package");
    const struct par_part *last = &par->part[par->parts - 1];
    if (par->rest.len > 0 || last->head.len + last->payload.len != last->package_bytes)
        return error_set(err, ERROR_CORRUPT, "the packages of the archive do not fill it");
    return par->parts == par->stated_parts ||
           error_set(err, ERROR_CORRUPT, "the archive has %u packages, and its head states %u", par->parts,
                     par->stated_parts);
}

bool par_check_parts(const struct par *par, struct error *err)
{
    unsigned int segments = 0;
    for (unsigned int i = 0; i < par->parts; i++) {
        segments += par->part[i].segments;
        for (unsigned int k = 0; k < i; k++)
            if (par->part[i].attribute == par->part[k].attribute)
                return error_set(err, ERROR_CORRUPT, "two packages of the archive change %s",
                                 par_attribute_name(par->part[i].attribute));
    }
    return segments <= PAR_SEGMENTS_MAX ||
           error_set(err, ERROR_CORRUPT, "the archive has %u segments; a module accepts %d", segments,
                     PAR_SEGMENTS_MAX);
}

bool par_check_base(const struct par_part *part, struct bytes old, struct error *err)
{
    struct sha256 hash;
    char is[SHA256_HEX_SIZE], wanted[SHA256_HEX_SIZE];
    sha256_of(old.ptr, old.len, &hash);
    if (part->base_bytes == old.len && sha256_equal(&hash, &part->base_hash))
        return true;
    sha256_hex(&hash, is);
    sha256_hex(&part->base_hash, wanted);
    return error_set(
        err, ERROR_INVALID,
        "the package is for another old image: its base %s has %u bytes and SHA-256 %s, the old image "
        "has %zu and %s",
        par_attribute_name(part->attribute), part->base_bytes, wanted, old.len, is);
}
