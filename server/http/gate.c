/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/gate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server/http/loop.h"
#include "server/http/wire.h"
#include "server/core/thread_pool.h"

#define ACCEPTS_PER_TURN 64
#define ACCEPT_PAUSE_MS  100 /* out of descriptors or memory */
#define BODY_FREE        4096 /* a body up to this size is not charged: the limit of connections bounds these */

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

static bool watch(struct exchange *exchange, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = exchange};
    int operation = exchange->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    exchange->watched = epoll_ctl(exchange->loop->epoll, operation, exchange->fd, &event) == 0;
    return exchange->watched;
}

static void unwatch(struct exchange *exchange)
{
    if (exchange->watched)
        epoll_ctl(exchange->loop->epoll, EPOLL_CTL_DEL, exchange->fd, NULL);
    exchange->watched = false;
}

void gate_end(struct exchange *exchange)
{
    unwatch(exchange);
    exchange_release(exchange);
    loop_bury(exchange);
}

void gate_linger(struct exchange *exchange)
{
    struct loop *loop = exchange->loop;
    exchange_release(exchange);
    if (exchange->place != PLACE_LINGER) {
        loop_count_out(exchange);
        exchange->place = PLACE_LINGER;
        loop->lingering++;
    }
    shutdown(exchange->fd, SHUT_WR);
    loop_deadline(exchange, DEADLINE_LINGER);
    if (!watch(exchange, EPOLLIN | EPOLLRDHUP))
        gate_end(exchange);
    else if (loop->lingering > loop->beyond_max)
        gate_end(TAILQ_FIRST(&loop->list[DEADLINE_LINGER]));
}

/* Whether it is a resume is seen before anything is said, however little of the head there is. */
static void refuse(struct exchange *exchange, const struct error *err, const char *allow)
{
    struct loop *loop = exchange->loop;
    if (!exchange->text && loop->config->bare_refusals) {
        ssize_t got = recv(exchange->fd, loop->scratch, SCRATCH_BYTES, MSG_PEEK | MSG_DONTWAIT);
        exchange->resume = got > 0 && head_resumes((struct slice){loop->scratch, (size_t)got});
    }
    exchange_refuse(exchange, err, allow);
    gate_linger(exchange);
}

/* Room: who goes when there is none */

static void crowd_out(struct exchange *exchange, const struct error *err)
{
    if (exchange->place == PLACE_DAEMON)
        exchange_crowd_out(exchange, err);
    else if (exchange->some)
        refuse(exchange, err, NULL);
    else
        gate_end(exchange);
}

bool gate_make_room(struct loop *loop)
{
    struct error err;
    struct exchange *oldest = TAILQ_FIRST(&loop->list[DEADLINE_HEAD]);
    if (!oldest)
        oldest = TAILQ_FIRST(&loop->list[DEADLINE_BODY]);
    if (!oldest)
        return false;
    notices_count(listener_notices(loop->listener), NOTICE_OLDEST, 0, loop->now_ms);
    error_set(&err, ERROR_UNAVAILABLE, "too many connections");
    crowd_out(oldest, &err);
    return true;
}

/* False: the limit is reached, and every request in this loop is whole. */
static bool count_in(struct exchange *exchange)
{
    struct loop *loop = exchange->loop;
    if (!exchange->counted)
        exchange->counted = listener_count_in(loop->listener);
    if (!exchange->counted && gate_make_room(loop))
        exchange->counted = listener_count_in(loop->listener);
    if (exchange->counted && exchange->beyond) {
        exchange->beyond = false;
        loop->beyond--;
    }
    return exchange->counted;
}

/* One address does not take the room of the others. */
static void join_crowd(struct exchange *exchange)
{
    struct loop *loop = exchange->loop;
    struct error err;
    crowd_add(&loop->crowd, exchange);
    struct exchange *excess = crowd_excess(&loop->crowd, exchange);
    if (!excess || excess == exchange)
        return;
    notices_count(listener_notices(loop->listener), NOTICE_ADDRESS, 0, loop->now_ms);
    error_set(&err, ERROR_UNAVAILABLE, "too many connections of this address");
    crowd_out(excess, &err);
}

static struct slice bearer(const struct head *head)
{
    static const char scheme[] = "Bearer ";
    struct slice value;
    if (!head_field(head, "Authorization", &value) || value.len < sizeof scheme - 1 ||
        strncasecmp(value.ptr, scheme, sizeof scheme - 1) != 0)
        return (struct slice){"", 0};
    value.ptr += sizeof scheme - 1;
    value.len -= sizeof scheme - 1;
    while (value.len && value.ptr[0] == ' ') {
        value.ptr++;
        value.len--;
    }
    return value;
}

static void fill_request(struct exchange *exchange)
{
    const struct head *head = &exchange->head;
    struct request *request = &exchange->request;
    request->context = exchange->loop->config->context;
    request->head_only = slice_is(head->method, "HEAD");
    request->target = head->target;
    request->token = bearer(head);
    request->body_length = head->body_length;
    request->query = head->target;
    slice_split(&request->query, '?', &request->path);
    while (exchange->loop->config->trailing_slash && slice_ends(request->path, "/") && request->path.len > 1)
        request->path.len--;
}

