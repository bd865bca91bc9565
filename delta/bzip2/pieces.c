/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bzip2/pieces.h"

#include <stdlib.h>
#include "base/cleanup.h"

bool bzip_pieces_sort(struct bytes plain, struct bzip_pieces *ret, struct error *err)
{
    size_t size = bzip_symbols_size(plain);
    _cleanup_(cleanup_free) uint8_t *text = malloc(size);
    uint32_t origin;
    *ret = (struct bzip_pieces){
        .len = size,
        .order = malloc(size * sizeof *ret->order),
        .last = malloc(size),
        .plain_at = malloc(size * sizeof *ret->plain_at),
        .picked = malloc(size),
    };
    if (!text || !ret->order || !ret->last || !ret->plain_at || !ret->picked)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    bzip_symbols_shorten(plain, text, ret->plain_at);
    return bzip_symbols_sort((struct bytes){text, size}, ret->order, ret->last, &origin, err);
}

/* The first place whose byte is at `at` of the stream, or after that. */
static size_t find_place(const struct bzip_pieces *pieces, size_t at)
{
    size_t low = 0, high = pieces->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pieces->plain_at[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t bzip_pieces_size(const struct bzip_pieces *pieces, size_t from, size_t to)
{
    return find_place(pieces, to) - find_place(pieces, from);
}

bool bzip_pieces_symbols(const struct bzip_pieces *pieces, size_t from, size_t to, struct bzip_symbols *ret,
                         struct error *err)
{
    uint32_t begin = (uint32_t)find_place(pieces, from), len = (uint32_t)bzip_pieces_size(pieces, from, to);
    uint8_t *out = pieces->picked;
    size_t count = 0;
    for (size_t i = 0; i < pieces->len && count < len;
         i++) { /* without a branch, which would often be guessed wrong */
        out[count] = pieces->last[i];
        count += (uint32_t)pieces->order[i] - begin < len;
    }
    return bzip_symbols_code((struct bytes){out, len}, ret, err);
}

void bzip_pieces_free(struct bzip_pieces *pieces)
{
    free(pieces->order);
    free(pieces->last);
    free(pieces->plain_at);
    free(pieces->picked);
    *pieces = (struct bzip_pieces){0};
}
