/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* How many lines of each event the log takes: a burst, then so many a second. What a stranger causes draws on a smaller
   allowance of its own, so that a flood of strangers takes no room from devices that are known. What is left out is
   counted, and the next line of the event says how many (suppressed=123); so does a line of its own within a minute. */
#ifndef DFOTA_SERVER_CORE_LOG_LIMIT_H
#define DFOTA_SERVER_CORE_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_BURST           1000 /* lines of one event at once */
#define LOG_BURST_STRANGERS 100
#define LOG_STRANGERS_PART  5 /* strangers get one line where others get five */

/* Lines a second and event; 0: no limit. */
void log_limit_set(unsigned per_second);
/* Any thread; `event` lives as long as the process. False: the line is left out. *ret_suppressed: lines of this event that
   were left out before it. */
bool log_limit_take(const char *event, bool stranger, int64_t now_ms, uint64_t *ret_suppressed);
/* Calls `each` for what was left out and not told yet, and forgets it. */
void log_limit_tell(void (*each)(const char *event, uint64_t suppressed));

#endif
