/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A buffer in memory that grows while bytes are added. */
#ifndef DFOTA_BASE_BUFFER_H
#define DFOTA_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/bytes.h"
#include "base/error.h"

struct buffer { /* owns ptr (malloc). A buffer of all zeros is empty. */
    uint8_t *ptr;
    size_t len;
    size_t capacity;
};

/* A view of the content. The view is valid until the buffer changes. */
static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
    return (struct bytes){buffer->ptr, buffer->len};
}

/* Makes room for `more` bytes after len. The first call reserves exactly that size. Later calls at least
   double the capacity. ERROR_INTERNAL: no memory. */
bool buffer_reserve(struct buffer *buffer, size_t more, struct error *err)
    __attribute__((warn_unused_result));

/* Appends a copy of `len` bytes. ERROR_INTERNAL: no memory. */
bool buffer_add(struct buffer *buffer, const void *from, size_t len, struct error *err)
    __attribute__((warn_unused_result));

/* Frees the bytes and leaves the buffer empty. Also for _cleanup_. */
void buffer_free(struct buffer *buffer);

#endif
