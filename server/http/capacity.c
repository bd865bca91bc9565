/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/capacity.h"

#include <unistd.h>
#include "base/clock.h"
#include "base/thread.h"
#include "server/http/transfer.h"

void capacity_init(struct capacity *capacity, const struct listener_config *config)
{
    capacity->max_connections = config->max_connections;
    capacity->transfers = config->transfers;
    capacity->max_bodies_bytes = config->max_bodies_bytes;
    notices_init(&capacity->notices, config->name);
    LIST_INIT(&capacity->loops);
    pthread_mutex_init(&capacity->lock, NULL);
    pthread_cond_init(&capacity->quiet, NULL);
}

void capacity_destroy(struct capacity *capacity)
{
    notices_end(&capacity->notices);
    pthread_cond_destroy(&capacity->quiet);
    pthread_mutex_destroy(&capacity->lock);
}

bool capacity_take_connection(struct capacity *capacity)
{
    unsigned trailing = capacity->transfers ? transfers_trailing(capacity->transfers) : 0;
    if (atomic_fetch_add(&capacity->connections, 1) + trailing < capacity->max_connections)
        return true;
    capacity_give_connection(capacity);
    return false;
}

static void signal_quiet(struct capacity *capacity)
{
    pthread_mutex_lock(&capacity->lock);
    pthread_cond_broadcast(&capacity->quiet);
    pthread_mutex_unlock(&capacity->lock);
}

void capacity_give_connection(struct capacity *capacity)
{
    if (atomic_fetch_sub(&capacity->connections, 1) == 1 && atomic_load(&capacity->draining))
        signal_quiet(capacity);
}

bool capacity_take_bodies(struct capacity *capacity, uint64_t bytes)
{
    uint64_t most = capacity->max_bodies_bytes;
    uint64_t before = atomic_fetch_add(&capacity->bodies_bytes, bytes);
    if (!most || before + bytes <= most)
        return true;
    capacity_give_bodies(capacity, bytes);
    return false;
}

void capacity_give_bodies(struct capacity *capacity, uint64_t bytes)
{
    atomic_fetch_sub(&capacity->bodies_bytes, bytes);
}

void capacity_begin_accepting(struct capacity *capacity)
{
    atomic_fetch_add(&capacity->accepting, 1);
}

void capacity_end_accepting(struct capacity *capacity)
{
    if (atomic_fetch_sub(&capacity->accepting, 1) == 1)
        signal_quiet(capacity);
}

void capacity_add_loop(struct capacity *capacity, struct capacity_loop *loop)
{
    pthread_mutex_lock(&capacity->lock);
    LIST_INSERT_HEAD(&capacity->loops, loop, in_loops);
    pthread_mutex_unlock(&capacity->lock);
}

void capacity_wake(const struct capacity_loop *loop)
{
    uint64_t one = 1;
    (void)!write(loop->wake_fd, &one, sizeof one); /* fails only when it is set already */
}

static void wake_all(struct capacity *capacity)
{
    struct capacity_loop *loop;
    LIST_FOREACH (loop, &capacity->loops, in_loops)
        capacity_wake(loop);
}

void capacity_ask_room(struct capacity *capacity, const struct capacity_loop *asking)
{
    struct capacity_loop *loop;
    pthread_mutex_lock(&capacity->lock);
    LIST_FOREACH (loop, &capacity->loops, in_loops) {
        if (loop == asking)
            continue;
        atomic_store(&loop->room_wanted, true);
        capacity_wake(loop);
    }
    pthread_mutex_unlock(&capacity->lock);
}

static bool is_quiet(struct capacity *capacity)
{
    return atomic_load(&capacity->accepting) == 0 && atomic_load(&capacity->connections) == 0;
}

bool capacity_drain(struct capacity *capacity, int64_t deadline_ms)
{
    int64_t until_ms = clock_monotonic_ms() + deadline_ms;
    bool in_time = true;
    atomic_store(&capacity->draining, true);
    pthread_mutex_lock(&capacity->lock);
    wake_all(capacity);
    while (!is_quiet(capacity) && in_time)
        in_time = thread_wait_until(&capacity->quiet, &capacity->lock, until_ms);
    pthread_mutex_unlock(&capacity->lock);
    return is_quiet(capacity);
}

void capacity_stop(struct capacity *capacity)
{
    atomic_store(&capacity->stopping, true);
    pthread_mutex_lock(&capacity->lock);
    wake_all(capacity);
    LIST_INIT(&capacity->loops); /* a loop that still runs must not wake one that has ended */
    pthread_mutex_unlock(&capacity->lock);
}
