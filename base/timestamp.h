/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Times as text, as in RFC 3339. Pure; any thread. */
#ifndef DFOTA_BASE_TIMESTAMP_H
#define DFOTA_BASE_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/slice.h"

#define TIMESTAMP_SIZE 25 /* with its NUL */

/* Writes "2026-11-22T10:00:00.000Z" of milliseconds since 1970. False: the year is not 0000 to 9999, and
   out is "". */
bool timestamp_format(int64_t ms, char out[TIMESTAMP_SIZE]);

/* Reads a time that a person typed: milliseconds since 1970, or RFC 3339 with Z or an offset
   ("2026-11-22T10:00:00Z", "2026-11-22 18:00:00.5+08:00"); *ret_ms is UTC. Digits behind the milliseconds
   are dropped. 23:59:60 UTC at the end of a month is a leap second: the first moment of the next day.
   ERROR_INVALID continues a sentence that begins with the name of the time: no time, no offset, a day
   that does not exist, a year before 2000 or after 2199, seconds or microseconds instead of milliseconds. */
bool timestamp_read(struct slice text, int64_t *ret_ms, struct error *err);

#endif
