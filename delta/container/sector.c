/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/container/sector.h"

#include <lzma.h>
#include "base/cleanup.h"
#include "base/little.h"
#include "delta/container/luatos.h"

#define PROPERTIES_BYTES 5
#define DICTIONARY       SECTOR_BLOCK_BYTES
#define DICTIONARY_MIN   4096

/* Offsets in the head. */
#define PACKED_BYTES 4
#define PLAIN_BYTES  8
#define PLAIN_MD5    12
#define BLOCK_BYTES  28
#define ADDRESS      32

/* ---- A block ---- */

/* The options of every known file: lc 3, lp 1, pb 2. The other options decide only the size: with 64 as the
   length of a match that is good enough, scripts become smallest. */
static void set_options(lzma_options_lzma *options, size_t plain_bytes)
{
    *options = (lzma_options_lzma){.dict_size = DICTIONARY,
                                   .lc = 3,
                                   .lp = 1,
                                   .pb = 2,
                                   .mode = LZMA_MODE_NORMAL,
                                   .nice_len = 64,
                                   .mf = LZMA_MF_BT4};
    lzma_set_ext_size(*options, plain_bytes); /* the size is known, so there is no end marker */
}

static uint8_t properties_byte(const lzma_options_lzma *options)
{
    return (uint8_t)((options->pb * 5 + options->lp) * 9 + options->lc);
}

