/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Hours of the day in which downloads may begin, and the months of the same clock. The clock has a fixed offset from
   UTC and no summer time. Pure. */
#ifndef DFOTA_UPGRADE_HOURS_H
#define DFOTA_UPGRADE_HOURS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

#define HOURS_SIZE      24 /* "22:00-06:00+08:00" */
#define HOURS_ALWAYS    "always"
#define HOURS_TIME_SIZE 32 /* "2026-11-29 22:00+08:00" */
#define MONTH_TEXT_SIZE 16 /* "2026-11" */

/* Minutes of the day, `to` excluded. from > to: over midnight. */
struct hours {
    int from, to;   /* 0 and 1440: always */
    int offset_min; /* of the clock from UTC; 480: +08:00 */
};

/* "22:00-06:00+08:00", "00:00-24:00+05:30", or "always", whose clock is UTC. False: another text, or an empty range. */
bool hours_parse(struct slice text, struct hours *ret);
/* The same for a stored text, which was checked before: always, when it is invalid. */
struct hours hours_of(const char *text);

/* The earliest time from `from_ms` on (UTC) at which the hours are open: from_ms itself when they are open then. */
int64_t hours_next_open(const struct hours *hours, int64_t from_ms);

/* The month in which a moment is, counted from year 0: 12 * year + month - 1. */
int64_t hours_month(const struct hours *hours, int64_t at_ms);
int64_t hours_month_start(const struct hours *hours, int64_t month); /* UTC */

const char *hours_time_text(const struct hours *hours, int64_t at_ms, char out[HOURS_TIME_SIZE]);
const char *hours_month_text(int64_t month, char out[MONTH_TEXT_SIZE]);

#endif
