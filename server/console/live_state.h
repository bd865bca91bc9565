/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The state of the streams of events. Internal to live.c and live_rows.c. */
#ifndef DFOTA_SERVER_CONSOLE_LIVE_STATE_H
#define DFOTA_SERVER_CONSOLE_LIVE_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include "server/console/live_stream.h"

/* Sorts of rows that hints tell of. */
#define LIVE_HINTS                                                                                           \
    (DB_TOUCHED_IMAGES | DB_TOUCHED_PACKAGES | DB_TOUCHED_DEVICES | DB_TOUCHED_CAMPAIGNS |                   \
     DB_TOUCHED_UNKNOWN | DB_TOUCHED_WEBHOOKS)

struct newcomer {
    int socket;
    struct live_wish wish;
};

struct live {
    struct sessions *sessions;
    struct reader_pool *reader_pool;
    pthread_t thread;
    bool is_started;
    int wake_fd;
    _Atomic unsigned touched; /* since the thread last looked */
    _Atomic unsigned count;   /* streams and newcomers */
    atomic_bool stopping, check;

    pthread_mutex_t mutex; /* guards the next two, and the growth of `count` */
    struct newcomer newcomer[LIVE_STREAMS_MAX];
    unsigned newcomer_count;

    /* The thread's */
    struct live_stream stream[LIVE_STREAMS_MAX];
    unsigned stream_count;
    int64_t seq;                                /* the last row that was read for all streams */
    bool rows_due;                              /* there may be newer rows */
    unsigned hints;                             /* sorts to be told */
    int64_t now_ms, beat_ms, hint_ms, again_ms; /* boot clock */
};

/* The thread: ends the stream at index i; the last one takes its index. `why` for the log, NULL: nothing to log. */
void live_drop(struct live *live, unsigned i, const char *why);

#endif
