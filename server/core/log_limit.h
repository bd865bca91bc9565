/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Limits the lines of each event: a burst, then a rate. Lines that strangers (clients that are not known)
   can cause have their own, smaller limit, so that a flood of them takes nothing from known devices. Lines
   that are left out are counted. The next line of the event tells the count (suppressed=123); without such
   a line, the event log-limited tells it within a minute. */
#ifndef DFOTA_SERVER_CORE_LOG_LIMIT_H
#define DFOTA_SERVER_CORE_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_BURST           1000 /* lines of one event in a burst */
#define LOG_BURST_STRANGERS 100
#define LOG_STRANGERS_PART  5 /* the rate for strangers is a fifth of the other rate */

/* Lines per second for each event; 0: no limit. */
void log_limit_set(unsigned per_second);
/* False: the line must be left out. *ret_suppressed: how many lines of this event were left out before it.
   `event` must live as long as the process. Any thread. */
bool log_limit_take(const char *event, bool stranger, int64_t now_ms, uint64_t *ret_suppressed);
/* Calls `each` for every event with lines that were left out and not told yet, and sets its count to 0. */
void log_limit_tell(void (*each)(const char *event, uint64_t suppressed));

#endif
