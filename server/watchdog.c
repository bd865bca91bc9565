/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/watchdog.h"

#include <stddef.h>

#include <config.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "base/clock.h"
#include "server/core/log.h"
#include "server/db/writer.h"
#include "server/listeners.h"

#define ASKED_IN_INTERVAL 4

void watchdog_notify(const char *state)
{
#ifdef HAVE_SYSTEMD
    sd_notify(0, state);
#else
    (void)state;
#endif
}

void watchdog_open(struct watchdog *ret)
{
    *ret = (struct watchdog){.limit_ms = 0};
#ifdef HAVE_SYSTEMD
    uint64_t interval_us = 0;
    if (sd_watchdog_enabled(0, &interval_us) > 0)
        ret->limit_ms = (int64_t)(interval_us / 1000 / 2);
#endif
}

/* NULL: each part made progress in time. */
static const char *late_part(const struct watchdog *watchdog, int64_t now_ms, struct listeners *listeners,
                             struct writer *writer)
{
    int64_t since_ms = now_ms - watchdog->limit_ms;
    bool is_loop_late = listeners_turned_ms(listeners) < since_ms;
    return writer_turned_ms(writer) < since_ms ? "writer" : is_loop_late ? "listener" : NULL;
}

void watchdog_tick(struct watchdog *watchdog, struct listeners *listeners, struct writer *writer)
{
    int64_t now_ms = clock_monotonic_ms();
    if (!watchdog->limit_ms || now_ms < watchdog->next_ms)
        return;
    watchdog->next_ms = now_ms + watchdog->limit_ms * 2 / ASKED_IN_INTERVAL;
    const char *part = late_part(watchdog, now_ms, listeners, writer);
    if (!part)
        watchdog_notify("WATCHDOG=1");
    else if (!watchdog->is_late)
        log_line(LOG_LEVEL_ERROR, "watchdog-late", "part", part, "then",
                 "it makes no progress: systemd restarts the server if that lasts", NULL);
    watchdog->is_late = part;
}
