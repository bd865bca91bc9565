/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Chooses where a stream is cut into bzip2 blocks. Each block costs a head and its tables, and saves bits
   when its content is uniform. */
#ifndef DFOTA_DELTA_BZIP2_CUTS_H
#define DFOTA_DELTA_BZIP2_CUTS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/bzip2/tables.h"

struct bzip_cuts { /* block i is [at[i], at[i + 1]) of the stream. Free with bzip_cuts_free(). */
    size_t blocks;
    size_t *at;   /* blocks + 1 entries */
    size_t *bits; /* approximate bits of each block */
};

/* `limit` is the largest block, at most BZIP_LARGE_BLOCK. ERROR_INTERNAL: no memory. */
bool bzip_cuts_choose(struct bytes plain, size_t limit, enum bzip_effort effort, struct bzip_cuts *ret,
                      struct error *err) __attribute__((warn_unused_result));

void bzip_cuts_free(struct bzip_cuts *cuts);

/* The size of a block, in bits. */
size_t bzip_cuts_block_bits(const struct bzip_symbols *symbols, const struct bzip_tables *tables);

#endif
