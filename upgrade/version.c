/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/version.h"

#include <stdio.h>

#define PART_MAX 999999999u

static size_t digits_of(uint32_t number)
{
    size_t digits = 1;
    for (; number >= 10; number /= 10)
        digits++;
    return digits;
}

bool version_parse(struct slice text, struct version *ret)
{
    struct version version = {.count = 0};
    struct slice part;
    size_t length = 0; /* of the normalised text, with a dot or NUL after each part */

    if (slice_starts(text, "V") || slice_starts(text, "v"))
        text = (struct slice){text.ptr + 1, text.len - 1};
    while (slice_split(&text, '.', &part)) {
        uint64_t number;
        if (version.count == VERSION_PARTS_MAX || !slice_u64(part, &number) || number > PART_MAX)
            return false;
        version.part[version.count++] = (uint32_t)number;
        length += digits_of((uint32_t)number) + 1;
    }
    if (version.count == 0 || length > VERSION_TEXT_SIZE)
        return false;
    *ret = version;
    return true;
}

int version_compare(const struct version *a, const struct version *b)
{
    for (unsigned i = 0; i < a->count && i < b->count; i++)
        if (a->part[i] != b->part[i])
            return a->part[i] < b->part[i] ? -1 : 1;
    return a->count - b->count;
}

void version_format(const struct version *version, char out[VERSION_TEXT_SIZE])
{
    size_t used = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < version->count && used < VERSION_TEXT_SIZE; i++) {
        int wrote = snprintf(out + used, VERSION_TEXT_SIZE - used, i ? ".%u" : "%u", version->part[i]);
        used += (size_t)wrote;
    }
}
