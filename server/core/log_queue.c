/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/core/log_queue.h"

#include <inttypes.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/thread.h"
#include "server/core/log_text.h"

#define RING_BYTES  (256u << 10)
#define URGENT_ONLY (RING_BYTES / 4) /* the last quarter is only for warnings and errors */
#define DIRECT_MS   1000

/* One per process. Never freed: a blocked thread may still use it while the process ends. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a line was added, or the thread must end */
    pthread_cond_t done;    /* the thread has ended */
    pthread_t thread;
    void (*every_minute)(void);
    bool running, stopping, ended;
    /* used by the thread: the last line was written only in part, so the next write starts with a newline */
    bool torn;
    unsigned char ring[RING_BYTES]; /* each line: its size in two bytes, then its text */
    size_t first, used;
    uint64_t no_room, not_written; /* dropped lines that no log line has told yet */
    int why;                       /* errno of the last write that failed */
} queue = {.mutex = PTHREAD_MUTEX_INITIALIZER,
           .changed = PTHREAD_COND_INITIALIZER,
           .done = PTHREAD_COND_INITIALIZER};

/* Writing */

static bool wait_for_room(int most_ms)
{
    struct pollfd output = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&output, 1, most_ms) > 0;
}

/* Writes everything. False: errno says why. */
static bool write_all(const char *text, size_t size)
{
    if (queue.torn && write(STDERR_FILENO, "\n", 1) != 1)
        return false;
    queue.torn = false;
    for (bool begun = false; size; begun = true) {
        ssize_t sent = write(STDERR_FILENO, text, size);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN) { /* the parent process made standard error non-blocking */
            wait_for_room(-1);
            continue;
        }
        if (sent <= 0) {
            queue.torn = begun;
            return false;
        }
        text += sent;
        size -= (size_t)sent;
    }
    return true;
}

static void write_direct(const char *line, size_t size)
{
    if (wait_for_room(DIRECT_MS))
        (void)!write(STDERR_FILENO, line, size);
}

/* The ring. The mutex is held. */

static void copy_in(const void *bytes, size_t size)
{
    size_t at = (queue.first + queue.used) % RING_BYTES,
           head = RING_BYTES - at < size ? RING_BYTES - at : size;
    memcpy(queue.ring + at, bytes, head);
    memcpy(queue.ring, (const unsigned char *)bytes + head, size - head);
    queue.used += size;
}

static void copy_out(void *bytes, size_t size)
{
    size_t head = RING_BYTES - queue.first < size ? RING_BYTES - queue.first : size;
    memcpy(bytes, queue.ring + queue.first, head);
    memcpy((unsigned char *)bytes + head, queue.ring, size - head);
    queue.first = (queue.first + size) % RING_BYTES;
    queue.used -= size;
}

static size_t take(char line[LOG_LINE_MAX])
{
    uint16_t size;
    copy_out(&size, sizeof size);
    copy_out(line, size);
    return size;
}

/* The thread */

/* Writes a line with the number of dropped lines. If the write fails, the number is kept for later. The
   mutex is held on entry and return, not during the write. */
static void write_dropped(void)
{
    struct log_text line;
    char count[24], reason[200];
    uint64_t no_room = queue.no_room, not_written = queue.not_written;
    if (!no_room && !not_written)
        return;
    snprintf(count, sizeof count, "%" PRIu64, no_room + not_written);
    snprintf(reason, sizeof reason, "%s%s%s", no_room ? "the log was not read fast enough" : "",
             no_room && not_written ? "; " : "", not_written ? strerror(queue.why) : "");
    log_text_begin(&line, LOG_LEVEL_WARN, "log-dropped");
    log_text_add(&line, "count", count);
    log_text_add(&line, "reason", reason);
    log_text_end(&line);
    pthread_mutex_unlock(&queue.mutex);
    bool ok = write_all(line.text, line.used);
    pthread_mutex_lock(&queue.mutex);
    if (!ok)
        return;
    queue.no_room -= no_room;
    queue.not_written -= not_written;
}

static void write_next(void)
{
    char line[LOG_LINE_MAX];
    write_dropped();
    size_t size = take(line);
    pthread_mutex_unlock(&queue.mutex);
    bool ok = write_all(line, size);
    int why = errno;
    pthread_mutex_lock(&queue.mutex);
    if (ok)
        return;
    queue.not_written++;
    queue.why = why;
}

static void *work(void *cls)
{
    (void)cls;
    int64_t minute_ms = clock_monotonic_ms() + MINUTE_MS;
    pthread_mutex_lock(&queue.mutex);
    while (queue.used || !queue.stopping) {
        if (queue.used) {
            write_next();
            continue;
        }
        if (thread_wait_until(&queue.changed, &queue.mutex, minute_ms))
            continue;
        minute_ms = clock_monotonic_ms() + MINUTE_MS;
        pthread_mutex_unlock(&queue.mutex);
        queue.every_minute();
        pthread_mutex_lock(&queue.mutex);
    }
    write_dropped();
    queue.ended = true;
    pthread_cond_broadcast(&queue.done);
    pthread_mutex_unlock(&queue.mutex);
    return NULL;
}

bool log_queue_start(void (*every_minute)(void), struct error *err)
{
    queue.every_minute = every_minute;
    queue.stopping = queue.ended = false;
    if (!thread_start("log", work, NULL, &queue.thread, err))
        return false;
    pthread_mutex_lock(&queue.mutex);
    queue.running = true;
    pthread_mutex_unlock(&queue.mutex);
    return true;
}

void log_queue_put(const char *line, size_t size, bool urgent)
{
    uint16_t length = (uint16_t)size;
    pthread_mutex_lock(&queue.mutex);
    bool running = queue.running;
    if (running && queue.used + sizeof length + size > RING_BYTES - (urgent ? 0 : URGENT_ONLY)) {
        queue.no_room++;
    } else if (running) {
        copy_in(&length, sizeof length);
        copy_in(line, size);
        pthread_cond_signal(&queue.changed);
    }
    pthread_mutex_unlock(&queue.mutex);
    if (!running)
        write_direct(line, size);
}

/* The mutex is held. */
static bool await_end(int64_t most_ms)
{
    int64_t until_ms = clock_monotonic_ms() + most_ms;
    bool in_time = true;
    while (in_time && !queue.ended)
        in_time = thread_wait_until(&queue.done, &queue.mutex, until_ms);
    return queue.ended;
}

void log_queue_stop(int64_t most_ms)
{
    pthread_mutex_lock(&queue.mutex);
    bool running = queue.running;
    queue.running = false;
    queue.stopping = true;
    pthread_cond_signal(&queue.changed);
    bool ended = running && await_end(most_ms);
    pthread_mutex_unlock(&queue.mutex);
    if (ended)
        thread_join(queue.thread);
    else if (running)
        pthread_detach(queue.thread);
}