/* libmicrohttpd says "100 Continue" by itself, also where nothing is to come. */
static bool check_expect(const struct exchange *exchange, struct error *err)
{
    const struct route *route = exchange->request.route;
    struct slice ignored;
    if (!head_field(&exchange->head, "Expect", &ignored) ||
        (exchange->head.body_length != 0 && (route->body_limit || route->stream)))
        return true;
    return error_set(err, ERROR_BAD_REQUEST, "a request without a body cannot say Expect");
}

static bool reserve_body(struct exchange *exchange, struct error *err)
{
    struct loop *loop = exchange->loop;
    const struct route *route = exchange->request.route;
    int64_t length = exchange->head.body_length;
    if (!route->body_limit || route->stream || length <= BODY_FREE)
        return true;
    if (!listener_bodies_take(loop->listener, (uint64_t)length)) {
        notices_count(listener_notices(loop->listener), NOTICE_BODIES, 0, loop->now_ms);
        return error_set(err, ERROR_UNAVAILABLE, "too many bodies at once: try again in a minute");
    }
    exchange->reserved = (uint64_t)length;
    return true;
}

/* Everything that can be said from the head alone, in the order in which it is said. */
static bool admit(struct exchange *exchange, char *allow, size_t allow_size, struct error *err)
{
    const struct listener_config *config = exchange->loop->config;
    struct request *request = &exchange->request;
    if (config->authorize && !config->authorize(config->context, bearer(&exchange->head)))
        return error_set(err, ERROR_UNAUTHORIZED, "a valid token is needed: Authorization: Bearer TOKEN");
    if (!router_find(config->routes, config->route_count, exchange->head.method, request, allow, allow_size,
                     err))
        return false;
    if (config->no_chunks && request->body_length < 0)
        return error_set(err, ERROR_BAD_REQUEST, "a body here comes with a Content-Length");
    const struct route *route = request->route;
    size_t limit = route->body_limit || route->stream ? route->body_limit : 4096;
    if (limit && request->body_length > 0 && (uint64_t)request->body_length > limit)
        return error_set(err, ERROR_TOO_LARGE, "the body has more than %zu bytes", limit);
    if (!check_expect(exchange, err))
        return false;
    if (!route->stream)
        return true;
    exchange->begun = route->stream->begin(request, err);
    return exchange->begun;
}

static void hand_over(struct exchange *exchange)
{
    static const struct sockaddr_in nobody = {.sin_family = AF_INET}; /* only copied by libmicrohttpd */
    struct loop *loop = exchange->loop;
    unwatch(exchange);
    loop_deadline(exchange, exchange->head.body_length == 0 ? DEADLINE_NONE
                            : exchange->begun               ? DEADLINE_STREAM
                                                            : DEADLINE_BODY);
    if (exchange->deadline == DEADLINE_BODY)
        join_crowd(exchange);
    loop->handing = exchange;
    loop->run_daemon = true;
    enum MHD_Result taken =
        MHD_add_connection(loop->daemon, exchange->fd, (const struct sockaddr *)&nobody, sizeof nobody);
    loop->handing = NULL;
    if (taken == MHD_NO && exchange->place == PLACE_GATE) { /* it has closed the socket */
        exchange->fd = -1;
        gate_end(exchange);
    }
}

static void run_vet(void *cls)
{
    struct exchange *exchange = cls;
    exchange->vetted = exchange->loop->config->vet(&exchange->request, exchange->vetting);
    loop_answered(exchange);
}

/* The route has something to look up before a body may come. Meanwhile nothing watches the socket. */
static bool vet(struct exchange *exchange, struct error *err)
{
    struct loop *loop = exchange->loop;
    exchange->vetting = malloc(sizeof *exchange->vetting);
    if (!exchange->vetting)
        return error_set(err, ERROR_UNAVAILABLE, "out of memory");
    unwatch(exchange);
    loop->suspended++;
    thread_pool_add(loop->config->thread_pool, run_vet, exchange);
    return true;
}

void gate_vetted(struct exchange *exchange)
{
    struct error err = {0};
    bool passes = exchange->vetted && reserve_body(exchange, &err);
    if (!exchange->vetted)
        err = *exchange->vetting;
    free(exchange->vetting);
    exchange->vetting = NULL;
    if (passes)
        hand_over(exchange);
    else
        refuse(exchange, &err, NULL);
}

static bool take_request(struct exchange *exchange, char *allow, size_t allow_size, struct error *err)
{
    if (!admit(exchange, allow, allow_size, err))
        return false;
    if ((exchange->request.route->flags & ROUTE_VET) && exchange->head.body_length != 0)
        return vet(exchange, err);
    if (!reserve_body(exchange, err))
        return false;
    hand_over(exchange);
    return true;
}

