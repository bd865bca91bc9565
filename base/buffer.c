/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

bool buffer_reserve(struct buffer *buffer, size_t more, struct error *err)
{
    if (more <= buffer->capacity - buffer->len)
        return true;
    size_t wanted;
    if (__builtin_add_overflow(buffer->len, more, &wanted))
        return error_set(err, ERROR_INTERNAL, "out of memory");
    size_t capacity = buffer->capacity > SIZE_MAX / 2 ? wanted : buffer->capacity * 2;
    if (capacity < wanted)
        capacity = wanted;
    uint8_t *ptr = realloc(buffer->ptr, capacity);
    if (!ptr)
        return error_set(err, ERROR_INTERNAL, "out of memory: %zu bytes wanted", capacity);
    buffer->ptr = ptr;
    buffer->capacity = capacity;
    return true;
}

bool buffer_add(struct buffer *buffer, const void *from, size_t len, struct error *err)
{
    if (!buffer_reserve(buffer, len, err))
        return false;
    if (len > 0)
        memcpy(buffer->ptr + buffer->len, from, len);
    buffer->len += len;
    return true;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->ptr);
    *buffer = (struct buffer){0};
}
