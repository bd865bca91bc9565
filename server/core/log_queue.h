/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Lines of the log on their way to standard error. A thread writes them, so that no other thread waits for
   the reader of the log: a blocked journal, a pipe that is not read, a full disk. Lines wait in a ring of
   fixed size. A line that does not fit or cannot be written is dropped and counted; a later line tells the
   count (event=log-dropped). */
#ifndef DFOTA_SERVER_CORE_LOG_QUEUE_H
#define DFOTA_SERVER_CORE_LOG_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

#define LOG_LINE_MAX 4096 /* bytes with the newline: a pipe takes this much in one piece */

/* The thread also calls every_minute() once a minute. Without the thread (before the start, after the
   stop) the caller writes the line itself and waits at most one second. */
bool log_queue_start(void (*every_minute)(void), struct error *err) __attribute__((warn_unused_result));
/* Adds one whole line with its newline. Only urgent lines may use the last quarter of the ring. Any
   thread. */
void log_queue_put(const char *line, size_t size, bool urgent);
/* Waits until all lines are written, at most most_ms, and ends the thread. A thread that is blocked in a
   write is left behind until the process ends. */
void log_queue_stop(int64_t most_ms);

#endif
