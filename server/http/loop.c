/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/thread.h"
#include "server/http/direct.h"
#include "server/http/exchange.h"
#include "server/http/gate.h"
#include "server/http/keep.h"
#include "server/http/pacing.h"

#define EVENTS_PER_TURN     128
#define LINGER_MS           10000
#define LONGEST_WAIT_MS     60000 /* notices are logged as often */
#define ADDRESS_SHARE_LEAST 16    /* with few connections the limit alone is enough */
#define ANSWER_LOOKS        4     /* per idle_timeout_ms */

/* libmicrohttpd's record for each part of a head, and its memory for the head of the answer. */
#define POOL_PER_PART 80
#define POOL_ANSWER   4096

static char listen_mark, wake_mark,
    daemon_mark; /* their addresses stand for the sockets that are no connection */

static void free_dead(struct loop *loop)
{
    while (loop->dead) {
        struct connection *connection = loop->dead;
        loop->dead = connection->next;
        free(connection);
    }
}

static void end_turn(struct loop *loop)
{
    if (loop->turn)
        loop->config->end_turn(loop->turn);
    loop->turn = NULL;
    free_dead(loop);
}

static void resume(struct connection *connection)
{
    if (connection->place == PLACE_DIRECT) {
        direct_resume(connection);
        return;
    }
    MHD_resume_connection(connection->mhd);
    connection->loop->run_daemon = true;
}

static void resume_paused(struct loop *loop, int64_t now_ms)
{
    for (struct connection *connection; (connection = pacing_next(loop, now_ms));)
        resume(connection);
}

static void resume_answered(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct connection *connection = loop->answered;
    loop->answered = NULL;
    pthread_mutex_unlock(&loop->lock);
    while (connection) {
        struct connection *next = connection->next;
        loop->suspended--;
        if (connection->vetting)
            gate_vetted(connection);
        else
            resume(connection);
        connection = next;
    }
}

static struct arrival *take_arrivals(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct arrival *arrivals = loop->arrivals;
    loop->arrivals = NULL;
    pthread_mutex_unlock(&loop->lock);
    return arrivals;
}

static void welcome_arrivals(struct loop *loop)
{
    for (struct arrival *arrival = take_arrivals(loop), *next; arrival; arrival = next) {
        next = arrival->next;
        gate_welcome(loop, arrival->fd, &arrival->peer, true);
        free(arrival);
    }
}

static void drop_arrivals(struct loop *loop)
{
    for (struct arrival *arrival = take_arrivals(loop), *next; arrival; arrival = next) {
        next = arrival->next;
        close(arrival->fd);
        free(arrival);
    }
}

void loop_give(struct loop *loop, int fd, const struct sockaddr_storage *peer)
{
    struct arrival *arrival = malloc(sizeof *arrival);
    if (!arrival) {
        close(fd);
        return;
    }
    *arrival = (struct arrival){.fd = fd, .peer = *peer};
    pthread_mutex_lock(&loop->lock);
    arrival->next = loop->arrivals;
    loop->arrivals = arrival;
    pthread_mutex_unlock(&loop->lock);
    capacity_wake(&loop->shared);
}

static void watch_listen(struct loop *loop, bool on)
{
    struct epoll_event event = {.events = on ? EPOLLIN : 0, .data.ptr = &listen_mark};
    epoll_ctl(loop->epoll, EPOLL_CTL_MOD, loop->listen, &event);
}

static void accept_some(struct loop *loop)
{
    gate_accept(loop);
    if (loop->accept_again_ms)
        watch_listen(loop, false);
}

/* Empties the queue first: the kernel would reset the connections in it when the listening socket closes. */
static void stop_accepting(struct loop *loop)
{
    if (loop->listen < 0)
        return;
    while (gate_accept(loop))
        ;
    loop->accept_again_ms = 0;
    close(loop->listen);
    loop->listen = -1;
    capacity_end_accepting(loop->capacity);
}

static void late(struct connection *connection, enum deadline kind)
{
    switch (kind) {
    case DEADLINE_HEAD:
    case DEADLINE_KEPT:
        gate_late(connection);
        return;
    case DEADLINE_BODY:
    case DEADLINE_STREAM:
        exchange_late(connection);
        return;
    case DEADLINE_ANSWER:
        exchange_check(connection);
        return;
    case DEADLINE_LINGER:
        connection_end(connection);
        return;
    case DEADLINE_NONE:
    case DEADLINES:
        return;
    }
}

