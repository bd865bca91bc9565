/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/exchange.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server/http/gate.h"
#include "server/http/loop.h"
#include "server/http/wire.h"
#include "server/http/transfer.h"
#include "server/core/thread_pool.h"

#define DROPPED_BODY_MAX 4096 /* a body nobody asked for */
#define LOOKS            4    /* DEADLINE_ANSWER comes this often per idle_timeout_ms */

bool request_header(const struct request *request, const char *name, struct slice *ret)
{
    return head_field(&((const struct exchange *)request)->head, name, ret);
}

bool request_resumes(const struct request *request)
{
    return ((const struct exchange *)request)->resume;
}

static bool has_header(const struct reply *reply, const char *name)
{
    for (unsigned i = 0; i < reply->header_count; i++)
        if (strcasecmp(reply->header[i].name, name) == 0)
            return true;
    return false;
}

void exchange_render(const struct exchange *exchange, const struct error *err, const char *allow,
                     struct reply *reply)
{
    const struct listener_config *config = exchange->loop->config;
    reply_init(reply, error_status(err->code));
    config->render_error(config->context, err, reply);
    if (err->code == ERROR_METHOD_NOT_ALLOWED && allow && !has_header(reply, "Allow"))
        reply_header(reply, "Allow", "%s", allow);
    if (err->code == ERROR_UNAUTHORIZED && !has_header(reply, "WWW-Authenticate"))
        reply_header(reply, "WWW-Authenticate", "Bearer");
}

void request_answer(struct request *request, struct reply *reply)
{
    struct exchange *exchange = (struct exchange *)request;
    exchange->reply = *reply;
    reply_init(reply, reply->status);
    if (atomic_exchange(&exchange->stage, STAGE_ANSWERED) == STAGE_WAITING)
        loop_answered(exchange);
}

void request_fail(struct request *request, const struct error *err)
{
    struct reply reply;
    exchange_render((struct exchange *)request, err, NULL, &reply);
    request_answer(request, &reply);
}

void exchange_refuse(struct exchange *exchange, const struct error *err, const char *allow)
{
    struct reply reply;
    if (exchange->resume) {
        wire_send_bare(exchange->fd);
        return;
    }
    exchange_render(exchange, err, allow, &reply);
    wire_send(exchange->fd, &reply, exchange->request.head_only);
    reply_free(&reply);
}

/* Answers in the middle of the body, where libmicrohttpd cannot: we write, and it only closes. */
static void answer_early(struct exchange *exchange, const struct error *err)
{
    exchange_refuse(exchange, err, NULL);
    exchange->linger = true;
}

static bool keep_body(struct exchange *exchange, const char *bytes, size_t len)
{
    size_t need = exchange->body_used + len;
    if (need > exchange->body_size) {
        int64_t announced = exchange->head.body_length; /* vetted: within the route's limit */
        size_t size = announced > 0 ? (size_t)announced : exchange->body_size ? exchange->body_size : 4096;
        while (size < need)
            size *= 2;
        char *more = realloc(exchange->body, size);
        if (!more)
            return false;
        exchange->body = more;
        exchange->body_size = size;
    }
    memcpy(exchange->body + exchange->body_used, bytes, len);
    exchange->body_used = need;
    return true;
}

/* libmicrohttpd takes a short read for "nothing more yet" and waits for the next event. Where the peer's FIN came
   together with the bytes there is none, and a body cut off would be awaited until its deadline. Shutting down a side
   that has ended makes one. */
