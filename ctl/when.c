/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/when.h"

#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/slice.h"

static bool parse_date(const char *text, bool allow_date, int64_t *ret_ms)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%SZ", "%Y-%m-%d"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms - !allow_date; i++) {
        struct tm parts = {.tm_isdst = 0};
        const char *end = strptime(text, forms[i], &parts);
        if (!end || *end)
            continue;
        int day = parts.tm_mday;
        *ret_ms = (int64_t)timegm(&parts) * 1000;
        return parts.tm_mday == day; /* else this day does not exist */
    }
    return false;
}

bool when_read(const char *text, bool allow_date, int64_t *ret_ms, struct error *err)
{
    uint64_t ms;
    bool number = slice_u64(slice_of(text), &ms);
    int64_t at_ms;
    if (!number && !parse_date(text, allow_date, &at_ms))
        return error_set(err, ERROR_BAD_REQUEST,
                         "takes a time like %s2026-11-22T10:00:00Z, or milliseconds since 1970, not '%.100s'",
                         allow_date ? "2026-11-22 or " : "", text);
    const char *fault = clock_fault(number ? ms : at_ms > 0 ? (uint64_t)at_ms : 0);
    if (fault)
        return error_set(err, ERROR_BAD_REQUEST, "%.100s %s", text, fault);
    *ret_ms = number ? (int64_t)ms : at_ms;
    return true;
}
