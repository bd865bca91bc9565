/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the loops of one listener share: how many connections and bytes of bodies there are, whether the listener drains or
   stops, and how one loop wakes another. Internal to the http folder; any thread. */
#ifndef DFOTA_SERVER_HTTP_CAPACITY_H
#define DFOTA_SERVER_HTTP_CAPACITY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include "server/http/listener_config.h"
#include "server/http/notice.h"

/* One loop as the others see it; a part of struct loop. */
struct capacity_loop {
    int wake_fd; /* its eventfd */
    _Atomic bool
        room_wanted; /* another loop asks it to close its oldest connection without a whole request */
    _Atomic int64_t turned_ms; /* begin of its last turn, monotonic clock */
    LIST_ENTRY(capacity_loop) in_loops;
};

LIST_HEAD(capacity_loops, capacity_loop);

struct capacity {
    unsigned max_connections;
    const struct transfers *transfers; /* their trailing sockets count against the limit; may be NULL */
    uint64_t max_bodies_bytes;         /* 0: no limit */
    struct notices notices;
    _Atomic unsigned connections; /* without those that linger */
    _Atomic uint64_t bodies_bytes;
    _Atomic unsigned accepting; /* loops with a listening socket */
    _Atomic bool draining, stopping;
    pthread_mutex_t lock; /* guards loops; with `quiet`: one of the counts has come down to 0 */
    pthread_cond_t quiet;
    struct capacity_loops loops;
};

void capacity_init(struct capacity *capacity, const struct listener_config *config);
void capacity_destroy(struct capacity *capacity); /* after all loops have ended */

bool capacity_take_connection(struct capacity *capacity); /* false: the limit is reached */
void capacity_give_connection(struct capacity *capacity);
bool capacity_take_bodies(struct capacity *capacity, uint64_t bytes); /* false: the limit would be exceeded */
void capacity_give_bodies(struct capacity *capacity, uint64_t bytes);

/* A loop counts from before its start until it has closed its listening socket. */
void capacity_begin_accepting(struct capacity *capacity);
void capacity_end_accepting(struct capacity *capacity);

void capacity_add_loop(struct capacity *capacity, struct capacity_loop *loop);
/* Makes the loop look at the flags, at room_wanted and at its list of answered connections. */
void capacity_wake(const struct capacity_loop *loop);
/* Each other loop closes its oldest connection without a whole request. */
void capacity_ask_room(struct capacity *capacity, const struct capacity_loop *asking);

/* Makes the loops close their listening sockets and waits until no connection is left, at most deadline_ms. False: some
   are left. */
bool capacity_drain(struct capacity *capacity, int64_t deadline_ms);
/* Makes the loops end. From now on no loop wakes another. */
void capacity_stop(struct capacity *capacity);

#endif
