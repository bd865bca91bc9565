/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/range.h"

#include <strings.h>

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct slice trim(struct slice text)
{
    while (text.len && blank(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len && blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

void range_parse(bool present, struct slice value, struct range *ret)
{
    *ret = (struct range){.present = present, .bad = present};
    if (!present || !value.ptr)
        return;

    struct slice rest = value, unit, first;
    if (!slice_split(&rest, '=', &unit) || !rest.ptr)
        return;
    unit = trim(unit);
    if (unit.len != 5 || strncasecmp(unit.ptr, "bytes", 5) != 0)
        return;
    if (!slice_split(&rest, '-', &first) || !rest.ptr)
        return;
    if (!slice_u64(trim(first), &ret->first))
        return;
    rest = trim(rest);
    if (rest.len) {
        if (!slice_u64(rest, &ret->last) || ret->last < ret->first)
            return;
        ret->has_last = true;
    }
    ret->bad = false;
}
