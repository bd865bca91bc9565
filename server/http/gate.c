/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/gate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <microhttpd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "server/http/admit.h"
#include "server/http/direct.h"
#include "server/http/keep.h"
#include "server/core/thread_pool.h"

#define ACCEPTS_PER_TURN 64
#define ACCEPT_PAUSE_MS  100 /* out of descriptors or memory */

static void peer_text(const struct sockaddr_storage *address, char out[64])
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
        snprintf(out, 64, "%s:%u", host, ntohs(four->sin_port));
        return;
    }
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
    bool mapped = IN6_IS_ADDR_V4MAPPED(&six->sin6_addr);
    if (mapped)
        inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], host, sizeof host);
    else
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
    snprintf(out, 64, mapped ? "%s:%u" : "[%s]:%u", host, ntohs(six->sin6_port));
}

/* Looks for a resume before the refusal, also in an incomplete head. */
static void refuse(struct connection *connection, const struct error *err, const char *allow)
{
    struct loop *loop = connection->loop;
    if (!connection->text && loop->config->bare_refusals) {
        ssize_t got = recv(connection->fd, loop->scratch, SCRATCH_BYTES, MSG_PEEK | MSG_DONTWAIT);
        connection->resume = got > 0 && head_resumes((struct slice){loop->scratch, (size_t)got});
    }
    connection_refuse(connection, err, allow);
    connection_linger(connection);
}

/* Which connection is closed at the limit */

static void crowd_out(struct connection *connection, const struct error *err)
{
    if (connection->place == PLACE_DAEMON) {
        connection_give_up_body(connection, err);
        connection_count_out(connection); /* libmicrohttpd closes it in this turn */
    } else if (connection->some)
        refuse(connection, err, NULL);
    else
        connection_end(connection);
}

bool gate_make_room(struct loop *loop)
{
    struct error err;
    if (keep_make_room(loop))
        return true;
    struct connection *oldest = TAILQ_FIRST(&loop->list[DEADLINE_HEAD]);
    if (!oldest)
        oldest = TAILQ_FIRST(&loop->list[DEADLINE_BODY]);
    if (!oldest)
        return false;
    notices_count(&loop->capacity->notices, NOTICE_OLDEST, 0, loop->now_ms);
    error_set(&err, ERROR_UNAVAILABLE, "too many connections");
    crowd_out(oldest, &err);
    return true;
}

/* False: the limit is reached, and every request in this loop is complete. */
static bool count_in(struct connection *connection)
{
    struct loop *loop = connection->loop;
    if (!connection->counted)
        connection->counted = capacity_take_connection(loop->capacity);
    if (!connection->counted && gate_make_room(loop))
        connection->counted = capacity_take_connection(loop->capacity);
    if (connection->counted && connection->beyond) {
        connection->beyond = false;
        loop->beyond--;
    }
    return connection->counted;
}

static struct connection *connection_of(struct crowd_member *member)
{
    return (struct connection *)(void *)((char *)member - offsetof(struct connection, member));
}

/* No address gets more than its share. */
static void join_crowd(struct connection *connection)
{
    struct loop *loop = connection->loop;
    struct error err;
    crowd_add(&loop->crowd, &connection->member);
    struct crowd_member *excess = crowd_excess(&loop->crowd, &connection->member);
    if (!excess || excess == &connection->member)
        return;
    notices_count(&loop->capacity->notices, NOTICE_ADDRESS, 0, loop->now_ms);
    error_set(&err, ERROR_UNAVAILABLE, "too many connections of this address");
    crowd_out(connection_of(excess), &err);
}

static void hand_over(struct connection *connection)
{
    static const struct sockaddr_in nobody = {.sin_family = AF_INET}; /* only copied by libmicrohttpd */
    struct loop *loop = connection->loop;
    connection_unwatch(connection);
    connection_set_deadline(connection, connection->head.body_length == 0 ? DEADLINE_NONE
                                        : connection->begun               ? DEADLINE_STREAM
                                                                          : DEADLINE_BODY);
    if (connection->deadline == DEADLINE_BODY)
        join_crowd(connection);
    loop->handing = connection;
    loop->run_daemon = true;
    enum MHD_Result taken =
        MHD_add_connection(loop->daemon, connection->fd, (const struct sockaddr *)&nobody, sizeof nobody);
    loop->handing = NULL;
    if (taken == MHD_NO && connection->place == PLACE_GATE) { /* it has closed the socket */
        connection->fd = -1;
        connection_end(connection);
    }
}

