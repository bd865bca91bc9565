/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A bzip2 encoder that is slow and makes small streams: it chooses where blocks end, and the best Huffman
   tables for each block. Blocks are as small as the decoder needs. Every bzip2 decoder reads its output. */
#ifndef DFOTA_DELTA_BZIP2_BLOCK_H
#define DFOTA_DELTA_BZIP2_BLOCK_H

#include <stdbool.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/bzip2/tables.h"

/* Compresses `plain` and appends it to *out as one stream. `limit` is the largest block, BZIP_SMALL_BLOCK
   or BZIP_LARGE_BLOCK; the stream has the level for that size. ERROR_INTERNAL: no memory. */
bool bzip_block_add_stream(struct buffer *out, struct bytes plain, size_t limit, enum bzip_effort effort,
                           struct error *err) __attribute__((warn_unused_result));

/* The length of the stream that the effort BZIP_ROUGH gives. Takes half the time of making it. ERROR_INTERNAL: no memory. */
bool bzip_block_measure(struct bytes plain, size_t limit, size_t *ret_len, struct error *err)
    __attribute__((warn_unused_result));

#endif
