/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Helpers for the tests of delta/: random bytes that are the same on every machine, and images that
   resemble each other as releases do. The caller frees returned buffers. */
#ifndef DFOTA_TESTS_UNIT_DELTA_TEST_DELTA_H
#define DFOTA_TESTS_UNIT_DELTA_TEST_DELTA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/buffer.h"

struct random {
    uint64_t state;
};

static inline uint32_t random_next(struct random *r)
{
    r->state = r->state * 6364136223846793005ULL + 1442695040888963407ULL;
    uint64_t mixed = (r->state ^ r->state >> 29) * 0xBF58476D1CE4E5B9ULL;
    return (uint32_t)(mixed >> 32);
}

static inline size_t random_below(struct random *r, size_t limit)
{
    return limit ? (size_t)(random_next(r) % limit) : 0;
}

/* An assertion of cmocka does not return, so a failed reservation ends the test. A filled buffer has a
   ptr even if it is empty. */
static inline void must_add(struct buffer *buffer, const void *from, size_t len)
{
    struct error err;
    assert_true(buffer_add(buffer, from, len, &err));
}

static inline void must_fill(struct buffer *buffer, uint8_t value, size_t len)
{
    struct error err;
    assert_true(buffer_reserve(buffer, len + 1, &err));
    memset(buffer->ptr + buffer->len, value, len);
    buffer->len += len;
}

/* `len` bytes with `letters` different values. Few values make many repeats. */
static inline struct buffer random_bytes(struct random *r, size_t len, unsigned int letters)
{
    struct buffer made = {0};
    must_fill(&made, 0, len);
    for (size_t i = 0; i < len; i++)
        made.ptr[i] = (uint8_t)random_below(r, letters);
    return made;
}

/* A later release of `from`: its pieces in order, some with changed bytes, some removed, some new, some
   moved. */
static inline struct buffer random_revision(struct random *r, struct bytes from, unsigned int letters)
{
    struct buffer made = {0};
    size_t at = 0;
    while (at < from.len) {
        size_t len = 1 + random_below(r, from.len / 4 + 1);
        len = len < from.len - at ? len : from.len - at;
        switch (random_below(r, 6)) {
        case 0: /* removed */
            break;
        case 1: { /* new */
            struct buffer fresh = random_bytes(r, random_below(r, 40), letters);
            must_add(&made, fresh.ptr, fresh.len);
            buffer_free(&fresh);
            break;
        }
        case 2: { /* moved from another place */
            size_t elsewhere = random_below(r, from.len - len + 1);
            must_add(&made, from.ptr + elsewhere, len);
            break;
        }
        default: /* kept, with a few changed bytes */
            must_add(&made, from.ptr + at, len);
            for (size_t changes = random_below(r, 3); changes > 0; changes--)
                made.ptr[made.len - 1 - random_below(r, len)] ^= (uint8_t)random_below(r, letters);
        }
        at += len;
    }
    return made;
}

#endif
