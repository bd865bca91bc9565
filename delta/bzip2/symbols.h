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
    uint32_t origin;
};

/* How many bytes at the beginning of `plain` have at most `limit` bytes after the first run-length stage. */
size_t bzip_symbols_room(struct bytes plain, size_t limit);

/* The size of `plain` after that stage, in bytes. */
size_t bzip_symbols_size(struct bytes plain);

/* Makes the symbols of one block with the content `plain`, in place of the content of *ret. `plain` must
   not be empty, and its size after the first stage is at most BZIP_LARGE_BLOCK. Needs 7 bytes of memory
   per byte. ERROR_INTERNAL: no memory. */
bool bzip_symbols_make(struct bytes plain, struct bzip_symbols *ret, struct error *err)
    __attribute__((warn_unused_result));

/* The steps of bzip_symbols_make(). */

/* The first run-length stage. Returns the number of bytes in `out`. plain_at[i] becomes the place in plain of byte i, unless it is
   NULL. */
size_t bzip_symbols_shorten(struct bytes plain, uint8_t *out, uint32_t *plain_at);

/* Sorts the rotations of `text`, which is not empty. order[i] is the beginning of rotation i, and last[i] the byte before it.
   *ret_origin is the i of the text itself. ERROR_INTERNAL: no memory. */
bool bzip_symbols_sort(struct bytes text, int32_t *order, uint8_t *last, uint32_t *ret_origin,
                       struct error *err) __attribute__((warn_unused_result));

/* Makes the symbols of these bytes: all of *ret but the origin. ERROR_INTERNAL: no memory. */
bool bzip_symbols_code(struct bytes last, struct bzip_symbols *ret, struct error *err)
    __attribute__((warn_unused_result));

void bzip_symbols_free(struct bzip_symbols *symbols); /* leaves it empty; also for _cleanup_ */

#endif
