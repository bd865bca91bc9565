/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/binpkg_generator.h"

#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/little.h"
#include "delta/container/binpkg.h"
#include "sim/image_generator.h"

#define BLOCKS          36
#define IMAGE_PER_BLOCK 24
#define FLASH_BYTES     0x300000
#define NAME_AT         0
#define ADDRESS_AT      64
#define FLASH_AT        68
#define TYPE_AT         336

static bool add_entry(const char *name, const char *type, uint32_t address, struct bytes part,
                      struct buffer *out, struct error *err)
{
    uint8_t head[BINPKG_ENTRY_BYTES] = {0};
    struct sha256 hash;
    char hex[SHA256_HEX_SIZE];
    sha256_of(part.ptr, part.len, &hash);
    sha256_hex(&hash, hex);
    memcpy(head + NAME_AT, name, strlen(name));
    little_put_u32(head + ADDRESS_AT, address);
    little_put_u32(head + FLASH_AT, FLASH_BYTES);
    little_put_u32(head + BINPKG_ENTRY_SIZE, (uint32_t)part.len);
    memcpy(head + BINPKG_ENTRY_HASH, hex, SHA256_HEX_SIZE - 1);
    memcpy(head + TYPE_AT, type, strlen(type));
    return buffer_add(out, head, sizeof head, err) && buffer_add(out, part.ptr, part.len, err);
}

/* Bytes that cannot be compressed, like packed data. */
static bool add_block(uint32_t seed, uint64_t block, uint64_t revision, size_t len, struct buffer *out,
                      struct error *err)
{
    for (size_t done = 0, n = 0; done < len; n++) {
        char text[96];
        struct sha256 hash;
        int text_len = snprintf(text, sizeof text, "%u %llu %llu %zu", seed, (unsigned long long)block,
                                (unsigned long long)revision, n);
        size_t more = len - done < SHA256_SIZE ? len - done : SHA256_SIZE;
        sha256_of(text, (size_t)text_len, &hash);
        if (!buffer_add(out, hash.byte, more, err))
            return false;
        done += more;
    }
    return true;
}

static bool make_ap(const char *release, size_t image_bytes, uint32_t seed, struct buffer *ret,
                    struct error *err)
{
    uint64_t number = release_number(release);
    if (!image_generator_make(release, image_bytes, seed, ret, err))
        return false;
    for (uint64_t block = 0; block < BLOCKS; block++)
        if (!add_block(seed, block, (number + block) / BLOCKS, image_bytes / IMAGE_PER_BLOCK, ret, err))
            return false;
    return true;
}

bool binpkg_generator_make(const char *release, size_t image_bytes, uint32_t seed, struct buffer *ret,
                           struct error *err)
{
    static const char bootloader[] = "generated bootloader";
    static const uint8_t head[BINPKG_HEAD_BYTES];
    _cleanup_(buffer_free) struct buffer ap = {0}, cp = {0}, out = {0};
    if (!make_ap(release, image_bytes, seed, &ap, err) ||
        !image_generator_make(release, image_bytes / 2, seed + 1, &cp, err) ||
        !buffer_add(&out, head, sizeof head, err) ||
        !add_entry("ap_bootloader", "BL", 0x804000,
                   (struct bytes){(const uint8_t *)bootloader, sizeof bootloader}, &out, err) ||
        !add_entry("ap", "AP", 0x824000, buffer_bytes(&ap), &out, err) ||
        !add_entry("cp-demo-flash", "CP", 0x800000, buffer_bytes(&cp), &out, err))
        return false;
    *ret = out;
    out = (struct buffer){0};
    return true;
}
