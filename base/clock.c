/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

#define FIRST_MS 946684800000LL  /* 2000-01-01 */
#define END_MS   7258118400000LL /* 2200-01-01 */

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_utc_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t clock_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_boot_ms(void)
{
    return read_ms(CLOCK_BOOTTIME);
}

int64_t clock_boot_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_clamp(int64_t stored_ms, int64_t now_ms)
{
    return stored_ms > now_ms ? now_ms : stored_ms;
}

bool clock_is_ahead(int64_t stored_ms, int64_t now_ms)
{
    return stored_ms > now_ms + CLOCK_AHEAD_MS;
}

bool clock_is_within(int64_t stored_ms, int64_t span_ms, int64_t now_ms)
{
    return !clock_is_ahead(stored_ms, now_ms) && now_ms - clock_clamp(stored_ms, now_ms) < span_ms;
}

const char *clock_fault(uint64_t ms)
{
    if (ms >= FIRST_MS && ms < END_MS)
        return NULL;
    if (ms >= FIRST_MS / 1000 && ms < END_MS / 1000)
        return "looks like seconds: a time is UTC in milliseconds since 1970";
    if (ms >= END_MS)
        return "is after the year 2199: a time is UTC in milliseconds since 1970";
    return "is before the year 2000: a time is UTC in milliseconds since 1970";
}
