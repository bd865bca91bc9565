/* The stages of bzip2 before its Huffman coding, for one small block: run lengths, Burrows-Wheeler transform,
   move to front, run lengths of zeros. */
#ifndef DFOTA_DELTA_BZIP_SYMBOLS_H
#define DFOTA_DELTA_BZIP_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "delta/bytes.h"

#define BZIP_SMALL_BLOCK  8192 /* bytes after the first run-length stage: what the module's decoder holds */
#define BZIP_ALPHABET_MAX 258  /* two run digits, 255 places, the end */

struct bzip_symbols {
    uint16_t symbol[BZIP_SMALL_BLOCK + 1];
    size_t count;          /* the end symbol included */
    unsigned int alphabet; /* symbols that can occur: 3 to BZIP_ALPHABET_MAX, the end being the last */
    bool used[256];        /* byte values of the block */
    uint32_t origin, crc;
};

/* How many bytes of the beginning of `plain` make at most `limit` after the first run-length stage. */
size_t bzip_symbols_room(struct bytes plain, size_t limit);

/* What `plain` is after that stage. */
size_t bzip_symbols_size(struct bytes plain);

/* Makes the symbols of a block of exactly `plain`: not empty, its size at most BZIP_SMALL_BLOCK.
   ERROR_INTERNAL: no memory. */
bool bzip_symbols_make(struct bytes plain, struct bzip_symbols *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
