/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Time: the wall clock for what is recorded, the boot clock for what is waited for. */
#ifndef DFOTA_BASE_CLOCK_H
#define DFOTA_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define MINUTE_MS (60LL * 1000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

int64_t clock_utc_ms(void);       /* UTC, milliseconds since 1970 */
int64_t clock_boot_ms(void);      /* CLOCK_BOOTTIME, milliseconds; never steps back, counts suspended time */
int64_t clock_monotonic_ms(void); /* CLOCK_MONOTONIC, milliseconds: for deadlines of thread_wait_until() */

/* How far another machine's clock, or ours before it was corrected, may run ahead without being wrong. */
#define CLOCK_AHEAD_MS (5 * MINUTE_MS)

/* A stored time may lie ahead of now: the clock was wrong when the time was stored, or is wrong now. Whatever compares a
   stored time with now does so by these. Pure. */
int64_t clock_clamp(int64_t stored_ms, int64_t now_ms); /* at most now */
bool clock_is_ahead(int64_t stored_ms,
                    int64_t now_ms); /* by more than CLOCK_AHEAD_MS: it tells nothing of when it was */
/* Less than span_ms ago. A time that is ahead is not: else what waits for it would wait until that day. */
bool clock_is_within(int64_t stored_ms, int64_t span_ms, int64_t now_ms);

/* What is wrong with a time that somebody typed, as a sentence behind its name; NULL: it is a time in milliseconds between
   the years 2000 and 2199. Catches seconds and microseconds. Static storage. */
const char *clock_fault(uint64_t ms);

#endif
