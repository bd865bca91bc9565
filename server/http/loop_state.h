/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The state of one event loop, as its connections use it. loop.c makes the state and runs the loop.
   Internal to the http folder; loop's thread, except `shared`, `lock` and what it guards. */
#ifndef DFOTA_SERVER_HTTP_LOOP_STATE_H
#define DFOTA_SERVER_HTTP_LOOP_STATE_H

#include <pthread.h>
#include <sys/queue.h>
#include "server/http/capacity.h"
#include "server/http/crowd.h"
#include "server/http/listener_config.h"

#define SCRATCH_BYTES (64 * 1024) /* a refusal searches this many bytes for a Range header */

struct connection;
struct MHD_Daemon;

/* A socket on its way into the loop. */
struct arrival {
    int fd;
    struct sockaddr_storage peer;
    struct arrival *next;
};

enum deadline {
    DEADLINE_NONE,
    DEADLINE_HEAD,   /* for the complete head */
    DEADLINE_KEPT,   /* for the first byte of the next request */
    DEADLINE_BODY,   /* for a complete body that is kept in memory */
    DEADLINE_STREAM, /* for the next bytes of a streamed body */
    DEADLINE_ANSWER, /* time to check what the peer has acknowledged of the answer */
    DEADLINE_LINGER, /* for the close of the peer */
    DEADLINES
};

TAILQ_HEAD(deadline_list, connection);

struct loop {
    struct capacity *capacity;
    struct capacity_loop shared;          /* what other loops may use */
    const struct listener_config *config; /* of the listener */
    pthread_t thread;
    int epoll, listen;
    struct MHD_Daemon *daemon;
    char *scratch; /* SCRATCH_BYTES, for the bytes of a head */

    int64_t now_ms;              /* boot clock, read once a turn */
    int64_t limit_ms[DEADLINES]; /* each kind has one duration, so each list is in order */
    struct deadline_list list[DEADLINES];
    int64_t accept_again_ms; /* without descriptors: the time of the next accept; 0 when accepting */

    bool draining, stopping;
    bool run_daemon; /* libmicrohttpd has something to do */
    unsigned suspended;
    unsigned lingering;
    unsigned beyond;     /* connections that wait at the gate beyond the limit */
    unsigned beyond_max; /* limit of `beyond`, and of `lingering`; beyond it the oldest is closed */
    unsigned kept;       /* connections that wait for their next request */
    unsigned kept_max;   /* beyond it the one that is idle for the longest time is closed */
    int dead_fd;         /* a socket whose peer has closed (keep.h) */
    struct crowd crowd;
    struct deadline_list paused; /* sent at a limited rate, earliest first (pacing.h) */
    void *turn;                  /* of request->turn */
    struct connection *handing;  /* is being handed to libmicrohttpd */
    struct connection *dead; /* freed at the end of the turn: an event of this turn may still point to them */

    pthread_mutex_t lock;        /* guards all below */
    struct connection *answered; /* to be resumed, newest first */
    struct arrival *arrivals;    /* sockets that were given to the loop, newest first */
};

#endif
