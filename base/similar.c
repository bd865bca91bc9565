/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/similar.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The number of letters to change, add, remove or swap with the next one (optimal string alignment). */
static size_t count_edits(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[3][SIMILAR_MAX + 1]; /* of this letter of a, of the one before, and of the one before that */
    size_t *now = row[0], *last = row[1], *older = row[2];
    for (size_t k = 0; k <= b_len; k++)
        now[k] = k;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *free_row = older;
        older = last;
        last = now;
        now = free_row;
        now[0] = i;
        for (size_t k = 1; k <= b_len; k++) {
            now[k] = least(least(last[k], now[k - 1]) + 1, last[k - 1] + (a[i - 1] != b[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                now[k] = least(now[k], older[k - 2] + 1);
        }
    }
    return now[b_len];
}

void similar_offer(struct similar *similar, const char *name, size_t name_len)
{
    size_t word_len = strlen(similar->word);
    if (word_len == 0 || word_len > SIMILAR_MAX || name_len > SIMILAR_MAX)
        return;
    size_t distance = count_edits(similar->word, word_len, name, name_len);
    if (word_len >= 3 && word_len < name_len && memcmp(similar->word, name, word_len) == 0)
        distance = 1;
    if (distance > (word_len < 6 ? 1 : word_len / 3) || distance >= name_len)
        return;
    if (!similar->best || distance < similar->distance) {
        similar->best = name;
        similar->best_len = name_len;
        similar->distance = distance;
    }
}
