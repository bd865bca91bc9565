/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The sectors of the common data: what a module writes to flash as a whole, such as a script. A sector is a
   head of 36 bytes and blocks, each compressed with LZMA by itself. luatos.h reads the head. Layout
   and limits: doc/package-formats.md. */
#ifndef DFOTA_DELTA_CONTAINER_SECTOR_H
#define DFOTA_DELTA_CONTAINER_SECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buffer.h"
#include "base/error.h"

#define SECTOR_BLOCK_BYTES 0x40000 /* of unpacked data; a module has memory for one block */
#define SECTOR_PLAIN_MAX   (16 << 20)

/* Appends a sector that writes `plain` to the address in flash. ERROR_INVALID: `plain` is empty or too large,
   or cannot be compressed; ERROR_INTERNAL: no memory. */
bool sector_pack(struct buffer *out, uint32_t magic, uint32_t address, struct bytes plain, struct error *err)
    __attribute__((warn_unused_result));

struct sector_plain { /* what a module writes */
    uint32_t magic, address;
    struct buffer bytes; /* owned: buffer_free() */
};

/* Takes the next sector from *common, unpacks each block, and compares the MD5. `common` is not empty. Safe on
   hostile data: at most SECTOR_PLAIN_MAX bytes. ERROR_CORRUPT: what a module refuses, or would write wrongly;
   a wrong block makes a module restart for ever. ERROR_INTERNAL: no memory. */
bool sector_unpack(struct bytes *common, struct sector_plain *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Unpacks all sectors and keeps nothing. Each must have the magic of the file. Errors as sector_unpack(). */
bool sector_check_all(struct bytes common, uint32_t magic, struct error *err)
    __attribute__((warn_unused_result));

#endif
