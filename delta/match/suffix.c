/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/match/suffix.h"

#include <divsufsort.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include "base/sha256.h"

#define PAIRS 65536 /* values of a pair of bytes */

/* The head of an index file. The order of the suffixes follows. Numbers have the byte order of the
   machine. */
struct head {
    char magic[8];
    uint32_t byte_order;
    uint32_t entry_size;
    struct sha256 text, order;
};

static const struct head plain_head = {
    .magic = "DFOTASUF", .byte_order = 0x01020304, .entry_size = sizeof(int32_t)};

/* `start[p]` is the first place in `order` of a suffix that begins with the pair of bytes p (high byte
   first). This saves sixteen steps of each binary search, with two cache misses each. `seen` has one bit
   for the hash of each word of the text. */
struct suffix {
    struct bytes text;
    struct buffer file; /* the head, then `order` */
    const int32_t *order;
    uint64_t *seen;
    size_t seen_words;
    uint32_t start[PAIRS + 1];
};

static void count_pairs(struct suffix *index)
{
    const uint8_t *text = index->text.ptr;
    size_t len = index->text.len;
    for (size_t i = 0; i + 1 < len; i++)
        index->start[(text[i] << 8 | text[i + 1]) + 1]++;
    if (len > 0) /* the last suffix is a single byte, which sorts directly before that byte followed by 0 */
        index->start[(text[len - 1] << 8) + 1]++;
    for (size_t p = 0; p < PAIRS; p++)
        index->start[p + 1] += index->start[p];
}

/* The place of a word's bit in `seen`. The upper half of the hash chooses the 64 bits, the lower half one of
   them. */
static size_t place_word(const struct suffix *index, const uint8_t *at, uint64_t *ret_bit)
{
    uint64_t word;
    memcpy(&word, at, SUFFIX_WORD);
    uint64_t hash = word * 0x9E3779B97F4A7C15ULL;
    *ret_bit = 1ULL << (hash >> 26 & 63);
    return (size_t)((hash >> 32) * index->seen_words >> 32);
}

/* Eight bits per word, so that few absent words are reported as possible: one byte per byte of text. */
static bool note_words(struct suffix *index, struct error *err)
{
    uint64_t bit;
    index->seen_words = index->text.len / 8 + 1;
    index->seen = calloc(index->seen_words, sizeof *index->seen);
    if (!index->seen)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (size_t i = 0; i + SUFFIX_WORD <= index->text.len; i++) {
        size_t place = place_word(index, index->text.ptr + i, &bit);
        index->seen[place] |= bit;
    }
    return true;
}

bool suffix_may_have(const struct suffix *index, struct bytes wanted)
{
    uint64_t bit;
    if (wanted.len < SUFFIX_WORD)
        return false;
    size_t place = place_word(index, wanted.ptr, &bit);
    return (index->seen[place] & bit) != 0;
}

static bool new_index(struct bytes text, struct suffix **ret, struct error *err)
{
    if (text.len > SUFFIX_MAX_TEXT)
        return error_set(err, ERROR_TOO_LARGE,
                         "an old image of %zu bytes cannot be indexed: the limit is %zu", text.len,
                         SUFFIX_MAX_TEXT);
    struct suffix *index = calloc(1, sizeof *index);
    if (!index)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    index->text = text;
    *ret = index;
    return true;
}

/* Builds the other tables from `order`. */
static bool finish(struct suffix *index, struct error *err)
{
    index->order = (const int32_t *)(const void *)(index->file.ptr + sizeof(struct head));
    count_pairs(index);
    return note_words(index, err);
}

size_t suffix_file_size(size_t text_len)
{
    return sizeof(struct head) + text_len * sizeof(int32_t);
}

bool suffix_build(struct bytes text, struct suffix **ret, struct error *err)
{
    struct suffix *index;
    if (!new_index(text, &index, err))
        return false;
    bool ok = buffer_reserve(&index->file, suffix_file_size(text.len), err);
    if (ok) {
        int32_t *order = (int32_t *)(void *)(index->file.ptr + sizeof(struct head));
        ok = text.len == 0 || divsufsort(text.ptr, order, (int32_t)text.len) == 0 ||
             error_set(err, ERROR_INTERNAL, "out of memory: the index takes %zu bytes", text.len * 4);
    }
    if (!ok || !finish(index, err)) {
        suffix_free(index);
        return false;
    }
    index->file.len = suffix_file_size(text.len);
    *ret = index;
    return true;
}

static void make_head(const struct suffix *index, struct head *ret)
{
    *ret = plain_head;
    sha256_of(index->text.ptr, index->text.len, &ret->text);
    sha256_of(index->file.ptr + sizeof *ret, index->file.len - sizeof *ret, &ret->order);
}

struct bytes suffix_seal(struct suffix *index)
{
    struct head head;
    make_head(index, &head);
    memcpy(index->file.ptr, &head, sizeof head);
    return buffer_bytes(&index->file);
}

