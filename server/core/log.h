/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Log lines on standard error: one line each, key=value, values with blanks or quotes quoted, control characters escaped.
   Whoever logs never waits for it to be written (log_queue.h), and each event has a limit (log_limit.h). */
#ifndef DFOTA_SERVER_CORE_LOG_H
#define DFOTA_SERVER_CORE_LOG_H

#include <stdbool.h>
#include "base/error.h"
#include "base/slice.h"

#define LOG_END_MS 2000 /* how long the end of the server waits for lines that are not written yet */

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

typedef void log_function(enum log_level level, const char *event, ...);

void log_set_level(enum log_level least);
bool log_level_parse(struct slice text, enum log_level *ret);

/* log_line(LOG_LEVEL_INFO, "listening", "listener", "device", "address", text, NULL): pairs of key and value, NULL ends; a NULL value
   leaves the pair out. Any thread. `event` is a literal. */
void log_line(enum log_level level, const char *event, ...) __attribute__((sentinel));
/* The same, for a line that anybody can cause with a request: such lines have a smaller allowance of their own. */
void log_stranger(enum log_level level, const char *event, ...) __attribute__((sentinel));

/* From here on a thread writes the lines, and each event gets so many a second (0: no limit). Before it, and after the stop,
   a line is written by its caller, who waits at most a second. */
bool log_start(unsigned lines_per_second, struct error *err) __attribute__((warn_unused_result));
void log_stop(void); /* says what was left out, and waits at most LOG_END_MS until all is written */
/* Plain text on a line of its own, at the end of the process: after log_stop(). */
void log_last_words(const char *text);

/* A number as text for log_line. */
struct log_number {
    char text[24];
};
const char *log_i64(struct log_number *store, long long value);

#endif
