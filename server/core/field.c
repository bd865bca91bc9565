/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/core/field.h"

#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/slice.h"

/* The text without invalid UTF-8. */
static json_t *repaired(const char *text)
{
    size_t len = strlen(text), used = 0;
    _cleanup_(cleanup_free) char *copy = malloc(len + 1);
    if (!copy)
        return NULL;
    for (size_t i = 0, step; i < len; i += step) {
        for (step = 1; step <= 4 && i + step <= len; step++)
            if (slice_is_clean_utf8((struct slice){text + i, step}))
                break;
        if (step > 4 || i + step > len) {
            step = 1;
            continue;
        }
        memcpy(copy + used, text + i, step);
        used += step;
    }
    return json_stringn(copy, used);
}

json_t *field_text(const char *text)
{
    if (!text || !text[0])
        return json_null();
    json_t *json = json_string(text);
    return json ? json : repaired(text);
}

json_t *field_number(int64_t value)
{
    return value ? json_integer(value) : json_null();
}

json_t *field_hash(const struct sha256 *hash)
{
    char hex[SHA256_HEX_SIZE];
    sha256_hex(hash, hex);
    return json_string(hex);
}