static void look_at_deadlines(struct loop *loop)
{
    for (enum deadline kind = DEADLINE_NONE + 1; kind < DEADLINES; kind++) {
        struct connection *connection;
        while ((connection = TAILQ_FIRST(&loop->list[kind])) && connection->due_ms <= loop->now_ms) {
            connection_set_deadline(connection, DEADLINE_NONE);
            late(connection, kind);
        }
    }
    if (loop->accept_again_ms && loop->accept_again_ms <= loop->now_ms && loop->listen >= 0) {
        loop->accept_again_ms = 0;
        watch_listen(loop, true);
    }
}

/* Milliseconds until the next deadline, -1 for never. */
static int wait_ms(const struct loop *loop)
{
    MHD_UNSIGNED_LONG_LONG daemon_ms;
    if (loop->run_daemon || (MHD_get_timeout(loop->daemon, &daemon_ms) == MHD_YES && daemon_ms == 0))
        return 0;
    int64_t due = pacing_due_ms(loop);
    if (loop->accept_again_ms && loop->accept_again_ms < due)
        due = loop->accept_again_ms;
    for (enum deadline kind = DEADLINE_NONE + 1; kind < DEADLINES; kind++) {
        const struct connection *connection = TAILQ_FIRST(&loop->list[kind]);
        if (connection && connection->due_ms < due)
            due = connection->due_ms;
    }
    if (due == INT64_MAX && !atomic_load(&loop->capacity->notices.waiting))
        return -1;
    int64_t left = due - clock_boot_ms();
    return left <= 0 ? 0 : left > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : (int)left;
}

static void handle_events(struct loop *loop, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        void *mark = events[i].data.ptr;
        if (mark == &listen_mark) {
            if (loop->listen >= 0)
                accept_some(loop);
        } else if (mark == &wake_mark) {
            uint64_t ignored;
            (void)!read(loop->shared.wake_fd, &ignored, sizeof ignored);
        } else if (mark == &daemon_mark) {
            loop->run_daemon = true;
        } else {
            gate_ready(mark, events[i].events);
        }
    }
}

/* libmicrohttpd polls its own sockets without waiting here, so its stall at 128·k ready sockets cannot
   happen. */
static void run_daemon(struct loop *loop)
{
    MHD_UNSIGNED_LONG_LONG daemon_ms;
    if (!loop->run_daemon && !(MHD_get_timeout(loop->daemon, &daemon_ms) == MHD_YES && daemon_ms == 0))
        return;
    loop->run_daemon = false;
    MHD_run(loop->daemon);
}

static void obey_listener(struct loop *loop)
{
    if (!loop->draining && atomic_load(&loop->capacity->draining)) {
        loop->draining = true;
        stop_accepting(loop);
        gate_close_silent(loop);
    }
    if (atomic_exchange(&loop->shared.room_wanted, false))
        gate_make_room(loop);
    loop->stopping = atomic_load(&loop->capacity->stopping);
}

static void close_all(struct loop *loop)
{
    stop_accepting(loop);
    drop_arrivals(loop);
    for (enum deadline kind = DEADLINE_NONE + 1; kind < DEADLINES; kind++) {
        struct connection *connection = TAILQ_FIRST(&loop->list[kind]);
        while (connection) {
            struct connection *next = TAILQ_NEXT(connection, in_deadlines);
            if (connection->place != PLACE_DAEMON)
                connection_end(connection);
            connection = next;
        }
    }
    resume_paused(loop, INT64_MAX); /* libmicrohttpd cannot end with suspended connections */
    MHD_stop_daemon(loop->daemon);
    end_turn(loop);
}

static void *loop_main(void *cls)
{
    struct loop *loop = cls;
    struct epoll_event events[EVENTS_PER_TURN];
    loop->now_ms = clock_boot_ms();
    while (!loop->stopping || loop->suspended) {
        int count = epoll_wait(loop->epoll, events, EVENTS_PER_TURN, wait_ms(loop));
        loop->now_ms = clock_boot_ms();
        atomic_store(&loop->shared.turned_ms, clock_monotonic_ms());
        handle_events(loop, events, count);
        welcome_arrivals(loop);
        obey_listener(loop);
        look_at_deadlines(loop);
        notices_log(&loop->capacity->notices, loop->now_ms);
        resume_answered(loop);
        resume_paused(loop, loop->now_ms);
        run_daemon(loop);
        end_turn(loop);
    }
    close_all(loop);
    return NULL;
}

