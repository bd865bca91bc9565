/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Lines of the log on their way to standard error. A thread of its own writes them, so that nobody who logs ever waits for
   whoever reads the log: a journal that is stuck, a pipe that nobody empties, a disk that is full. Lines wait in a ring of
   bounded size; what has no room there, or cannot be written, is dropped and counted, and a later line says how many
   (event=log-dropped). */
#ifndef DFOTA_SERVER_CORE_LOG_QUEUE_H
#define DFOTA_SERVER_CORE_LOG_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

#define LOG_LINE_MAX 4096 /* bytes with the newline: a pipe takes this much in one piece */

/* Without the thread (before the start, after the stop) a line is written by its caller, who waits at most a second. */
bool log_queue_start(void (*every_minute)(void), struct error *err) __attribute__((warn_unused_result));
/* Any thread: a whole line with its newline. Only an urgent one may take the last quarter of the ring. */
void log_queue_put(const char *line, size_t size, bool urgent);
/* Waits until all lines are written, at most so long, and ends the thread. One that is stuck in a write is left behind for
   the end of the process. */
void log_queue_stop(int64_t most_ms);

#endif
