/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/core/stop_point.h"

#ifdef HAVE_STOP_POINTS
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/core/log.h"

/* At which pass to stop here: 1 for the first; 0: never. */
static unsigned long wanted(const char *name)
{
    const char *stop = getenv("DFOTA_STOP");
    size_t len = strlen(name);
    if (!stop || strncmp(stop, name, len) != 0)
        return 0;
    if (stop[len] == ':')
        return strtoul(stop + len + 1, NULL, 10);
    return stop[len] == '\0';
}

void stop_point(const char *name)
{
    static _Atomic unsigned long passed; /* DFOTA_STOP has one name, so one counter is enough */
    unsigned long nth = wanted(name);
    if (!nth || atomic_fetch_add(&passed, 1) + 1 != nth)
        return;
    log_line(LOG_LEVEL_INFO, "stopped-at", "point", name, NULL);
    for (;;)
        pause();
}
#endif
