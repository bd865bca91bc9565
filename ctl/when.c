/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/when.h"

#include <stdio.h>
#include <string.h>
#include "base/slice.h"
#include "base/timestamp.h"

/* "2026-11-22": the begin of this day. */
static bool read_date(const char *text, int64_t *ret_ms)
{
    struct error ignored;
    char time[sizeof "2026-11-22T00:00:00Z"];
    if (strlen(text) != sizeof "2026-11-22" - 1)
        return false;
    snprintf(time, sizeof time, "%sT00:00:00Z", text);
    return timestamp_read(slice_of(time), ret_ms, &ignored);
}

bool when_read(const char *text, bool allow_date, int64_t *ret_ms, struct error *err)
{
    struct error why;
    if ((allow_date && read_date(text, ret_ms)) || timestamp_read(slice_of(text), ret_ms, &why))
        return true;
    if (allow_date && strlen(text) == sizeof "2026-11-22" - 1)
        return error_set(err, ERROR_BAD_REQUEST,
                         "needs a day that exists, from 2000 to 2199, like 2026-11-22, not '%.100s'", text);
    return error_set(err, ERROR_BAD_REQUEST, "%s", why.text);
}
