/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/when.h"

#include <stdio.h>
#include <string.h>
#include "base/slice.h"
#include "base/timestamp.h"

#define TIME_TEXT_SIZE 128 /* a longer text is no time */

/* The begin of this day, or the text as it is. */
static void complete(const char *text, bool allow_date, char out[TIME_TEXT_SIZE])
{
    bool is_date = allow_date && strlen(text) == sizeof "2026-11-22" - 1 && text[4] == '-' && text[7] == '-';
    snprintf(out, TIME_TEXT_SIZE, "%s%s", text, is_date ? "T00:00:00Z" : "");
}

bool when_read(const char *text, bool allow_date, int64_t *ret_ms, struct error *err)
{
    char time[TIME_TEXT_SIZE];
    struct error why;
    complete(text, allow_date, time);
    if (timestamp_read(slice_of(time), ret_ms, &why))
        return true;
    if (allow_date && !strchr(time, ':') && strspn(time, "0123456789") < strlen(time))
        return error_set(
            err, ERROR_BAD_REQUEST,
            "takes a time like 2026-11-22 or 2026-11-22T10:00:00Z, or milliseconds since 1970, not '%.60s'",
            text);
    return error_set(err, ERROR_BAD_REQUEST, "%s", why.text);
}
