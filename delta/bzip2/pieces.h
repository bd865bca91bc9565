/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The approximate symbols of any piece of a stream. The stream is sorted once. The order of a piece is taken from that order, so
   measuring a piece needs no sorting. */
#ifndef DFOTA_DELTA_BZIP2_PIECES_H
#define DFOTA_DELTA_BZIP2_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buffer.h"
#include "base/error.h"
#include "delta/bzip2/symbols.h"

struct bzip_pieces {    /* all zeros: empty. Free with bzip_pieces_free(). */
    size_t len;         /* after the first run-length stage */
    int32_t *order;     /* the place of each rotation, sorted */
    uint8_t *last;      /* the byte before each rotation, in that order */
    uint32_t *plain_at; /* where each byte is in the stream before that stage */
    uint8_t *picked;    /* room for the bytes of one piece */
};

/* `plain` is not empty. Needs 10 bytes of memory per byte after the first run-length stage, and 5 more during the call.
   ERROR_INTERNAL: no memory. */
bool bzip_pieces_sort(struct bytes plain, struct bzip_pieces *ret, struct error *err)
    __attribute__((warn_unused_result));

/* The number of bytes that [from, to) of the stream has after the first run-length stage, nearly. */
size_t bzip_pieces_size(const struct bzip_pieces *pieces, size_t from, size_t to);

/* Makes nearly the symbols that a block [from, to) would have, in place of the content of *ret: bytes near its end may be sorted
   differently. The piece is not empty. Only for measuring. ERROR_INTERNAL: no memory. */
bool bzip_pieces_symbols(const struct bzip_pieces *pieces, size_t from, size_t to, struct bzip_symbols *ret,
                         struct error *err) __attribute__((warn_unused_result));

void bzip_pieces_free(struct bzip_pieces *pieces); /* leaves it empty */

#endif