static struct MHD_Daemon *start_daemon(struct loop *loop)
{
    const struct listener_config *config = loop->config;
    /* libmicrohttpd keeps the head twice for a moment, and a record for each part. When its pool is full,
       it answers with 431 in HTML. */
    size_t least = 2 * (size_t)config->max_head_bytes + HEAD_PARTS_MAX * POOL_PER_PART + POOL_ANSWER;
    size_t pool = config->memory_per_connection > least ? config->memory_per_connection : least;
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET, 0, NULL,
                            NULL, exchange_on_request, NULL, MHD_OPTION_NOTIFY_COMPLETED,
                            exchange_on_completed, loop, MHD_OPTION_NOTIFY_CONNECTION, exchange_on_connection,
                            loop, MHD_OPTION_CONNECTION_MEMORY_LIMIT, pool, MHD_OPTION_CONNECTION_LIMIT,
                            config->max_connections + 2 * EVENTS_PER_TURN, MHD_OPTION_CONNECTION_TIMEOUT, 0u,
                            MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

static bool add(struct loop *loop, int fd, void *mark)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = mark};
    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void destroy(struct loop *loop)
{
    if (loop->listen >= 0)
        close(loop->listen);
    if (loop->epoll >= 0)
        close(loop->epoll);
    if (loop->shared.wake_fd >= 0)
        close(loop->shared.wake_fd);
    if (loop->dead_fd >= 0)
        close(loop->dead_fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop->scratch);
    free(loop);
}

/* The share of one loop in max_connections / divisor, at least 1. */
static unsigned share_of(const struct listener_config *config, unsigned divisor)
{
    unsigned loops = config->loops ? config->loops : 1;
    unsigned share = config->max_connections / divisor / loops;
    return share ? share : 1;
}

static bool prepare(struct loop *loop, struct error *err)
{
    const struct listener_config *config = loop->config;
    loop->scratch = malloc(SCRATCH_BYTES);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->shared.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    loop->dead_fd = keep_dead_socket();
    if (!loop->scratch || loop->epoll < 0 || loop->shared.wake_fd < 0 || loop->dead_fd < 0)
        return error_errno(err, errno, "an event loop cannot be made");
    unsigned beyond = share_of(config, 8);
    loop->beyond_max = beyond < 8 ? 8 : beyond > 256 ? 256 : beyond;
    unsigned share = share_of(config, 2);
    crowd_init(&loop->crowd, share < ADDRESS_SHARE_LEAST ? ADDRESS_SHARE_LEAST : share);
    for (enum deadline kind = DEADLINE_NONE; kind < DEADLINES; kind++)
        TAILQ_INIT(&loop->list[kind]);
    TAILQ_INIT(&loop->paused);
    loop->kept_max = share;
    loop->limit_ms[DEADLINE_HEAD] = config->head_timeout_ms;
    loop->limit_ms[DEADLINE_KEPT] = config->keep_alive_ms;
    loop->limit_ms[DEADLINE_BODY] = config->body_timeout_ms;
    loop->limit_ms[DEADLINE_STREAM] = config->idle_timeout_ms;
    loop->limit_ms[DEADLINE_ANSWER] = config->idle_timeout_ms / ANSWER_LOOKS + 1;
    loop->limit_ms[DEADLINE_LINGER] = LINGER_MS;
    atomic_store(&loop->shared.turned_ms, clock_monotonic_ms());
    loop->daemon = start_daemon(loop);
    if (!loop->daemon)
        return error_set(err, ERROR_INTERNAL, "libmicrohttpd does not start");
    int daemon_fd = MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    if (!add(loop, loop->listen, &listen_mark) || !add(loop, loop->shared.wake_fd, &wake_mark) ||
        !add(loop, daemon_fd, &daemon_mark))
        return error_errno(err, errno, "an event loop cannot watch its sockets");
    return true;
}

/* SIGPIPE is blocked in the thread: a connection that the peer closes during sendfile(2) must not end the program. */
static bool start_thread(struct loop *loop, struct error *err)
{
    char name[16];
    snprintf(name, sizeof name, "http-%.10s", loop->config->name);
    return thread_start(name, loop_main, loop, &loop->thread, err);
}

bool loop_start(struct capacity *capacity, const struct listener_config *config, int socket,
                struct loop **ret, struct error *err)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        close(socket);
        return error_set(err, ERROR_INTERNAL, "out of memory");
    }
    loop->capacity = capacity;
    loop->config = config;
    loop->listen = socket;
    loop->epoll = loop->shared.wake_fd = loop->dead_fd = -1;
    pthread_mutex_init(&loop->lock, NULL);
    capacity_begin_accepting(capacity);
    if (prepare(loop, err) && start_thread(loop, err)) {
        capacity_add_loop(capacity, &loop->shared);
        *ret = loop;
        return true;
    }
    capacity_end_accepting(capacity);
    if (loop->daemon)
        MHD_stop_daemon(loop->daemon);
    destroy(loop);
    return false;
}

void loop_join(struct loop *loop)
{
    capacity_wake(&loop->shared);
    thread_join(loop->thread);
    destroy(loop);
}
