/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/console/live.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "server/console/live_rows.h"
#include "server/console/sessions.h"
#include "server/core/log.h"

#define BEAT_MS  25000 /* a comment, so that a proxy does not close the connection */
#define HINT_MS  1000  /* at most one hint in this time */
#define STUCK_MS 10000 /* a reader that takes no byte for so long is closed */

/* ---- Hints ---- */

static int hint_text(unsigned sorts, char out[160])
{
    static const struct {
        unsigned sort;
        const char *name;
    } names[] = {{DB_TOUCHED_PACKAGES, "packages"}, {DB_TOUCHED_PACKAGES, "queue"},
                 {DB_TOUCHED_DEVICES, "devices"},   {DB_TOUCHED_CAMPAIGNS, "campaigns"},
                 {DB_TOUCHED_IMAGES, "images"},     {DB_TOUCHED_UNKNOWN, "unknown"},
                 {DB_TOUCHED_WEBHOOKS, "webhooks"}};
    int used = snprintf(out, 160, "event: changed\ndata: {\"what\":[");
    bool any = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (sorts & names[i].sort) {
            used += snprintf(out + used, 160 - (size_t)used, "%s\"%s\"", any ? "," : "", names[i].name);
            any = true;
        }
    return used + snprintf(out + used, 160 - (size_t)used, "]}\n\n");
}

/* ---- Streams ---- */

void live_drop(struct live *live, unsigned i, const char *why)
{
    struct live_stream *stream = &live->stream[i];
    if (why) {
        struct log_number waiting;
        log_line(LOG_LEVEL_INFO, "events-cut", "reason", why, "size",
                 log_i64(&waiting, (long long)live_stream_waiting(stream)), NULL);
    }
    live_stream_end(stream);
    live->stream[i] = live->stream[--live->stream_count];
    atomic_fetch_sub(&live->count, 1);
}

static void add_to_all(struct live *live, const char *text, size_t len)
{
    for (unsigned i = live->stream_count; i-- > 0;)
        if (!live_stream_add(&live->stream[i], text, len))
            live_drop(live, i, "the peer reads too slowly");
}

static void tell_hints(struct live *live)
{
    char text[160];
    if (!live->hints || live->now_ms < live->hint_ms)
        return;
    add_to_all(live, text, (size_t)hint_text(live->hints, text));
    live->hints = 0;
    live->hint_ms = live->now_ms + HINT_MS;
}

static bool is_allowed(const struct live *live, const struct live_wish *wish)
{
    int64_t now_ms = clock_utc_ms();
    return sessions_token_is_known(live->sessions, &wish->token, now_ms) &&
           (!wish->has_session || sessions_is_alive(live->sessions, &wish->session, now_ms));
}

static void end_forbidden(struct live *live)
{
    for (unsigned i = live->stream_count; i-- > 0;)
        if (!is_allowed(live, &live->stream[i].wish))
            live_drop(live, i, NULL);
}

/* A stream that left out rows also tells up to where it has come. */
static void beat(struct live *live)
{
    if (live->now_ms < live->beat_ms)
        return;
    live->beat_ms = live->now_ms + BEAT_MS;
    end_forbidden(live);
    for (unsigned i = live->stream_count; i-- > 0;) {
        struct live_stream *stream = &live->stream[i];
        char text[48] = ":\n\n";
        if (stream->told < stream->after)
            snprintf(text, sizeof text, ":\nid: %lld\n\n", (long long)stream->after);
        stream->told = stream->after;
        if (!live_stream_add(stream, text, strlen(text)))
            live_drop(live, i, "the peer reads too slowly");
    }
}

static void send_all(struct live *live)
{
    for (unsigned i = live->stream_count; i-- > 0;) {
        struct live_stream *stream = &live->stream[i];
        if (!live_stream_send(stream, live->now_ms))
            live_drop(live, i, NULL);
        else if (live->now_ms - stream->moved_ms >= STUCK_MS)
            live_drop(live, i, "the peer reads too slowly");
    }
}

/* ---- The thread ---- */

static int wait_ms(const struct live *live)
{
    int64_t due_ms = live->beat_ms;
    if (!live->stream_count && !atomic_load(&live->count))
        return -1;
    if (live->hints && live->hint_ms < due_ms)
        due_ms = live->hint_ms;
    if ((live->rows_due || live_rows_anyone_behind(live) || atomic_load(&live->count) > live->stream_count) &&
        live->again_ms < due_ms)
        due_ms = live->again_ms;
    for (unsigned i = 0; i < live->stream_count; i++)
        if (live_stream_waiting(&live->stream[i]) && live->stream[i].moved_ms + STUCK_MS < due_ms)
            due_ms = live->stream[i].moved_ms + STUCK_MS;
    int64_t left_ms = due_ms - clock_boot_ms();
    return left_ms > 0 ? (int)left_ms : 0;
}

