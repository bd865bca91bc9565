/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Time: the wall clock for records, the boot clock for durations. Any thread. */
#ifndef DFOTA_BASE_CLOCK_H
#define DFOTA_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define SECOND_MS 1000LL
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

int64_t clock_utc_ms(void);       /* UTC, milliseconds since 1970 */
int64_t clock_boot_ms(void);      /* CLOCK_BOOTTIME, milliseconds; never steps back, counts suspended time */
int64_t clock_boot_us(void);      /* the same in microseconds */
int64_t clock_monotonic_ms(void); /* CLOCK_MONOTONIC, milliseconds: for deadlines of thread_wait_until() */

/* A stored time may be this far ahead of now: clocks of other machines differ, and our clock may have been
   corrected. */
#define CLOCK_AHEAD_MS (5 * MINUTE_MS)

/* A stored time may be ahead of now, if the clock was wrong then or is wrong now. All comparisons of a
   stored time with now use these functions. Pure. */
int64_t clock_clamp(int64_t stored_ms, int64_t now_ms); /* at most now */
/* Ahead by more than CLOCK_AHEAD_MS: the stored time is wrong. */
bool clock_is_ahead(int64_t stored_ms, int64_t now_ms);
/* Whether the stored time is less than span_ms ago. False for a time that is ahead: otherwise a wait could
   take years. */
bool clock_is_within(int64_t stored_ms, int64_t span_ms, int64_t now_ms);

/* What is wrong with a time in user input, to append to its name; NULL: a time in milliseconds between the
   years 2000 and
   2199. Finds seconds and microseconds. Static storage. */
const char *clock_fault(uint64_t ms);

#endif
