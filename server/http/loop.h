/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One event loop of a listener: its thread, listening socket, epoll and libmicrohttpd daemon. Internal to the
   http folder.

   libmicrohttpd's own loops stall when exactly 128·k sockets become ready at once, and lose wake-ups of
   resumed connections; so the loop is ours: it waits for libmicrohttpd's epoll descriptor, its own listening
   socket, its eventfd and the sockets at the gate, and then lets libmicrohttpd run without waiting. */
#ifndef DFOTA_SERVER_HTTP_LOOP_H
#define DFOTA_SERVER_HTTP_LOOP_H

#include <pthread.h>
#include <sys/queue.h>
#include "server/http/exchange.h"
#include "server/http/crowd.h"
#include "server/http/listener.h"
#include "server/http/notice.h"

#define SCRATCH_BYTES (64 * 1024) /* a refusal looks this far for a Range header */

TAILQ_HEAD(deadline_list, exchange);

struct loop {
    struct listener *listener;
    const struct listener_config *config; /* the listener's copy */
    pthread_t thread;
    int epoll, wake, listen;
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
    _Atomic bool room_wanted; /* by another loop */
    struct exchange *handing; /* on its way into libmicrohttpd */
    struct exchange *dead;    /* freed at the end of the turn: an event of this turn may still name them */

    pthread_mutex_t lock;      /* guards answered */
    struct exchange *answered; /* to be resumed, newest first */
};

/* Makes the loop around a bound, listening socket (owned from then on) and starts its thread. */
bool loop_start(struct listener *listener, const struct listener_config *config, int socket,
                struct loop **ret, struct error *err);
/* Any thread: makes the loop look at the listener's flags and its answered list. */
void loop_wake(struct loop *loop);
/* After the listener's stop flag is set: waits for the thread, frees. */
void loop_join(struct loop *loop);

/* The following: loop's thread only, but for loop_answered. */
void loop_deadline(struct exchange *exchange, enum deadline kind);
void loop_answered(struct exchange *exchange);
void loop_bury(struct exchange *exchange); /* no longer counted, freed soon; closes fd when it is its own */

void loop_count_out(struct exchange *exchange); /* its place is free for another one */

/* listener.c */
unsigned listener_share(const struct listener *listener,
                        unsigned divisor); /* of max_connections, for one loop */
struct notices *listener_notices(struct listener *listener);
void listener_ask_room(
    struct listener *listener,
    const struct loop *asking); /* each other loop drops the oldest one whose request is not whole */
bool listener_bodies_take(struct listener *listener, uint64_t bytes); /* false: there is no room for them */
void listener_bodies_give(struct listener *listener, uint64_t bytes);

/* listener.c: counts connections that are not lingering. */
bool listener_count_in(struct listener *listener); /* false: the limit is reached; not counted then */
void listener_count_out(struct listener *listener);
void listener_loop_closed(struct listener *listener); /* its listening socket */
bool listener_is_draining(struct listener *listener);
bool listener_is_stopping(struct listener *listener);

#endif
