/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/notice.h"

#include <stdlib.h>
#include <string.h>
#include "server/core/log.h"

#define BETWEEN_MS 60000

static const struct {
    const char *event, *reason;
} text[NOTICES] = {
    [NOTICE_OLDEST] =
        {"connections-dropped",
         "the limit of connections is reached: the oldest with an incomplete request is closed"},
    [NOTICE_ADDRESS] = {"connections-dropped",
                        "one address has too many incomplete requests: its oldest is closed"},
    [NOTICE_REFUSED] = {"connections-refused", "the limit of connections is reached"},
    [NOTICE_BODIES] = {"bodies-refused", "the memory for bodies is in use"},
    [NOTICE_SLOW] = {"connections-slow", "the peer read its answer too slowly: the connection was reset"},
    [NOTICE_ACCEPT] = {"accept-failed", NULL},
};

void notices_init(struct notices *notices, const char *listener)
{
    notices->listener = listener;
    pthread_mutex_init(&notices->lock, NULL);
}

static void log_notice(struct notices *notices, enum notice what, int64_t now_ms)
{
    struct log_number count;
    log_line(LOG_LEVEL_WARN, text[what].event, "listener", notices->listener, "count",
             log_i64(&count, (long long)notices->of[what].count), "reason", text[what].reason, "error",
             notices->of[what].error ? strerrordesc_np(notices->of[what].error) : NULL, NULL);
    notices->of[what].count = 0;
    notices->of[what].next_ms = now_ms + BETWEEN_MS;
}

static void log_due(struct notices *notices, int64_t now_ms, bool all)
{
    bool waiting = false;
    for (enum notice what = 0; what < NOTICES; what++) {
        if (notices->of[what].count && (all || notices->of[what].next_ms <= now_ms))
            log_notice(notices, what, now_ms);
        waiting = waiting || notices->of[what].count;
    }
    atomic_store(&notices->waiting, waiting);
}

void notices_count(struct notices *notices, enum notice what, int error, int64_t now_ms)
{
    pthread_mutex_lock(&notices->lock);
    notices->of[what].count++;
    notices->of[what].error = error;
    log_due(notices, now_ms, false);
    pthread_mutex_unlock(&notices->lock);
}

void notices_log(struct notices *notices, int64_t now_ms)
{
    if (!atomic_load(&notices->waiting))
        return;
    pthread_mutex_lock(&notices->lock);
    log_due(notices, now_ms, false);
    pthread_mutex_unlock(&notices->lock);
}

void notices_end(struct notices *notices)
{
    pthread_mutex_lock(&notices->lock);
    log_due(notices, 0, true);
    pthread_mutex_unlock(&notices->lock);
    pthread_mutex_destroy(&notices->lock);
}
