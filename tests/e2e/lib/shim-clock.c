/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a server: its wall clock is ahead, or behind, by the milliseconds in the file named by
   DFOTA_CLOCK. The file is read at each call, so a test can set the clock of a running server. With DFOTA_CLOCK_BOOT the
   boot clock is ahead too, as if the machine had slept. The other clocks are true. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *now)
{
    int result = ((int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime"))(id, now);
    const char *name = getenv("DFOTA_CLOCK");
    long long offset_ms = 0;
    int ahead = id == CLOCK_REALTIME || (id == CLOCK_BOOTTIME && getenv("DFOTA_CLOCK_BOOT"));
    FILE *file = ahead && name ? fopen(name, "re") : NULL;
    if (file && fscanf(file, "%lld", &offset_ms) != 1)
        abort(); /* a mistake in the test */
    if (file)
        fclose(file);
    long long ns = now->tv_nsec + offset_ms % 1000 * 1000000;
    now->tv_sec += offset_ms / 1000 + (ns >= 1000000000) - (ns < 0);
    now->tv_nsec = (ns + 1000000000) % 1000000000;
    return result;
}
