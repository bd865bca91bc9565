/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Bytes in memory: beside the view that somebody else owns, a buffer that grows as data really arrives. */
#ifndef DFOTA_DELTA_BYTES_H
#define DFOTA_DELTA_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/bytes.h"
#include "base/error.h"

struct buffer { /* owns ptr (malloc); all zero is an empty buffer */
    uint8_t *ptr;
    size_t len;
    size_t capacity;
};

static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
    return (struct bytes){buffer->ptr, buffer->len};
}

/* Makes room for `more` bytes behind len: exactly that at first, then doubling. */
bool buffer_reserve(struct buffer *buffer, size_t more, struct error *err)
    __attribute__((warn_unused_result));

bool buffer_add(struct buffer *buffer, const void *from, size_t len, struct error *err)
    __attribute__((warn_unused_result));

void buffer_free(struct buffer *buffer); /* empties it; for _cleanup_ too */

bool bytes_equal(struct bytes a, struct bytes b);

#endif
