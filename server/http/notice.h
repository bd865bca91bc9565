/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a listener does to connections under pressure, told in the log once a minute each, with how often. Internal to
   the http folder; any thread. */
#ifndef DFOTA_SERVER_HTTP_NOTICE_H
#define DFOTA_SERVER_HTTP_NOTICE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum notice {
    NOTICE_OLDEST,  /* at the limit the oldest connection without a whole request was closed */
    NOTICE_ADDRESS, /* the same where one address had more than its share */
    NOTICE_REFUSED, /* at the limit a whole request was refused */
    NOTICE_BODIES,  /* a body was refused: those under way take all the memory there is for them */
    NOTICE_SLOW,    /* a peer took an answer too slowly */
    NOTICE_ACCEPT,  /* no descriptor or memory to accept a connection */
    NOTICES
};

struct notices {
    const char *listener;
    pthread_mutex_t lock; /* guards the rest, but for waiting */
    struct {
        uint64_t count;  /* not told yet */
        int64_t next_ms; /* boot clock: not told before */
        int error;       /* errno of the last one; 0: none */
    } of[NOTICES];
    _Atomic bool waiting; /* something is not told yet */
};

void notices_init(struct notices *notices, const char *listener);
void notices_end(struct notices *notices);
/* Tells the first one at once. */
void notices_count(struct notices *notices, enum notice what, int error, int64_t now_ms);
/* Tells what has waited for a minute. Called once in a while. */
void notices_tell(struct notices *notices, int64_t now_ms);

#endif
