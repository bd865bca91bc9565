/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Log lines on standard error, one per event, in one of the formats of log_text.h. The caller never waits for
   the write (log_queue.h). Each event has a limit (log_limit.h). */
#ifndef DFOTA_SERVER_CORE_LOG_H
#define DFOTA_SERVER_CORE_LOG_H

#include <stdbool.h>
#include "base/error.h"
#include "base/slice.h"
#include "server/core/log_text.h"

#define LOG_END_MS 2000 /* at the end of the server: the longest wait for unwritten lines */

typedef void log_function(enum log_level level, const char *event, ...);

void log_set_level(enum log_level least);
bool log_level_parse(struct slice text, enum log_level *ret);

/* Example: log_line(LOG_LEVEL_INFO, "listening", "listener", "device", "address", text, NULL). The
   arguments after `event` are pairs of key and value; NULL ends them. A pair whose value is NULL is left
   out. `event` is a literal. Any thread. */
void log_line(enum log_level level, const char *event, ...) __attribute__((sentinel));
/* Like log_line(), for lines that any request from the network can cause. These lines have their own,
   smaller limit. */
void log_stranger(enum log_level level, const char *event, ...) __attribute__((sentinel));

/* Starts the thread that writes the lines, and the limit of each event (0: no limit). Before the start and
   after the stop the caller writes the line itself and waits at most one second. */
/* Any thread. Lines of one event that are logged per second; 0: no limit. */
void log_set_limit(unsigned lines_per_second);
bool log_start(unsigned lines_per_second, struct error *err) __attribute__((warn_unused_result));
void log_stop(void); /* logs what was left out; waits at most LOG_END_MS until all is written */
/* Writes one line of plain text at the end of the process, after log_stop(). */
void log_last_words(const char *text);

/* Memory for a number that is a value of log_line(). */
struct log_number {
    char text[24];
};
const char *log_i64(struct log_number *store, long long value);

#endif
