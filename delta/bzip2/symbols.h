/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The stages of bzip2 before Huffman coding, for one block: run lengths, Burrows-Wheeler transform, move
   to front, run lengths of zeros. */
#ifndef DFOTA_DELTA_BZIP2_SYMBOLS_H
#define DFOTA_DELTA_BZIP2_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"

/* Largest blocks, in bytes after the first run-length stage. */
#define BZIP_SMALL_BLOCK  8192   /* what the decoder of a module can hold */
#define BZIP_LARGE_BLOCK  899981 /* what stock bzip2 puts into a block at its highest level */
#define BZIP_ALPHABET_MAX 258    /* two run digits, 255 places, the end symbol */

struct bzip_symbols { /* all zeros: empty. Free with bzip_symbols_free(), or reuse for the next block. */
    uint16_t *symbol;
    size_t count; /* includes the end symbol */
    size_t capacity;
    unsigned int alphabet; /* number of possible symbols: 3 to BZIP_ALPHABET_MAX; the last one is the end
                              symbol */
    bool used[256];        /* byte values that the block contains */
    uint32_t origin, crc;
};

/* The first run-length stage divides a run of equal bytes into pieces of at most 255. A piece of four or more
   becomes four bytes and the count of the others. Stock bzip2 makes each piece as long as possible, so the counts
   are as different as the runs. With a unit, a long run begins with pieces of unit, 2 · unit, 4 · unit … bytes, so
   there are fewer different counts, though more of them. A decoder reads both: it must join pieces of runs over
   255. */
#define BZIP_UNIT_STOCK 0 /* pieces as long as possible. Any other unit has 4 to 255 bytes. */

struct bzip_form {
    size_t limit; /* the largest block, in bytes after the first run-length stage */
    unsigned int unit;
};

/* How many bytes at the beginning of `plain` fit into one block. */
size_t bzip_symbols_room(struct bytes plain, struct bzip_form form);

/* The size of `plain` after the first run-length stage, in bytes. */
size_t bzip_symbols_size(struct bytes plain, unsigned int unit);

/* Makes the symbols of one block with the content `plain`, in place of the content of *ret. `plain` must
   not be empty, and its size after the first stage is at most BZIP_LARGE_BLOCK. Needs 7 bytes of memory
   per byte. ERROR_INTERNAL: no memory. */
bool bzip_symbols_make(struct bytes plain, unsigned int unit, struct bzip_symbols *ret, struct error *err)
    __attribute__((warn_unused_result));

void bzip_symbols_free(struct bzip_symbols *symbols); /* leaves it empty; also for _cleanup_ */

#endif
