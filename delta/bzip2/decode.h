/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A bzip2 decoder with the limits of a module that has little memory. It knows the size of each block and
   refuses what the module would refuse. libbz2 can do neither. */
#ifndef DFOTA_DELTA_BZIP2_DECODE_H
#define DFOTA_DELTA_BZIP2_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"

struct bzip_limits {
    size_t block_bytes; /* largest block after bzip2's first run-length stage */
    size_t plain_bytes; /* largest unpacked stream */
};

struct bzip_shape { /* the structure of a stream, for `dfota inspect` */
    size_t blocks;
    size_t largest_block;                    /* in bytes after the first run-length stage */
    unsigned int fewest_tables, most_tables; /* number of Huffman tables in a block; 0: no block */
};

/* Unpacks `packed`, which must be exactly one stream of level 1, and appends the content to *out. Any
   bytes are safe: takes memory for one block and for the unpacked bytes, and the work is proportional to
   these and to packed.len. `shape` may be NULL. ERROR_CORRUPT: not exactly one sound stream, over a
   limit, a randomised block, or a block with a single table; ERROR_INTERNAL: no memory. On failure *out
   may have grown. */
bool bzip_decode(struct bytes packed, struct bzip_limits limits, struct buffer *out, struct bzip_shape *shape,
                 struct error *err) __attribute__((warn_unused_result));

#define BZIP_CRC_START 0xFFFFFFFFU /* the result is inverted at the end */

uint32_t bzip_crc_add(uint32_t crc, uint8_t byte);                  /* adds a byte of a block */
uint32_t bzip_crc_combine(uint32_t stream_crc, uint32_t block_crc); /* adds the checksum of a block to
                                                                       that of the stream, which starts at
                                                                       0 */

#endif
