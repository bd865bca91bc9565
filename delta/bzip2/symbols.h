/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The stages of bzip2 before its Huffman coding, for one block: run lengths, Burrows-Wheeler transform, move
   to front, run lengths of zeros. */
#ifndef DFOTA_DELTA_BZIP2_SYMBOLS_H
#define DFOTA_DELTA_BZIP2_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/buffer.h"

/* Bytes of a block after the first run-length stage. */
#define BZIP_SMALL_BLOCK  8192   /* what the module's decoder holds */
#define BZIP_LARGE_BLOCK  899981 /* what stock bzip2 puts into one at its highest level */
#define BZIP_ALPHABET_MAX 258    /* two run digits, 255 places, the end */

struct bzip_symbols { /* all zero is empty; free with bzip_symbols_free, or use it for the next block */
    uint16_t *symbol;
    size_t count; /* the end symbol included */
    size_t capacity;
    unsigned int alphabet; /* symbols that can occur: 3 to BZIP_ALPHABET_MAX, the end being the last */
    bool used[256];        /* byte values of the block */
    uint32_t origin, crc;
};

/* How many bytes of the beginning of `plain` make at most `limit` after the first run-length stage. */
size_t bzip_symbols_room(struct bytes plain, size_t limit);

/* What `plain` is after that stage. */
size_t bzip_symbols_size(struct bytes plain);

/* Makes the symbols of a block of exactly `plain`, in place of what *ret held: not empty, its size at most
   BZIP_LARGE_BLOCK. Takes 7 bytes of memory per byte of it meanwhile. ERROR_INTERNAL: no memory. */
bool bzip_symbols_make(struct bytes plain, struct bzip_symbols *ret, struct error *err)
    __attribute__((warn_unused_result));

void bzip_symbols_free(struct bzip_symbols *symbols); /* empties it; for _cleanup_ too */

#endif