static void notice_end(const struct exchange *exchange)
{
    char byte;
    if (recv(exchange->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
        shutdown(exchange->fd, SHUT_RD);
}

static bool take_body(struct exchange *exchange, const char *bytes, size_t len, struct error *err)
{
    struct request *request = &exchange->request;
    const struct route *route = request->route;
    exchange->taken += len;
    size_t limit = route->body_limit || route->stream ? route->body_limit : DROPPED_BODY_MAX;
    if (limit && exchange->taken > limit)
        return error_set(err, ERROR_TOO_LARGE, "the body has more than %zu bytes", limit);
    if (route->stream) {
        loop_deadline(exchange, DEADLINE_STREAM);
        return route->stream->data(request, bytes, len, err);
    }
    if (route->body_limit && !keep_body(exchange, bytes, len))
        return error_set(err, ERROR_UNAVAILABLE, "out of memory");
    return true;
}

static bool is_watched(const struct exchange *exchange)
{
    return exchange->reply.attempt && exchange->loop->config->transfers && !exchange->request.head_only;
}

/* A resume is continued with 206 or refused; libmicrohttpd would add a length to the refusal. */
static bool refuses_resume(const struct exchange *exchange)
{
    return exchange->resume && exchange->reply.status >= 300;
}

static enum MHD_Result send_reply(struct exchange *exchange)
{
    struct reply *reply = &exchange->reply;
    if (refuses_resume(exchange)) {
        wire_send_bare(exchange->fd);
        exchange->linger = true;
        return MHD_NO;
    }
    const struct listener_config *config = exchange->loop->config;
    bool watch = is_watched(exchange);
    uint64_t size = reply->size;
    size_t head_size = watch ? wire_head_size(reply) : 0;

    struct MHD_Response *response = wire_response(reply);
    if (!response)
        return MHD_NO;
    if (watch)
        exchange->transfer = transfer_begin(config->transfers, exchange->fd, head_size, reply->attempt,
                                            reply->fetch, reply->first, reply->first + size);
    reply->attempt = 0; /* begun */
    exchange->followed = exchange->transfer != NULL;
    exchange->acked = 0;
    loop_deadline(exchange, DEADLINE_ANSWER);
    enum MHD_Result result = MHD_queue_response(exchange->connection, (unsigned)reply->status, response);
    MHD_destroy_response(response); /* our reference; libmicrohttpd has its own */
    return result;
}

static void run_handler(void *cls)
{
    struct request *request = cls;
    request->route->handler(request);
}

static enum MHD_Result handle(struct exchange *exchange)
{
    struct request *request = &exchange->request;
    request->body = (struct slice){exchange->body, exchange->body_used};
    loop_deadline(exchange, DEADLINE_NONE);
    crowd_remove(exchange);
    atomic_store(&exchange->stage, STAGE_HANDLING);
    if (request->route->flags & ROUTE_WORKER)
        thread_pool_add(exchange->loop->config->thread_pool, run_handler, request);
    else
        run_handler(request);

    int stage = STAGE_HANDLING;
    if (!atomic_compare_exchange_strong(&exchange->stage, &stage, STAGE_WAITING))
        return send_reply(exchange);
    /* Whoever answers from now on puts it on the loop's list, and that is looked at in this thread, later. */
    exchange->loop->suspended++;
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
}

enum MHD_Result exchange_on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *upload,
                                    size_t *upload_size, void **request_cls)
{
    (void)cls, (void)url, (void)method, (void)version;
    struct exchange *exchange = *request_cls;
    if (!exchange) { /* the head is complete: all of it has been looked at already, at the gate */
        exchange = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
        *request_cls = exchange;
        if (exchange->head.body_length)
            notice_end(exchange);
        return MHD_YES;
    }
    if (exchange->linger)
        return MHD_NO;
    if (*upload_size) {
        struct error err;
        bool taken = take_body(exchange, upload, *upload_size, &err);
        *upload_size = 0;
        if (taken)
            notice_end(exchange);
        else
            answer_early(exchange, &err);
        return taken ? MHD_YES : MHD_NO;
    }
    switch (atomic_load(&exchange->stage)) {
    case STAGE_TAKING:
        return handle(exchange);
    case STAGE_ANSWERED:
        return send_reply(exchange);
    default:
        return MHD_YES;
    }
}

void exchange_on_completed(void *cls, struct MHD_Connection *connection, void **request_cls,
                           enum MHD_RequestTerminationCode code)
{
    (void)cls, (void)connection;
    struct exchange *exchange = *request_cls;
    if (!exchange || !exchange->transfer)
        return;
    transfer_written(exchange->transfer, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    exchange->transfer = NULL;
}

/* libmicrohttpd closes its descriptor after this; where the peer may still be sending, a dup() lingers. */
static void let_go(struct exchange *exchange)
{
    int unread = 0;
    if (!exchange->linger && !exchange->followed)
        (void)!ioctl(exchange->fd, FIONREAD, &unread);
    bool linger = (exchange->linger || unread > 0) && !exchange->loop->stopping;
    exchange->fd = linger ? fcntl(exchange->fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (exchange->fd >= 0)
        gate_linger(exchange);
    else
        loop_bury(exchange);
}

void exchange_on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                            enum MHD_ConnectionNotificationCode code)
{
    struct loop *loop = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        struct exchange *exchange = loop->handing;
        exchange->connection = connection;
        exchange->place = PLACE_DAEMON;
        *socket_context = exchange;
        return;
    }
    struct exchange *exchange = *socket_context;
    exchange->connection = NULL;
    exchange_release(exchange);
    let_go(exchange);
}

static void give_up_body(struct exchange *exchange, const struct error *err)
{
    loop_deadline(exchange, DEADLINE_NONE);
    crowd_remove(exchange);
    answer_early(exchange, err);
    shutdown(exchange->fd, SHUT_RDWR); /* libmicrohttpd notices and closes */
    exchange->loop->run_daemon = true;
}

void exchange_late(struct exchange *exchange)
{
    struct error err;
    error_set(&err, ERROR_TIMEOUT, "the body took too long");
    give_up_body(exchange, &err);
}

void exchange_crowd_out(struct exchange *exchange, const struct error *err)
{
    give_up_body(exchange, err);
    exchange->counted = false; /* libmicrohttpd closes it in this very turn */
    listener_count_out(exchange->loop->listener);
}

static uint64_t acked_bytes(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return 0;
    return info.tcpi_bytes_acked;
}

/* What a peer must acknowledge in idle_timeout_ms: something, and not less than the least rate comes to. */
static bool too_slow(const struct exchange *exchange, uint64_t acked)
{
    const struct listener_config *config = exchange->loop->config;
    uint64_t least = config->least_rate * (uint64_t)config->idle_timeout_ms / 1000;
    return acked - exchange->acked < (least ? least : 1);
}

void exchange_check(struct exchange *exchange)
{
    uint64_t acked = acked_bytes(exchange->fd);
    loop_deadline(exchange, DEADLINE_ANSWER);
    if (++exchange->looks < LOOKS)
        return;
    if (!too_slow(exchange, acked)) {
        exchange->looks = 0;
        exchange->acked = acked;
        return;
    }
    /* What the peer does not take is not left to the kernel to offer for minutes more. */
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(exchange->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    loop_deadline(exchange, DEADLINE_NONE);
    notices_count(listener_notices(exchange->loop->listener), NOTICE_SLOW, 0, exchange->loop->now_ms);
    shutdown(exchange->fd, SHUT_RDWR);
}

void exchange_release(struct exchange *exchange)
{
    if (exchange->transfer)
        transfer_written(exchange->transfer, false);
    exchange->transfer = NULL;
    if (exchange->begun)
        exchange->request.route->stream->end(&exchange->request);
    exchange->begun = false;
    if (is_watched(exchange))
        transfer_missed(exchange->loop->config->transfers, exchange->reply.attempt, exchange->reply.fetch,
                        exchange->reply.first, exchange->reply.first + exchange->reply.size);
    reply_free(&exchange->reply);
    free(exchange->body);
    exchange->body = NULL;
    listener_bodies_give(exchange->loop->listener, exchange->reserved);
    exchange->reserved = 0;
    free(exchange->vetting);
    exchange->vetting = NULL;
    crowd_remove(exchange);
    free(exchange->text);
    exchange->text = NULL;
}
