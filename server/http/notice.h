/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Log lines about a listener at its limits: each kind once a minute, with a count. Internal to the http
   folder; any thread. */
#ifndef DFOTA_SERVER_HTTP_NOTICE_H
#define DFOTA_SERVER_HTTP_NOTICE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum notice {
    NOTICE_OLDEST,  /* at the limit: the oldest connection with an incomplete request was closed */
    NOTICE_ADDRESS, /* the same, because one address had more than its share */
    NOTICE_REFUSED, /* at the limit: a complete request was refused */
    NOTICE_BODIES,  /* a body was refused: the memory for bodies is in use */
    NOTICE_SLOW,    /* a peer took an answer too slowly */
    NOTICE_ACCEPT,  /* no descriptor or memory to accept a connection */
    NOTICES
};

struct notices {
    const char *listener;
    pthread_mutex_t lock; /* guards the rest, except waiting */
    struct {
        uint64_t count;  /* not logged yet */
        int64_t next_ms; /* boot clock: not logged before */
        int error;       /* errno of the last one; 0: none */
    } of[NOTICES];
    _Atomic bool waiting; /* a count is not logged yet */
};

void notices_init(struct notices *notices, const char *listener);
void notices_end(struct notices *notices);
/* Counts one. Logs the first one at once. */
void notices_count(struct notices *notices, enum notice what, int error, int64_t now_ms);
/* Logs counts that have waited for a minute. Called regularly. */
void notices_log(struct notices *notices, int64_t now_ms);

#endif
