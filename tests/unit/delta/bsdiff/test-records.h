/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Helpers for the tests of bsdiff: control records as bytes, and an old image. */
#ifndef DFOTA_TESTS_UNIT_DELTA_BSDIFF_TEST_RECORDS_H
#define DFOTA_TESTS_UNIT_DELTA_BSDIFF_TEST_RECORDS_H

#include "tests/unit/delta/test-delta.h"

static inline void put_le64(uint8_t *to, uint64_t value)
{
    for (size_t i = 0; i < 8; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

#define MINUS (1ULL << 63) /* the sign bit of a number in a package */

struct numbers { /* a control record as in the package */
    uint64_t diff_len, extra_len, seek;
};

static inline struct buffer pack_records(const struct numbers *record, size_t count)
{
    struct buffer plain = {0};
    must_fill(&plain, 0, count * 24);
    for (size_t i = 0; i < count; i++) {
        put_le64(plain.ptr + i * 24, record[i].diff_len);
        put_le64(plain.ptr + i * 24 + 8, record[i].extra_len);
        put_le64(plain.ptr + i * 24 + 16, record[i].seek);
    }
    return plain;
}

static const uint8_t old_text[] = "The quick brown fox jumps over the lazy dog.";
static const struct bytes old_image = {old_text, sizeof old_text - 1};

static const struct bytes nothing = {NULL, 0};

#endif
