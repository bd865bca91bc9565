/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Files with a head of 92 bytes, for LuatOS and for CSDK on EC7xx. They contain a script, data that
   changes the core, or both. Layout: doc/package-formats.md. The bytes are untrusted. */
#ifndef DFOTA_DELTA_CONTAINER_LUATOS_H
#define DFOTA_DELTA_CONTAINER_LUATOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/bytes.h"
#include "base/error.h"
#include "base/package_format.h"

#define LUATOS_HEAD_BYTES   PACKAGE_FORMAT_LUATOS_HEAD
#define LUATOS_SECTOR_BYTES 36
#define LUATOS_EC618        0xEAF18C16U /* magic number of the head, by chip */
#define LUATOS_EC7XX        0xEAC37218U
#define LUATOS_MD5_BYTES    16
#define LUATOS_CP_FLASH     0x80000000U /* in the address of a sector: the flash of CP */
#define LUATOS_MAIN_FULL    UINT32_MAX  /* the last main version of a full package of CSDK (ec618/full.h) */

/* Offsets of the fields. */
#define LUATOS_CRC        4
#define LUATOS_MAIN       8
#define LUATOS_APP        28
#define LUATOS_BASE       32
#define LUATOS_COMMON     PACKAGE_FORMAT_LUATOS_SCRIPT
#define LUATOS_SDK        56
#define LUATOS_COMMON_MD5 60
#define LUATOS_SDK_MD5    76

/* The magic number for a chip, named as for chip_of_name() in base/chip.h. 0: unknown. */
uint32_t luatos_magic_of(const char *chip);

/* zlib's crc32 of the bytes after the checksum field, without the final inversion. */
uint32_t luatos_head_crc(const uint8_t head[LUATOS_HEAD_BYTES]);

/* All zeros for empty data, as the vendor's tool writes. ERROR_INTERNAL: libcrypto has no MD5. */
bool luatos_md5(struct bytes bytes, uint8_t ret[LUATOS_MD5_BYTES], struct error *err)
    __attribute__((warn_unused_result));

struct luatos_versions { /* zero: any version. The vendor's scripts have only zeros here. */
    uint32_t main[5];    /* the core after the update */
    uint32_t app;
    uint32_t base[5]; /* the core that the file may be applied to */
};

struct luatos_file { /* views into the file, as far as it goes */
    uint32_t magic, crc, real_crc;
    struct luatos_versions versions;
    uint32_t common_bytes, sdk_bytes; /* stated in the head */
    uint8_t common_md5[LUATOS_MD5_BYTES], sdk_md5[LUATOS_MD5_BYTES];
    struct bytes common; /* the script; empty: no script */
    struct bytes sdk;    /* the `.par` that changes the core. Empty: the core stays, and any core may take
                            the file. */
    struct bytes rest;
};

bool luatos_owns(struct bytes bytes); /* whether it begins with either magic number */

/* Whether the head of a file that luatos_owns() states a script. */
bool luatos_has_script(struct bytes bytes);

/* Whether it begins as a full package of CSDK for an EC618 (ec618/full.h). A device with LuatOS or AT firmware
   must not get one. */
bool luatos_owns_full(struct bytes bytes);

/* Reads the file as far as it goes, and checks only the magic number. ERROR_CORRUPT: no such head. */
bool luatos_read(struct bytes bytes, struct luatos_file *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Whether the file is complete and sound: checksum, lengths, MD5 of the common data, and each sector, which is
   unpacked (sector.h). ERROR_CORRUPT with the first fault; ERROR_INTERNAL: no memory. */
bool luatos_check(const struct luatos_file *head, struct error *err) __attribute__((warn_unused_result));

/* ---- The common data (a script): a head of 36 bytes, then blocks that are compressed separately ---- */

struct luatos_sector { /* a view */
    uint32_t magic, packed_bytes, plain_bytes, block_bytes, address;
    uint8_t md5[LUATOS_MD5_BYTES]; /* of the unpacked data */
    struct bytes blocks;
};

struct luatos_block { /* a view */
    struct bytes head, properties, packed;
};

/* Reads the head. ERROR_CORRUPT: no complete head. */
bool luatos_sector_read(struct bytes common, struct luatos_sector *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Takes the next block from *rest. False: no complete block follows, and *rest is what remains. */
bool luatos_block_next(struct bytes *rest, struct luatos_block *ret);

#endif
