/* A bzip2 encoder for decoders with little memory: blocks of at most BZIP_SMALL_BLOCK bytes, cut where it
   pays, each with the Huffman tables that suit it best. Any bzip2 decodes what it writes. */
#ifndef DFOTA_DELTA_BZIP_BLOCK_H
#define DFOTA_DELTA_BZIP_BLOCK_H

#include <stdbool.h>
#include "base/error.h"
#include "delta/bytes.h"
#include "delta/bzip_tables.h"

/* Appends `plain`, which is not empty, to *out as one stream of level 1. ERROR_INTERNAL: no memory. */
bool bzip_block_add_stream(struct buffer *out, struct bytes plain, enum bzip_effort effort, struct error *err)
    __attribute__((warn_unused_result));

#endif