static void run_vet(void *cls)
{
    struct connection *connection = cls;
    connection->vetted = connection->loop->config->vet(&connection->request, connection->vetting);
    connection_answered(connection);
}

/* The route has a lookup before a body may come. Meanwhile the socket is not watched. */
static bool vet(struct connection *connection, struct error *err)
{
    struct loop *loop = connection->loop;
    connection->vetting = malloc(sizeof *connection->vetting);
    if (!connection->vetting)
        return error_set(err, ERROR_UNAVAILABLE, "out of memory");
    connection_unwatch(connection);
    loop->suspended++;
    thread_pool_add(loop->config->thread_pool, run_vet, connection);
    return true;
}

void gate_vetted(struct connection *connection)
{
    struct error err = {0};
    bool passes = connection->vetted && admit_reserve_body(connection, &err);
    if (!connection->vetted)
        err = *connection->vetting;
    free(connection->vetting);
    connection->vetting = NULL;
    if (passes)
        hand_over(connection);
    else
        refuse(connection, &err, NULL);
}

/* The socket leaves the http folder. */
static bool give_away(struct connection *connection, struct error *err)
{
    connection_unwatch(connection);
    if (!connection->loop->config->take(&connection->request, connection->fd, err))
        return false;
    connection->fd = -1;
    connection_end(connection);
    return true;
}

static bool take_request(struct connection *connection, char *allow, size_t allow_size, struct error *err)
{
    if (!admit_check(connection, allow, allow_size, err))
        return false;
    if ((connection->request.route->flags & ROUTE_TAKE) && !connection->request.head_only)
        return give_away(connection, err);
    if ((connection->request.route->flags & ROUTE_VET) && connection->head.body_length != 0)
        return vet(connection, err);
    if (!admit_reserve_body(connection, err))
        return false;
    if (direct_applies(connection))
        direct_begin(connection);
    else
        hand_over(connection);
    return true;
}

/* From here on `resume` is known, also for refusals. */
static bool keep_head(struct connection *connection, size_t size, struct error *err)
{
    connection->head_size = size;
    connection->text = malloc(size);
    if (!connection->text)
        return error_set(err, ERROR_UNAVAILABLE, "out of memory");
    memcpy(connection->text, connection->loop->scratch, size);
    struct slice whole = {connection->text, size};
    connection->resume = connection->loop->config->bare_refusals && head_resumes(whole);
    connection_set_deadline(connection, DEADLINE_NONE);
    crowd_remove(&connection->member);
    return head_parse(whole, &connection->head, err);
}

static void take_head(struct connection *connection, size_t size)
{
    struct loop *loop = connection->loop;
    struct error err;
    char allow[128] = "";
    if (!keep_head(connection, size, &err)) {
        refuse(connection, &err, NULL);
        return;
    }
    connection->taken_us = clock_boot_us();
    admit_fill_request(connection);
    if (!count_in(connection)) {
        capacity_ask_room(loop->capacity, &loop->shared);
        notices_count(&loop->capacity->notices, NOTICE_REFUSED, 0, connection->loop->now_ms);
        error_set(&err, ERROR_UNAVAILABLE, "too many connections");
        refuse(connection, &err, NULL);
    } else if (!take_request(connection, allow, sizeof allow, &err) &&
               !keep_refuse(connection, &err, allow)) {
        refuse(connection, &err, allow);
    }
}

static void refuse_long(struct connection *connection, size_t limit)
{
    struct error err;
    if (memchr(connection->loop->scratch, '\n', limit))
        error_set(&err, ERROR_HEADERS_TOO_LARGE, "the request head has more than %zu bytes", limit);
    else
        error_set(&err, ERROR_URI_TOO_LONG, "the request line has more than %zu bytes", limit);
    refuse(connection, &err, NULL);
}

