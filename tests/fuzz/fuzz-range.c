/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as the value of a Range header. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "server/http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    struct range range, again;
    char text[64];
    range_parse(true, (struct slice){(const char *)input, len}, &range);
    if (!range.present)
        abort();
    if (range.bad)
        return 0;
    if (len < 8 || (range.has_last && range.last < range.first))
        abort();
    /* What is understood means the same when it is written plainly. */
    int used = snprintf(text, sizeof text, "bytes=%llu-", (unsigned long long)range.first);
    if (range.has_last)
        snprintf(text + used, sizeof text - (size_t)used, "%llu", (unsigned long long)range.last);
    range_parse(true, slice_of(text), &again);
    if (again.bad || again.first != range.first || again.has_last != range.has_last ||
        again.last != range.last)
        abort();
    return 0;
}
