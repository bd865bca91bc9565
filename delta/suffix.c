#include "delta/suffix.h"

#include <divsufsort.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS 65536 /* values of two bytes */

/* `start[p]` is the first place in `order` of a suffix that begins with the two bytes p (high byte first): it
   spares a search sixteen halvings, each of them two cache misses. */
struct suffix {
    struct bytes text;
    int32_t *order;
    uint32_t start[PAIRS + 1];
};

static void count_pairs(struct suffix *index)
{
    const uint8_t *text = index->text.ptr;
    size_t len = index->text.len;
    for (size_t i = 0; i + 1 < len; i++)
        index->start[(text[i] << 8 | text[i + 1]) + 1]++;
    if (len > 0) /* the last suffix is one byte: it sorts just before its byte followed by 0 */
        index->start[(text[len - 1] << 8) + 1]++;
    for (size_t p = 0; p < PAIRS; p++)
        index->start[p + 1] += index->start[p];
}

bool suffix_build(struct bytes text, struct suffix **ret, struct error *err)
{
    if (text.len > SUFFIX_MAX_TEXT)
        return error_set(err, ERROR_TOO_LARGE,
                         "an old image of %zu bytes cannot be indexed: the limit is %zu", text.len,
                         SUFFIX_MAX_TEXT);
    struct suffix *index = calloc(1, sizeof *index);
    if (!index)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    index->text = text;
    index->order = malloc((text.len + 1) * sizeof *index->order);
    if (!index->order || (text.len > 0 && divsufsort(text.ptr, index->order, (int32_t)text.len) != 0)) {
        suffix_free(index);
        return error_set(err, ERROR_INTERNAL, "out of memory: the index takes %zu bytes", text.len * 4);
    }
    count_pairs(index);
    *ret = index;
    return true;
}

void suffix_free(struct suffix *index)
{
    if (!index)
        return;
    free(index->order);
    free(index);
}

/* Number of equal bytes, at most `limit`; eight at a time. */
static size_t common_length(const uint8_t *a, const uint8_t *b, size_t limit)
{
    size_t i = 0;
    for (; i + 8 <= limit; i += 8) {
        uint64_t x, y;
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y)
            break;
    }
    while (i < limit && a[i] == b[i])
        i++;
    return i;
}

/* Halving between two neighbours: what both have in common with `wanted`, all between them have too, so a
   comparison starts behind it. */
struct suffix_match suffix_find_longest(const struct suffix *index, struct bytes wanted, uint64_t *steps)
{
    struct suffix_match best = {0, 0};
    if (wanted.len < 2)
        return best;
    size_t pair = (size_t)(wanted.ptr[0] << 8 | wanted.ptr[1]);
    size_t low = index->start[pair], high = index->start[pair + 1];
    size_t low_common = 0, high_common = 0;
    while (low < high && best.len < wanted.len) {
        size_t middle = low + (high - low) / 2;
        size_t at = (size_t)index->order[middle];
        const uint8_t *found = index->text.ptr + at;
        size_t left = index->text.len - at;
        size_t limit = left < wanted.len ? left : wanted.len;
        size_t skip = low_common < high_common ? low_common : high_common;
        size_t common = skip + common_length(found + skip, wanted.ptr + skip, limit - skip);
        *steps += common - skip + 1;
        if (common > best.len)
            best = (struct suffix_match){at, common};
        if (common == left || (common < wanted.len && found[common] < wanted.ptr[common])) {
            low = middle + 1;
            low_common = common;
        } else {
            high = middle;
            high_common = common;
        }
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
    size_t pair = (size_t)(wanted.ptr[0] << 8 | wanted.ptr[1]);
    size_t first = index->start[pair], end = index->start[pair + 1];
    size_t low = first, high = end, low_common = 0, high_common = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        size_t at = (size_t)index->order[middle];
        const uint8_t *found = index->text.ptr + at;
        size_t left = index->text.len - at;
        size_t limit = left < wanted.len ? left : wanted.len;
        size_t skip = low_common < high_common ? low_common : high_common;
        size_t common = skip + common_length(found + skip, wanted.ptr + skip, limit - skip);
        *steps += common - skip + 1;
        if (common == left || (common < wanted.len && found[common] < wanted.ptr[common])) {
            low = middle + 1;
            low_common = common;
        } else {
            high = middle;
            high_common = common;
        }
    }
    if (low > first)
        ret[0] = compare_at(index, low - 1, wanted, steps);
    if (low < end)
        ret[1] = compare_at(index, low, wanted, steps);
}