static void await_news(struct live *live)
{
    struct pollfd list[1 + LIVE_STREAMS_MAX] = {{.fd = live->wake_fd, .events = POLLIN}};
    const unsigned count = live->stream_count;
    for (unsigned i = 0; i < count; i++)
        list[1 + i] = (struct pollfd){
            .fd = live->stream[i].socket,
            .events = (short)(POLLIN | POLLRDHUP | (live_stream_waiting(&live->stream[i]) ? POLLOUT : 0))};
    poll(list, 1 + count, wait_ms(live));
    live->now_ms = clock_boot_ms();
    eventfd_t ignored;
    if (list[0].revents)
        eventfd_read(live->wake_fd, &ignored);
    for (unsigned i = 0; i < count; i++)
        if (!live_stream_waiting(&live->stream[i]))
            live->stream[i].moved_ms = live->now_ms;
    for (unsigned i = count; i-- > 0;)
        if ((list[1 + i].revents & (POLLIN | POLLRDHUP | POLLHUP | POLLERR)) &&
            !live_stream_drop_input(&live->stream[i]))
            live_drop(live, i, NULL);
}

static void *work(void *cls)
{
    struct live *live = cls;
    while (!atomic_load(&live->stopping)) {
        await_news(live);
        unsigned touched = atomic_exchange(&live->touched, 0);
        live->rows_due |= (touched & DB_TOUCHED_LEDGER) != 0;
        live->hints |= touched & LIVE_HINTS;
        if (atomic_exchange(&live->check, false))
            end_forbidden(live);
        live_rows_look(live);
        tell_hints(live);
        beat(live);
        send_all(live);
        if (!live->stream_count) {
            live->rows_due = false;
            live->hints = 0;
        }
    }
    while (live->stream_count)
        live_drop(live, live->stream_count - 1, NULL);
    return NULL;
}

/* ---- Other threads ---- */

static void wake(struct live *live)
{
    eventfd_write(live->wake_fd, 1);
}

bool live_take(struct live *live, const struct live_wish *wish, int socket, struct error *err)
{
    bool ok = true;
    pthread_mutex_lock(&live->mutex);
    if (atomic_load(&live->stopping))
        ok = error_set(err, ERROR_UNAVAILABLE, "the server stops");
    else if (atomic_load(&live->count) >= LIVE_STREAMS_MAX)
        ok = error_set(err, ERROR_UNAVAILABLE,
                       "%d streams of events are open already: close one, or ask GET /ledger for new rows",
                       LIVE_STREAMS_MAX);
    if (ok) {
        atomic_fetch_add(&live->count, 1);
        live->newcomer[live->newcomer_count++] = (struct newcomer){socket, *wish};
    }
    pthread_mutex_unlock(&live->mutex);
    if (ok)
        wake(live);
    return ok;
}

void live_wake(struct live *live, unsigned touched)
{
    if (atomic_load(&live->count) && atomic_fetch_or(&live->touched, touched) == 0)
        wake(live);
}

void live_check(struct live *live)
{
    atomic_store(&live->check, true);
    wake(live);
}

bool live_open(struct sessions *sessions, struct live **ret, struct error *err)
{
    struct live *live = calloc(1, sizeof *live);
    if (!live)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    live->sessions = sessions;
    live->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (live->wake_fd < 0) {
        free(live);
        return error_errno(err, errno, "cannot make an eventfd");
    }
    pthread_mutex_init(&live->mutex, NULL);
    *ret = live;
    return true;
}

bool live_start(struct live *live, struct reader_pool *reader_pool, struct error *err)
{
    live->reader_pool = reader_pool;
    live->is_started = thread_start("live", work, live, &live->thread, err);
    return live->is_started;
}

void live_stop(struct live *live)
{
    if (!live)
        return;
    pthread_mutex_lock(&live->mutex);
    atomic_store(&live->stopping, true);
    pthread_mutex_unlock(&live->mutex);
    wake(live);
    if (live->is_started)
        thread_join(live->thread);
    live->is_started = false;
    while (live->newcomer_count)
        close(live->newcomer[--live->newcomer_count].socket);
}

void live_close(struct live *live)
{
    if (!live)
        return;
    close(live->wake_fd);
    pthread_mutex_destroy(&live->mutex);
    free(live);
}
