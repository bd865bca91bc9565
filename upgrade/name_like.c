/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/name_like.h"

#include <stddef.h>

#define PLAIN_SIZE 128

/* Copies letters, digits and non-ASCII bytes, in lower case. */
static size_t plain(const char *text, char out[PLAIN_SIZE])
{
    size_t used = 0;
    for (; *text && used < PLAIN_SIZE; text++) {
        unsigned char c = (unsigned char)*text;
        if (c >= 'A' && c <= 'Z')
            c = (unsigned char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80)
            out[used++] = (char)c;
    }
    return used;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[PLAIN_SIZE + 1];
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j];
            row[j] = least(least(above, row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_len];
}

bool name_is_like(const char *a, const char *b)
{
    char plain_a[PLAIN_SIZE], plain_b[PLAIN_SIZE];
    size_t a_len = plain(a, plain_a), b_len = plain(b, plain_b);
    if (a_len == PLAIN_SIZE || b_len == PLAIN_SIZE || a_len < 3 || b_len < 3)
        return false;
    return distance(plain_a, a_len, plain_b, b_len) <= (least(a_len, b_len) < 6 ? 1 : 2);
}
