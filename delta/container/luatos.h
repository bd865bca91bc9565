/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The file with a head of 92 bytes that LuatOS, and CSDK on EC7xx, take: a script, what changes the core, or
   both. Layout: doc/package-formats.md. Pure; the bytes are untrusted. */
#ifndef DFOTA_DELTA_CONTAINER_LUATOS_H
#define DFOTA_DELTA_CONTAINER_LUATOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/bytes.h"
#include "base/error.h"

#define LUATOS_HEAD_BYTES   92
#define LUATOS_SECTOR_BYTES 36
#define LUATOS_EC618        0xEAF18C16U /* magic of the head, by chip */
#define LUATOS_EC7XX        0xEAC37218U
#define LUATOS_MD5_BYTES    16

/* Where its fields stand. */
#define LUATOS_CRC        4
#define LUATOS_MAIN       8
#define LUATOS_APP        28
#define LUATOS_BASE       32
#define LUATOS_COMMON     52
#define LUATOS_SDK        56
#define LUATOS_COMMON_MD5 60
#define LUATOS_SDK_MD5    76

/* zlib's crc32 over the head behind this field, but without the final inversion. */
uint32_t luatos_head_crc(const uint8_t head[LUATOS_HEAD_BYTES]);

/* Of nothing it is all zero, as the vendor's tool writes it. ERROR_INTERNAL: libcrypto has no MD5. */
bool luatos_md5(struct bytes bytes, uint8_t ret[LUATOS_MD5_BYTES], struct error *err)
    __attribute__((warn_unused_result));

struct luatos_versions { /* zero asks for nothing: the vendor's scripts leave all of it zero */
    uint32_t main[5];    /* of the core that it leads to */
    uint32_t app;
    uint32_t base[5]; /* of the core that it may be applied to */
};

struct luatos_file { /* views; cut short where the file is */
    uint32_t magic, crc, real_crc;
    struct luatos_versions versions;
    uint32_t common_bytes, sdk_bytes; /* as stated */
    uint8_t common_md5[LUATOS_MD5_BYTES], sdk_md5[LUATOS_MD5_BYTES];
    struct bytes common; /* a sector, for scripts; empty without one */
    struct bytes sdk;    /* the `.par`; empty: only the script changes, and any core may take it */
    struct bytes rest;
};

bool luatos_owns(struct bytes bytes); /* either chip's */

/* Reads what is there and checks nothing but the magic. ERROR_CORRUPT: no such head. */
bool luatos_read(struct bytes bytes, struct luatos_file *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Whether it is whole and sound: crc, lengths, MD5 of the common data, the common data's own head. Packed
   data is not unpacked. ERROR_CORRUPT says what is wrong; ERROR_INTERNAL: libcrypto has no MD5. */
bool luatos_check(const struct luatos_file *head, struct error *err) __attribute__((warn_unused_result));

/* ---- The common data of such a file: a head of 36 bytes and blocks, each packed by itself ---- */

struct luatos_sector { /* a view */
    uint32_t magic, packed_bytes, plain_bytes, block_bytes, address;
    uint8_t md5[LUATOS_MD5_BYTES]; /* of the unpacked data */
    struct bytes blocks;
};

struct luatos_block { /* a view */
    struct bytes head, properties, packed;
};

/* ERROR_CORRUPT: not even the head is there. */
bool luatos_sector_read(struct bytes common, struct luatos_sector *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Takes the next block off the front of *rest. False at the end or where none stands, then *rest is what was
   not understood. */
bool luatos_block_next(struct bytes *rest, struct luatos_block *ret);

#endif