/* A part of the next head has come on a kept connection: from now on it counts as on a new one. */
static void begin_next(struct connection *connection)
{
    connection_set_deadline(connection, DEADLINE_HEAD);
    join_crowd(connection);
}

/* Peeks at the bytes that have come; the bytes stay in the socket. False: the head is incomplete. */
static bool look(struct connection *connection, bool ended)
{
    struct loop *loop = connection->loop;
    size_t limit = loop->config->max_head_bytes, size = 0;
    ssize_t got = recv(connection->fd, loop->scratch, limit + 1, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0) {
        connection_end(connection);
        return true;
    }
    connection->some = true;
    struct error err;
    enum head_state state =
        head_scan((struct slice){loop->scratch, (size_t)got}, &connection->scanned, &size);
    if (state == HEAD_BAD) {
        error_set(&err, ERROR_BAD_REQUEST, "a line of the request head does not end in CR LF");
        refuse(connection, &err, NULL);
    } else if ((size_t)got > limit && (state == HEAD_PART || size > limit)) {
        refuse_long(connection, limit);
    } else if (state == HEAD_WHOLE) {
        connection->more = ended || (size_t)got > size;
        take_head(connection, size);
    } else if (ended) {
        error_set(&err, ERROR_BAD_REQUEST, "the request head ends before its blank line");
        refuse(connection, &err, NULL);
    } else {
        if (connection->deadline == DEADLINE_KEPT)
            begin_next(connection);
        return false;
    }
    return true;
}

static void drop_input(struct connection *connection)
{
    /* MSG_TRUNC makes TCP throw the bytes away without copying them. */
    ssize_t got = recv(connection->fd, NULL, 1 << 20, MSG_TRUNC | MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        connection_end(connection);
}

void gate_ready(struct connection *connection, uint32_t events)
{
    if (connection->place == PLACE_LINGER)
        drop_input(connection);
    else if (connection->place == PLACE_DIRECT)
        direct_continue(connection);
    else if (connection->place == PLACE_GATE)
        look(connection, events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

void gate_late(struct connection *connection)
{
    struct error err;
    if (!connection->some) {
        connection_end(connection);
        return;
    }
    error_set(&err, ERROR_TIMEOUT, "the request head took too long");
    refuse(connection, &err, NULL);
}

void gate_welcome(struct loop *loop, int fd, const struct sockaddr_storage *address, bool over_tls)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) {
        close(fd);
        return;
    }
    connection->loop = loop;
    connection->fd = fd;
    connection_init(connection);
    peer_text(address, connection->request.peer);
    connection->request.over_tls = over_tls;
    crowd_key_of(address, &connection->member.key);
    if (!count_in(connection)) {
        /* The refusal depends on the request, so the head is awaited all the same. */
        capacity_ask_room(loop->capacity, &loop->shared);
        connection->beyond = true;
        if (++loop->beyond > loop->beyond_max)
            gate_make_room(loop);
    }
    connection_set_deadline(connection, DEADLINE_HEAD);
    join_crowd(connection);
    /* Most often the head is there already. Edge-triggered: a slow head wakes the loop once per segment. */
    if (!look(connection, false) && !connection_watch(connection, EPOLLIN | EPOLLRDHUP | EPOLLET))
        connection_end(connection);
}

bool gate_accept(struct loop *loop)
{
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage address;
        socklen_t len = sizeof address;
        int fd = accept4(loop->listen, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            gate_welcome(loop, fd, &address, false);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            loop->accept_again_ms = loop->now_ms + ACCEPT_PAUSE_MS;
            notices_count(&loop->capacity->notices, NOTICE_ACCEPT, errno, loop->now_ms);
            gate_make_room(loop);
            return false;
        }
        if (errno != ECONNABORTED && errno != EINTR)
            return false;
    }
    return true;
}

void gate_close_silent(struct loop *loop)
{
    while (keep_make_room(loop))
        ;
    struct connection *connection = TAILQ_FIRST(&loop->list[DEADLINE_HEAD]);
    while (connection) {
        struct connection *next = TAILQ_NEXT(connection, in_deadlines);
        if (!connection->some)
            connection_end(connection);
        connection = next;
    }
}
