/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Where to cut a stream into bzip2 blocks: each block costs a head and its tables, and gains where it is of
   one kind. */
#ifndef DFOTA_DELTA_BZIP2_CUTS_H
#define DFOTA_DELTA_BZIP2_CUTS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/buffer.h"
#include "delta/bzip2/tables.h"

struct bzip_cuts { /* block i is [at[i], at[i + 1]) of the stream; free with bzip_cuts_free */
    size_t blocks;
    size_t *at;   /* one more than blocks */
    size_t *bits; /* about what each block takes */
};

/* No block is larger than `limit`, at most BZIP_LARGE_BLOCK. ERROR_INTERNAL: no memory. */
bool bzip_cuts_choose(struct bytes plain, size_t limit, enum bzip_effort effort, struct bzip_cuts *ret,
                      struct error *err) __attribute__((warn_unused_result));

void bzip_cuts_free(struct bzip_cuts *cuts);

/* All bits of a block. */
size_t bzip_cuts_block_bits(const struct bzip_symbols *symbols, const struct bzip_tables *tables);

#endif
