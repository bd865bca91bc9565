/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A bzip2 encoder that takes its time: blocks as small as the decoder needs them, cut where it pays, each
   with the Huffman tables that suit it best. Any bzip2 decodes what it writes. */
#ifndef DFOTA_DELTA_BZIP2_BLOCK_H
#define DFOTA_DELTA_BZIP2_BLOCK_H

#include <stdbool.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/bzip2/tables.h"

/* Appends `plain` to *out as one stream, of the level that blocks of at most `limit` bytes need; that is
   BZIP_SMALL_BLOCK or BZIP_LARGE_BLOCK. ERROR_INTERNAL: no memory. */
bool bzip_block_add_stream(struct buffer *out, struct bytes plain, size_t limit, enum bzip_effort effort,
                           struct error *err) __attribute__((warn_unused_result));

#endif
