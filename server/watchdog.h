/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Tells systemd (WatchdogSec) that the server is alive: the thread that writes the database and each event loop make
   progress. When one of them does not, the log names the part, and systemd restarts the server. Thread of daemon_run(). */
#ifndef DFOTA_SERVER_WATCHDOG_H
#define DFOTA_SERVER_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

struct listeners;
struct writer;

struct watchdog {
    int64_t limit_ms; /* the longest time without progress of a part; 0: systemd does not ask */
    int64_t next_ms;  /* monotonic clock */
    bool is_late;     /* it was logged */
};

/* Reads from the environment how often systemd asks. */
void watchdog_open(struct watchdog *ret);
/* Call it about once a second. Tells systemd at most four times in its interval. */
void watchdog_tick(struct watchdog *watchdog, struct listeners *listeners, struct writer *writer);

/* Tells systemd a state, such as "READY=1". Does nothing without systemd. Any thread. */
void watchdog_notify(const char *state);

#endif