static bool pack_block(struct buffer *out, struct bytes plain, struct error *err)
{
    lzma_options_lzma options;
    set_options(&options, plain.len);
    const lzma_filter filters[] = {{LZMA_FILTER_LZMA1EXT, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    size_t room = plain.len + plain.len / 2 + 1024, used = 0, head = 1 + PROPERTIES_BYTES + 4;
    if (!buffer_reserve(out, head + room, err))
        return false;
    uint8_t *at = out->ptr + out->len;
    if (lzma_raw_buffer_encode(filters, NULL, plain.ptr, plain.len, at + head, &used, room) != LZMA_OK)
        return error_set(err, ERROR_INTERNAL, "liblzma cannot compress %zu bytes", plain.len);
    at[0] = PROPERTIES_BYTES;
    at[1] = properties_byte(&options);
    little_put_u32(at + 2, options.dict_size);
    little_put_u32(at + 6, (uint32_t)used);
    out->len += head + used;
    return true;
}

static bool read_properties(struct bytes properties, lzma_options_lzma *ret, struct error *err)
{
    if (properties.len != PROPERTIES_BYTES)
        return error_set(err, ERROR_CORRUPT, "a block has %zu bytes of LZMA properties, not 5",
                         properties.len);
    uint32_t byte = properties.ptr[0], dictionary = little_u32(properties.ptr + 1);
    ret->lc = byte % 9;
    ret->lp = byte / 9 % 5;
    ret->pb = byte / 45;
    ret->dict_size = dictionary < DICTIONARY_MIN ? DICTIONARY_MIN : dictionary;
    if (byte == 0)
        return error_set(err, ERROR_CORRUPT,
                         "a block has the LZMA properties 0, which a module takes for: not compressed");
    return (ret->pb <= 4 && ret->lc + ret->lp <= 4 && dictionary <= DICTIONARY) ||
           error_set(err, ERROR_CORRUPT, "a block has LZMA properties that are not supported: %02x %08x",
                     byte, dictionary);
}

static bool unpack_block(const struct luatos_block *block, uint8_t *to, size_t bytes, struct error *err)
{
    lzma_options_lzma options = {0};
    if (!read_properties(block->properties, &options, err))
        return false;
    lzma_set_ext_size(options, bytes);
    const lzma_filter filters[] = {{LZMA_FILTER_LZMA1EXT, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    size_t from = 0, used = 0;
    lzma_ret result =
        lzma_raw_buffer_decode(filters, NULL, block->packed.ptr, &from, block->packed.len, to, &used, bytes);
    if (result == LZMA_MEM_ERROR)
        return error_set(err, ERROR_INTERNAL, "no memory to unpack a block");
    return (result == LZMA_OK && used == bytes && from == block->packed.len) ||
           error_set(err, ERROR_CORRUPT, "a block does not unpack to exactly %zu bytes", bytes);
}

/* ---- A sector ---- */

bool sector_pack(struct buffer *out, uint32_t magic, uint32_t address, struct bytes plain, struct error *err)
{
    _cleanup_(buffer_free) struct buffer sector = {0};
    static const uint8_t empty[LUATOS_SECTOR_BYTES];
    if (plain.len == 0 || plain.len > SECTOR_PLAIN_MAX)
        return error_set(err, ERROR_INVALID, "a sector of %zu bytes cannot be packed: it has 1 to %d",
                         plain.len, SECTOR_PLAIN_MAX);
    if (!buffer_add(&sector, empty, sizeof empty, err))
        return false;
    for (size_t at = 0; at < plain.len; at += SECTOR_BLOCK_BYTES) {
        size_t left = plain.len - at;
        struct bytes block = {plain.ptr + at, left < SECTOR_BLOCK_BYTES ? left : SECTOR_BLOCK_BYTES};
        if (!pack_block(&sector, block, err))
            return false;
    }
    size_t packed = sector.len - LUATOS_SECTOR_BYTES;
    if (packed == plain.len)
        return error_set(err, ERROR_INVALID,
                         "the packed data has the same size as the data, and a module refuses that");
    little_put_u32(sector.ptr, magic);
    little_put_u32(sector.ptr + PACKED_BYTES, (uint32_t)packed);
    little_put_u32(sector.ptr + PLAIN_BYTES, (uint32_t)plain.len);
    little_put_u32(sector.ptr + BLOCK_BYTES, SECTOR_BLOCK_BYTES);
    little_put_u32(sector.ptr + ADDRESS, address);
    return luatos_md5(plain, sector.ptr + PLAIN_MD5, err) && buffer_add(out, sector.ptr, sector.len, err);
}

/* What the bootloader refuses, or has no memory for. */
static bool check_head(const struct luatos_sector *sector, struct error *err)
{
    if (sector->packed_bytes > sector->blocks.len)
        return error_set(err, ERROR_CORRUPT, "the common data is cut off: a sector of %u bytes has %zu",
                         sector->packed_bytes, sector->blocks.len);
    if (sector->plain_bytes == 0 || sector->plain_bytes == sector->packed_bytes)
        return error_set(err, ERROR_CORRUPT,
                         "a sector states that it is not compressed, and a module refuses that");
    if (sector->plain_bytes > SECTOR_PLAIN_MAX)
        return error_set(err, ERROR_CORRUPT, "a sector states %u unpacked bytes; the limit is %d",
                         sector->plain_bytes, SECTOR_PLAIN_MAX);
    return sector->block_bytes == SECTOR_BLOCK_BYTES ||
           error_set(err, ERROR_CORRUPT, "a sector has blocks of %u bytes, and a module has memory for %d",
                     sector->block_bytes, SECTOR_BLOCK_BYTES);
}

static bool unpack_blocks(struct bytes blocks, struct sector_plain *ret, size_t bytes, struct error *err)
{
    struct luatos_block block;
    while (ret->bytes.len < bytes) {
        size_t left = bytes - ret->bytes.len, len = left < SECTOR_BLOCK_BYTES ? left : SECTOR_BLOCK_BYTES;
        if (!luatos_block_next(&blocks, &block))
            return error_set(err, ERROR_CORRUPT, "the common data is cut off in a block");
        if (!buffer_reserve(&ret->bytes, len, err) ||
            !unpack_block(&block, ret->bytes.ptr + ret->bytes.len, len, err))
            return false;
        ret->bytes.len += len;
    }
    return blocks.len == 0 ||
           error_set(err, ERROR_CORRUPT, "%zu bytes follow the last block of a sector", blocks.len);
}

bool sector_unpack(struct bytes *common, struct sector_plain *ret, struct error *err)
{
    struct luatos_sector sector;
    uint8_t md5[LUATOS_MD5_BYTES];
    *ret = (struct sector_plain){.magic = 0};
    if (!luatos_sector_read(*common, &sector, err) || !check_head(&sector, err))
        return false;
    ret->magic = sector.magic;
    ret->address = sector.address;
    struct bytes blocks = {sector.blocks.ptr, sector.packed_bytes};
    bool ok = unpack_blocks(blocks, ret, sector.plain_bytes, err) &&
              luatos_md5(buffer_bytes(&ret->bytes), md5, err);
    if (ok && memcmp(md5, sector.md5, sizeof md5) != 0)
        ok = error_set(err, ERROR_CORRUPT, "the unpacked data of a sector does not have the stated MD5");
    if (!ok)
        buffer_free(&ret->bytes);
    *common = (struct bytes){blocks.ptr + blocks.len, sector.blocks.len - blocks.len};
    return ok;
}

bool sector_check_all(struct bytes common, uint32_t magic, struct error *err)
{
    struct sector_plain plain;
    while (common.len > 0) {
        if (!sector_unpack(&common, &plain, err))
            return false;
        buffer_free(&plain.bytes);
        if (plain.magic != magic)
            return error_set(err, ERROR_CORRUPT,
                             "a sector has the magic %08x and the file %08x: a module refuses that",
                             plain.magic, magic);
    }
    return true;
}
