/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Helpers for the tests of the EC618's containers: the headers of the known sample, made from the table
   of the layout, and a .binpkg. The caller frees returned buffers. */
#ifndef DFOTA_TESTS_UNIT_DELTA_CONTAINER_TEST_CONTAINERS_H
#define DFOTA_TESTS_UNIT_DELTA_CONTAINER_TEST_CONTAINERS_H

#include "tests/unit/delta/test-delta.h"

#include <stdio.h>
#include "base/sha256.h"
#include "base/little.h"

static inline struct bytes text_bytes(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static inline void must_add_u32(struct buffer *buffer, uint32_t value)
{
    uint8_t bytes[4];
    little_put_u32(bytes, value);
    must_add(buffer, bytes, sizeof bytes);
}

/* Corrects the hash after bytes were changed. Bytes 44 to 83 count as FF. */
static inline void seal_par(struct bytes archive, uint8_t *at)
{
    struct buffer seen = {0};
    struct sha256 hash;
    must_add(&seen, archive.ptr, archive.len);
    memset(seen.ptr + 12, 0, 32);
    memset(seen.ptr + 44, 0xFF, 40);
    sha256_of(seen.ptr, seen.len, &hash);
    memcpy(at + 12, hash.byte, 32);
    buffer_free(&seen);
}

/* An archive with the headers from the table of the layout and one package with that payload, in `NorO`.
   The hashes are those of `base` and `new`. */
static inline struct buffer sample_par(struct bytes base, struct bytes new, struct bytes payload)
{
    struct buffer made = {0};
    struct sha256 hash;
    must_add(&made, "\xEC\xDF\x20\x40\0\0\0\x80", 8);
    must_add_u32(&made, (uint32_t)(84 + 0x70 + payload.len));
    must_fill(&made, 0, 32);
    must_fill(&made, 0xFF, 40);
    must_add_u32(&made, 2 << 5 | 0x70 << 8 | (uint32_t)((new.len + 32767) / 32768) << 24);
    must_add_u32(&made, (uint32_t)(0x70 + payload.len));
    must_add_u32(&made, 0);
    must_add_u32(&made, 0x24000);
    must_add_u32(&made, (uint32_t) new.len);
    must_add_u32(&made, (uint32_t)base.len);
    sha256_of(base.ptr, base.len, &hash);
    must_add(&made, hash.byte, 32);
    must_add(&made, "\x03\x24\0\0", 4);
    sha256_of(new.ptr, new.len, &hash);
    must_add(&made, hash.byte, 32);
    must_add(&made,
             "\0\x14"
             "EC618_AP.par\0\0\0\0\0\0",
             20);
    must_add(&made, payload.ptr, payload.len);
    sha256_of(made.ptr, made.len, &hash);
    memcpy(made.ptr + 12, hash.byte, 32);
    return made;
}

static inline void add_binpkg_entry(struct buffer *out, const char *name, const char *type, uint32_t address,
                                    struct bytes image)
{
    char hex[SHA256_HEX_SIZE];
    struct sha256 hash;
    size_t at = out->len;
    must_fill(out, 0, 364);
    uint8_t *head = out->ptr + at;
    memcpy(head, name, strlen(name));
    little_put_u32(head + 64, address);
    little_put_u32(head + 68, 0x300000);
    little_put_u32(head + 72, 0);
    little_put_u32(head + 76, (uint32_t)image.len);
    sha256_of(image.ptr, image.len, &hash);
    sha256_hex(&hash, hex);
    memcpy(head + 80, hex, 64);
    memcpy(head + 336, type, strlen(type));
    must_add(out, image.ptr, image.len);
}

/* A head, a bootloader, AP and CP. All bytes of the file head are `head`, so that two files can differ
   only there. */
static inline struct buffer sample_binpkg(uint8_t head, struct bytes ap, struct bytes cp)
{
    struct buffer made = {0};
    must_fill(&made, head, 52);
    add_binpkg_entry(&made, "ap_bootloader", "BL", 0x00804000, text_bytes("the bootloader"));
    add_binpkg_entry(&made, "ap", "AP", 0x00824000, ap);
    add_binpkg_entry(&made, "cp-demo-flash", "CP", 0x00800000, cp);
    return made;
}

#endif
