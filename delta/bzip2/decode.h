/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* bzip2 as a module with little memory reads it: a decoder of our own, which knows how large each block was
   and refuses what the device would refuse. libbz2 tells neither. */
#ifndef DFOTA_DELTA_BZIP2_DECODE_H
#define DFOTA_DELTA_BZIP2_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"

struct bzip_limits {
    size_t block_bytes; /* of a block after bzip2's first run-length stage */
    size_t plain_bytes; /* of the whole stream, unpacked */
};

struct bzip_shape { /* what a stream looks like inside, for those who explain it */
    size_t blocks;
    size_t largest_block;                    /* bytes after the first run-length stage */
    unsigned int fewest_tables, most_tables; /* Huffman tables of a block; 0 without any block */
};

/* Unpacks the one stream of level 1 that `packed` consists of and appends it to *out. Any bytes are safe:
   memory for one block and for what was really unpacked, work in proportion to it and to packed.len. `shape`
   may be NULL. ERROR_CORRUPT: not exactly one sound stream, or over a limit, or with a block that is
   randomised or has a single table; ERROR_INTERNAL: no memory. On failure *out may have grown. */
bool bzip_decode(struct bytes packed, struct bzip_limits limits, struct buffer *out, struct bzip_shape *shape,
                 struct error *err) __attribute__((warn_unused_result));

#define BZIP_CRC_START 0xFFFFFFFFU /* inverted once more at the end */

uint32_t bzip_crc_add(uint32_t crc, uint8_t byte);                  /* over the bytes of a block */
uint32_t bzip_crc_combine(uint32_t stream_crc, uint32_t block_crc); /* over the blocks of a stream, from 0 */

#endif