/* Whatever is refused from here on, `resume` is known. */
static bool keep_head(struct exchange *exchange, size_t size, struct error *err)
{
    exchange->text = malloc(size);
    if (!exchange->text)
        return error_set(err, ERROR_UNAVAILABLE, "out of memory");
    memcpy(exchange->text, exchange->loop->scratch, size);
    struct slice whole = {exchange->text, size};
    exchange->resume = exchange->loop->config->bare_refusals && head_resumes(whole);
    loop_deadline(exchange, DEADLINE_NONE);
    crowd_remove(exchange);
    return head_parse(whole, &exchange->head, err);
}

static void take_head(struct exchange *exchange, size_t size)
{
    struct listener *listener = exchange->loop->listener;
    struct error err;
    char allow[128] = "";
    if (!keep_head(exchange, size, &err)) {
        refuse(exchange, &err, NULL);
        return;
    }
    fill_request(exchange);
    if (!count_in(exchange)) {
        listener_ask_room(listener, exchange->loop);
        notices_count(listener_notices(listener), NOTICE_REFUSED, 0, exchange->loop->now_ms);
        error_set(&err, ERROR_UNAVAILABLE, "too many connections");
        refuse(exchange, &err, NULL);
    } else if (!take_request(exchange, allow, sizeof allow, &err)) {
        refuse(exchange, &err, allow);
    }
}

static void refuse_long(struct exchange *exchange, size_t limit)
{
    struct error err;
    if (memchr(exchange->loop->scratch, '\n', limit))
        error_set(&err, ERROR_HEADERS_TOO_LARGE, "the request head has more than %zu bytes", limit);
    else
        error_set(&err, ERROR_URI_TOO_LONG, "the request line has more than %zu bytes", limit);
    refuse(exchange, &err, NULL);
}

/* Looks at what has come without taking it: libmicrohttpd reads it again. False: the rest is awaited. */
static bool look(struct exchange *exchange, bool ended)
{
    struct loop *loop = exchange->loop;
    size_t limit = loop->config->max_head_bytes, size = 0;
    ssize_t got = recv(exchange->fd, loop->scratch, limit + 1, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0) {
        gate_end(exchange);
        return true;
    }
    exchange->some = true;
    struct error err;
    enum head_state state = head_scan((struct slice){loop->scratch, (size_t)got}, &exchange->scanned, &size);
    if (state == HEAD_BAD) {
        error_set(&err, ERROR_BAD_REQUEST, "a line of the request head does not end in CR LF");
        refuse(exchange, &err, NULL);
    } else if ((size_t)got > limit && (state == HEAD_PART || size > limit)) {
        refuse_long(exchange, limit);
    } else if (state == HEAD_WHOLE) {
        take_head(exchange, size);
    } else if (ended) {
        error_set(&err, ERROR_BAD_REQUEST, "the request head ends before its blank line");
        refuse(exchange, &err, NULL);
    } else {
        return false;
    }
    return true;
}

static void drop_input(struct exchange *exchange)
{
    /* MSG_TRUNC makes TCP throw the bytes away without copying them. */
    ssize_t got = recv(exchange->fd, NULL, 1 << 20, MSG_TRUNC | MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        gate_end(exchange);
}

void gate_ready(struct exchange *exchange, uint32_t events)
{
    if (exchange->place == PLACE_LINGER)
        drop_input(exchange);
    else if (exchange->place == PLACE_GATE)
        look(exchange, events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

void gate_late(struct exchange *exchange)
{
    struct error err;
    if (!exchange->some) {
        gate_end(exchange);
        return;
    }
    error_set(&err, ERROR_TIMEOUT, "the request head took too long");
    refuse(exchange, &err, NULL);
}

/* Takes over fd. */
static void welcome(struct loop *loop, int fd, const struct sockaddr_storage *address)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange) {
        close(fd);
        return;
    }
    exchange->loop = loop;
    exchange->fd = fd;
    reply_init(&exchange->reply, 0);
    peer_text(address, exchange->request.peer);
    crowd_key_of(address, &exchange->crowd_key);
    if (!count_in(exchange)) {
        /* What is said to it depends on what it asks for, so its head is awaited all the same. */
        listener_ask_room(loop->listener, loop);
        exchange->beyond = true;
        if (++loop->beyond > loop->beyond_max)
            gate_make_room(loop);
    }
    loop_deadline(exchange, DEADLINE_HEAD);
    join_crowd(exchange);
    /* Most often the head is there already. Edge-triggered: a trickled head wakes the loop once per segment.
     */
    if (!look(exchange, false) && !watch(exchange, EPOLLIN | EPOLLRDHUP | EPOLLET))
        gate_end(exchange);
}

bool gate_accept(struct loop *loop)
{
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage address;
        socklen_t len = sizeof address;
        int fd = accept4(loop->listen, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(loop, fd, &address);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            loop->accept_again_ms = loop->now_ms + ACCEPT_PAUSE_MS;
            notices_count(listener_notices(loop->listener), NOTICE_ACCEPT, errno, loop->now_ms);
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
    struct exchange *exchange = TAILQ_FIRST(&loop->list[DEADLINE_HEAD]);
    while (exchange) {
        struct exchange *next = TAILQ_NEXT(exchange, in_deadlines);
        if (!exchange->some)
            gate_end(exchange);
        exchange = next;
    }
}
