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

#define ACCEPTS_PER_TURN 64
#define ACCEPT_PAUSE_MS  100 /* out of descriptors or memory */
#define LINGERING_MAX    256 /* per loop; beyond it the oldest is closed */

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
        exchange->place = PLACE_LINGER;
        listener_count_out(loop->listener);
        loop->lingering++;
    }
    shutdown(exchange->fd, SHUT_WR);
    loop_deadline(exchange, DEADLINE_LINGER);
    if (!watch(exchange, EPOLLIN | EPOLLRDHUP))
        gate_end(exchange);
    else if (loop->lingering > LINGERING_MAX)
        gate_end(TAILQ_FIRST(&loop->list[DEADLINE_LINGER]));
}

static void refuse(struct exchange *exchange, const struct error *err, const char *allow)
{
    struct reply reply;
    exchange_render(exchange, err, allow, &reply);
    wire_send(exchange->fd, &reply, exchange->request.head_only);
    reply_free(&reply);
    gate_linger(exchange);
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

static void take_head(struct exchange *exchange, size_t size)
{
    struct error err;
    char allow[128] = "";
    exchange->text = malloc(size);
    if (!exchange->text) {
        error_set(&err, ERROR_UNAVAILABLE, "out of memory");
        refuse(exchange, &err, NULL);
        return;
    }
    memcpy(exchange->text, exchange->loop->scratch, size);
    if (!head_parse((struct slice){exchange->text, size}, &exchange->head, &err)) {
        refuse(exchange, &err, NULL);
        return;
    }
    fill_request(exchange);
    if (admit(exchange, allow, sizeof allow, &err))
        hand_over(exchange);
    else
        refuse(exchange, &err, allow);
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
    if (!listener_count_in(loop->listener)) {
        struct error err;
        exchange->place = PLACE_LINGER; /* not counted */
        loop->lingering++;
        error_set(&err, ERROR_UNAVAILABLE, "too many connections");
        refuse(exchange, &err, NULL);
        return;
    }
    loop_deadline(exchange, DEADLINE_HEAD);
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
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            loop->accept_again_ms = loop->now_ms + ACCEPT_PAUSE_MS;
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
