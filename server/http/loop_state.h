/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The state of one event loop, which its connections work with. loop.c makes it and runs the loop. Internal to the http
   folder; loop's thread, but for what says otherwise. */
#ifndef DFOTA_SERVER_HTTP_LOOP_STATE_H
#define DFOTA_SERVER_HTTP_LOOP_STATE_H

#include <pthread.h>
#include <sys/queue.h>
#include "server/http/capacity.h"
#include "server/http/crowd.h"
#include "server/http/listener_config.h"

#define SCRATCH_BYTES (64 * 1024) /* a refusal looks this far for a Range header */

struct connection;
struct MHD_Daemon;

enum deadline {
    DEADLINE_NONE,
    DEADLINE_HEAD,   /* the head is whole by then */
    DEADLINE_BODY,   /* a body kept in memory is whole by then */
    DEADLINE_STREAM, /* more of a streamed body came by then */
    DEADLINE_ANSWER, /* time to look whether the peer has acknowledged more of its answer */
    DEADLINE_LINGER, /* the peer has closed by then */
    DEADLINES
};

TAILQ_HEAD(deadline_list, connection);

struct loop {
    struct capacity *capacity;
    struct capacity_loop shared;          /* what other loops may touch */
    const struct listener_config *config; /* of the listener */
    pthread_t thread;
    int epoll, listen;
    struct MHD_Daemon *daemon;
    char *scratch; /* SCRATCH_BYTES: heads are peeked into it */

    int64_t now_ms;              /* boot clock, read once a turn */
    int64_t limit_ms[DEADLINES]; /* each kind has one duration, so each list is in order */
    struct deadline_list list[DEADLINES];
    int64_t accept_again_ms; /* out of descriptors: not before; 0 when accepting */

    bool draining, stopping;
    bool run_daemon; /* it has something to do */
    unsigned suspended;
    unsigned lingering;
    unsigned beyond;     /* wait at the gate though the limit is reached */
    unsigned beyond_max; /* of these, and of those that linger; more: the oldest goes */
    struct crowd crowd;
    struct connection *handing; /* on its way into libmicrohttpd */
    struct connection *dead;    /* freed at the end of the turn: an event of this turn may still name them */

    pthread_mutex_t lock;        /* guards answered */
    struct connection *answered; /* to be resumed, newest first */
};

#endif
