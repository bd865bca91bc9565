/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bzip2/symbols.h"

#include <divsufsort.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"

#define RUN_COUNTED 4   /* after this number of equal bytes there is always a count of further equal bytes */
#define RUN_MAX     255 /* as in stock bzip2 */

static size_t run_length(struct bytes plain, size_t at)
{
    size_t limit = plain.len - at < RUN_MAX ? plain.len - at : RUN_MAX;
    size_t run = 1;
    while (run < limit && plain.ptr[at + run] == plain.ptr[at])
        run++;
    return run;
}

size_t bzip_symbols_room(struct bytes plain, size_t limit)
{
    size_t at = 0, size = 0;
    while (at < plain.len) {
        size_t run = run_length(plain, at);
        size += run < RUN_COUNTED ? run : RUN_COUNTED + 1;
        if (size > limit)
            break;
        at += run;
    }
    return at;
}

size_t bzip_symbols_size(struct bytes plain)
{
    size_t size = 0, run;
    for (size_t at = 0; at < plain.len; at += run) {
        run = run_length(plain, at);
        size += run < RUN_COUNTED ? run : RUN_COUNTED + 1;
    }
    return size;
}

size_t bzip_symbols_shorten(struct bytes plain, uint8_t *out, uint32_t *plain_at)
{
    size_t size = 0;
    for (size_t at = 0; at < plain.len;) {
        size_t run = run_length(plain, at);
        size_t kept = run < RUN_COUNTED ? run : RUN_COUNTED;
        for (size_t i = 0; i < kept; i++) {
            if (plain_at)
                plain_at[size] = (uint32_t)(at + i);
            out[size++] = plain.ptr[at];
        }
        if (run >= RUN_COUNTED) {
            if (plain_at)
                plain_at[size] = (uint32_t)(at + RUN_COUNTED - 1);
            out[size++] = (uint8_t)(run - RUN_COUNTED);
        }
        at += run;
    }
    return size;
}

/* The beginning of the smallest rotation of the text. */
static size_t least_rotation(const uint8_t *text, size_t len)
{
    size_t best = 0, other = 1, same = 0;
    while (other < len && same < len) {
        size_t a = best + same, b = other + same;
        a -= a < len ? 0 : len;
        b -= b < len ? 0 : len;
        if (text[a] == text[b]) {
            same++;
            continue;
        }
        if (text[a] < text[b]) {
            other += same + 1;
        } else {
            size_t next = best + same + 1;
            best = other;
            other = next > other ? next : other + 1;
        }
        same = 0;
    }
    return best;
}

/* Sorts all rotations. When the text begins with its smallest rotation, its rotations sort like its
   suffixes, because the bytes that follow a suffix in a rotation are the smallest ones. Equal rotations
   end in equal bytes, so their order does not matter. */
bool bzip_symbols_sort(struct bytes text, int32_t *order, uint8_t *last, uint32_t *ret_origin,
                       struct error *err)
{
    size_t len = text.len, least = least_rotation(text.ptr, len);
    _cleanup_(cleanup_free) uint8_t *turned = malloc(len);
    if (!turned)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    memcpy(turned, text.ptr + least, len - least);
    memcpy(turned + len - least, text.ptr, least);
    if (divsufsort(turned, order, (int32_t)len) != 0)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    size_t first = least ? len - least : 0; /* index of the beginning of the text */
    for (size_t i = 0; i < len; i++) {
        size_t at = (size_t)order[i];
        if (at == first)
            *ret_origin = (uint32_t)i;
        last[i] = turned[at ? at - 1 : len - 1];
        order[i] = (int32_t)(at < len - least ? at + least : at + least - len);
    }
    return true;
}

/* Adds a run of zeros as digits of value 1 and 2, lowest digit first. */
static void add_zeros(struct bzip_symbols *s, size_t zeros)
{
    for (; zeros > 0; zeros = (zeros - 1) / 2)
        s->symbol[s->count++] = zeros % 2 ? 0 : 1;
}

/* Moves the byte, which is in the order, to the front. Returns its place before. Searches and moves eight bytes at a time. */
static size_t move_to_front(uint8_t *order, uint8_t byte)
{
    const uint64_t ones = 0x0101010101010101ULL;
    uint64_t before = byte; /* what comes before the next eight bytes, in the low byte */
    for (size_t at = 0;; at += 8) {
        uint64_t eight;
        memcpy(&eight, order + at, 8);
        eight = le64toh(eight);
        uint64_t same = eight ^ ones * byte;
        same = (same - ones) & ~same & ones << 7; /* the lowest bit that is set is in the first equal byte */
        uint64_t moved = eight << 8 | before;
        before = eight >> 56;
        if (same) {
            unsigned int bits =
                (unsigned int)__builtin_ctzll(same) + 1; /* of the bytes up to the equal one */
            uint64_t mask = bits < 64 ? (1ULL << bits) - 1 : UINT64_MAX;
            moved = htole64((moved & mask) | (eight & ~mask));
            memcpy(order + at, &moved, 8);
            return at + bits / 8 - 1;
        }
        moved = htole64(moved);
        memcpy(order + at, &moved, 8);
    }
}

static void code_places(const uint8_t *last, size_t len, struct bzip_symbols *s)
{
    uint8_t order[256] = {0};
    unsigned int values = 0;
    for (unsigned int i = 0; i < 256; i++)
        if (s->used[i])
            order[values++] = (uint8_t)i;
    s->alphabet = values + 2;
    s->count = 0;
    size_t zeros = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = last[i];
        if (byte == order[0]) {
            zeros++;
            continue;
        }
        add_zeros(s, zeros);
        zeros = 0;
        s->symbol[s->count++] = (uint16_t)(move_to_front(order, byte) + 1);
    }
    add_zeros(s, zeros);
    s->symbol[s->count++] = (uint16_t)(values + 1);
}

static bool make_room(struct bzip_symbols *s, size_t count, struct error *err)
{
    if (count <= s->capacity)
        return true;
    uint16_t *grown = reallocarray(s->symbol, count, sizeof *grown);
    if (!grown)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    s->symbol = grown;
    s->capacity = count;
    return true;
}

bool bzip_symbols_code(struct bytes last, struct bzip_symbols *ret, struct error *err)
{
    if (!make_room(ret, last.len + 1, err))
        return false;
    memset(ret->used, 0, sizeof ret->used);
    for (size_t i = 0; i < last.len; i++)
        ret->used[last.ptr[i]] = true;
    code_places(last.ptr, last.len, ret);
    return true;
}

bool bzip_symbols_make(struct bytes plain, struct bzip_symbols *ret, struct error *err)
{
    size_t room = plain.len + plain.len / RUN_COUNTED; /* four equal bytes become five bytes */
    room = room < BZIP_LARGE_BLOCK ? room : BZIP_LARGE_BLOCK;
    _cleanup_(cleanup_free) uint8_t *text = malloc(room), *last = malloc(room);
    _cleanup_(cleanup_free) int32_t *order = malloc(room * sizeof *order);
    if (!text || !last || !order)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    size_t len = bzip_symbols_shorten(plain, text, NULL);
    return bzip_symbols_sort((struct bytes){text, len}, order, last, &ret->origin, err) &&
           bzip_symbols_code((struct bytes){last, len}, ret, err);
}

void bzip_symbols_free(struct bzip_symbols *symbols)
{
    free(symbols->symbol);
    *symbols = (struct bzip_symbols){0};
}
