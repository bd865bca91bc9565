/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/release.h"

#define PARTS_MAX 8
#define PART_MAX  999999999u

bool release_read(struct slice text, char out[RELEASE_SIZE])
{
    if (text.len && (text.ptr[0] == 'V' || text.ptr[0] == 'v'))
        text = (struct slice){text.ptr + 1, text.len - 1};
    struct slice rest = text, part;
    uint64_t value;
    int parts = 0;
    while (slice_split(&rest, '.', &part))
        if (++parts > PARTS_MAX || !slice_u64(part, &value) || value > PART_MAX)
            return false;
    return parts > 0 && slice_copy(text, out, RELEASE_SIZE);
}

bool release_same(const char *a, const char *b)
{
    struct slice a_rest = slice_of(a), b_rest = slice_of(b), part;
    for (;;) {
        uint64_t a_value, b_value;
        bool a_more = slice_split(&a_rest, '.', &part) && slice_u64(part, &a_value);
        bool b_more = slice_split(&b_rest, '.', &part) && slice_u64(part, &b_value);
        if (!a_more || !b_more)
            return a_more == b_more;
        if (a_value != b_value)
            return false;
    }
}

uint64_t release_number(const char *release)
{
    struct slice rest = slice_of(release), part;
    uint64_t number = 0, value;
    while (slice_split(&rest, '.', &part) && slice_u64(part, &value))
        number = number * 10 + value;
    return number;
}