static bool is_within(const int32_t *order, size_t count)
{
    uint32_t most = 0;
    for (size_t i = 0; i < count; i++)
        most = (uint32_t)order[i] > most ? (uint32_t)order[i] : most;
    return count == 0 || most < count;
}

/* Whether the index was given the whole file of its text. */
static bool check_file(const struct suffix *index, struct error *err)
{
    struct head head;
    if (index->file.len != suffix_file_size(index->text.len))
        return error_set(err, ERROR_CORRUPT, "the index has %zu bytes, not %zu", index->file.len,
                         suffix_file_size(index->text.len));
    make_head(index, &head);
    if (memcmp(&head, index->file.ptr, sizeof head) != 0)
        return error_set(err, ERROR_CORRUPT, "the index is for another image, or damaged");
    const int32_t *order = (const int32_t *)(const void *)(index->file.ptr + sizeof head);
    return is_within(order, index->text.len) ||
           error_set(err, ERROR_CORRUPT, "the index points outside of the image");
}

bool suffix_open(struct bytes text, struct buffer *file, struct suffix **ret, struct error *err)
{
    struct suffix *index;
    if (!new_index(text, &index, err))
        return false;
    index->file = *file;
    if (!check_file(index, err) || !finish(index, err)) {
        index->file = (struct buffer){0};
        suffix_free(index);
        return false;
    }
    *file = (struct buffer){0};
    *ret = index;
    return true;
}

void suffix_free(struct suffix *index)
{
    if (!index)
        return;
    buffer_free(&index->file);
    free(index->seen);
    free(index);
}

/* The number of equal bytes at the beginning, at most `limit`. Compares eight bytes at a time. */
static size_t common_length(const uint8_t *a, const uint8_t *b, size_t limit)
{
    size_t i = 0;
    for (; i + 8 <= limit; i += 8) {
        uint64_t x, y;
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y)
            return i + (size_t)__builtin_ctzll(htole64(x ^ y)) / 8;
    }
    while (i < limit && a[i] == b[i])
        i++;
    return i;
}

struct halving { /* the range of a binary search: suffixes that begin with the first two bytes of `wanted` */
    size_t low, high;
    size_t low_common, high_common;
};

static struct halving begin_halving(const struct suffix *index, struct bytes wanted)
{
    size_t pair = (size_t)(wanted.ptr[0] << 8 | wanted.ptr[1]);
    return (struct halving){.low = index->start[pair], .high = index->start[pair + 1]};
}

/* One step of the binary search. All suffixes between two neighbours share what both neighbours have in
   common with `wanted`, so the comparison starts after those bytes. Returns the suffix in the middle and
   its common length. */
static inline struct suffix_match halve(const struct suffix *index, struct bytes wanted,
                                        struct halving *among, uint64_t *steps)
{
    size_t middle = among->low + (among->high - among->low) / 2;
    size_t at = (size_t)index->order[middle];
    const uint8_t *found = index->text.ptr + at;
    size_t left = index->text.len - at;
    size_t limit = left < wanted.len ? left : wanted.len;
    size_t skip = among->low_common < among->high_common ? among->low_common : among->high_common;
    skip = skip < limit ? skip : limit; /* the order in a forged file need not be sorted */
    size_t common = skip + common_length(found + skip, wanted.ptr + skip, limit - skip);
    *steps += common - skip + 1;
    if (common == left || (common < wanted.len && found[common] < wanted.ptr[common])) {
        among->low = middle + 1;
        among->low_common = common;
    } else {
        among->high = middle;
        among->high_common = common;
    }
    return (struct suffix_match){at, common};
}

struct suffix_match suffix_find_longest(const struct suffix *index, struct bytes wanted, uint64_t *steps)
{
    struct suffix_match best = {0, 0};
    if (wanted.len < 2)
        return best;
    struct halving among = begin_halving(index, wanted);
    while (among.low < among.high && best.len < wanted.len) {
        struct suffix_match match = halve(index, wanted, &among, steps);
        if (match.len > best.len)
            best = match;
    }
    return best;
}

static struct suffix_match compare_at(const struct suffix *index, size_t place, struct bytes wanted,
                                      uint64_t *steps)
{
    size_t at = (size_t)index->order[place];
    size_t left = index->text.len - at;
    size_t common = common_length(index->text.ptr + at, wanted.ptr, left < wanted.len ? left : wanted.len);
    *steps += common + 1;
    return (struct suffix_match){at, common};
}

void suffix_find_neighbours(const struct suffix *index, struct bytes wanted, struct suffix_match ret[2],
                            uint64_t *steps)
{
    ret[0] = ret[1] = (struct suffix_match){0, 0};
    if (wanted.len < 2)
        return;
    struct halving among = begin_halving(index, wanted);
    size_t first = among.low, end = among.high;
    while (among.low < among.high)
        halve(index, wanted, &among, steps);
    if (among.low > first)
        ret[0] = compare_at(index, among.low - 1, wanted, steps);
    if (among.low < end)
        ret[1] = compare_at(index, among.low, wanted, steps);
}
