/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/exchange.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "server/core/metrics.h"
#include "server/http/keep.h"
#include "server/http/pacing.h"
#include "server/http/wire.h"
#include "server/http/transfer.h"
#include "server/core/thread_pool.h"

#define DROPPED_BODY_MAX 4096 /* a body on a route that takes no body */
#define LOOKS            4    /* DEADLINE_ANSWER comes this often per idle_timeout_ms */

static bool keep_body(struct connection *connection, const char *bytes, size_t len)
{
    size_t need = connection->body_used + len;
    if (need > connection->body_size) {
        int64_t announced = connection->head.body_length; /* checked: within the route's limit */
        size_t size = announced > 0           ? (size_t)announced
                      : connection->body_size ? connection->body_size
                                              : 4096;
        while (size < need)
            size *= 2;
        char *more = realloc(connection->body, size);
        if (!more)
            return false;
        connection->body = more;
        connection->body_size = size;
    }
    memcpy(connection->body + connection->body_used, bytes, len);
    connection->body_used = need;
    return true;
}

/* libmicrohttpd takes a short read for "no more data yet" and waits for the next event. No event comes
   when the peer's FIN came together with the bytes, and a truncated body would be awaited until its
   deadline. A shutdown of the side that has ended makes an event. */
static void notice_end(const struct connection *connection)
{
    char byte;
    if (recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
        shutdown(connection->fd, SHUT_RD);
}

static bool take_body(struct connection *connection, const char *bytes, size_t len, struct error *err)
{
    struct request *request = &connection->request;
    const struct route *route = request->route;
    connection->taken += len;
    size_t limit = route->body_limit || route->stream ? route->body_limit : DROPPED_BODY_MAX;
    if (limit && connection->taken > limit)
        return error_set(err, ERROR_TOO_LARGE, "the body has more than %zu bytes", limit);
    if (route->stream) {
        connection_set_deadline(connection, DEADLINE_STREAM);
        return route->stream->data(request, bytes, len, err);
    }
    if (route->body_limit && !keep_body(connection, bytes, len))
        return error_set(err, ERROR_UNAVAILABLE, "out of memory");
    return true;
}

static uint64_t acked_bytes(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return 0;
    return info.tcpi_bytes_acked;
}

/* A resume is answered with 206 or refused. libmicrohttpd would add a Content-Length to the refusal. */
bool exchange_refuse_resume(struct connection *connection)
{
    if (!connection->resume || connection->reply.status < 300)
        return false;
    metric_count_status(connection->loop->config->metrics, 416);
    wire_send_bare(connection->fd);
    return true;
}

/* libmicrohttpd closes its descriptor too early to ask the kernel afterwards, so the transfer gets another one. */
static struct transfer *begin_transfer(const struct connection *connection, size_t head_size)
{
    const struct reply *reply = &connection->reply;
    bool is_ours = connection->place == PLACE_DIRECT;
    int fd = is_ours ? connection->fd : fcntl(connection->fd, F_DUPFD_CLOEXEC, 0);
    struct transfer *transfer =
        transfer_begin(connection->loop->config->transfers, fd, !is_ours, head_size, reply->attempt,
                       reply->fetch, reply->first, reply->first + reply->size);
    if (!transfer && !is_ours && fd >= 0)
        close(fd);
    return transfer;
}

void exchange_begin_answer(struct connection *connection, size_t head_size)
{
    const struct listener_config *config = connection->loop->config;
    struct reply *reply = &connection->reply;
    if (connection_is_transfer(connection))
        connection->transfer = begin_transfer(connection, head_size);
    reply->attempt = 0; /* the transfer has begun */
    connection->followed = connection->transfer != NULL;
    connection->acked = connection->earlier ? acked_bytes(connection->fd) : 0;
    connection_set_deadline(connection, DEADLINE_ANSWER);
    metric_count_status(config->metrics, (unsigned)reply->status);
    metric_time_answer(config->metrics, connection->taken_us);
}

static enum MHD_Result send_reply(struct connection *connection)
{
    struct reply *reply = &connection->reply;
    if (exchange_refuse_resume(connection)) {
        connection->linger = true;
        return MHD_NO;
    }
    keep_decide(connection);
    connection_finish_reply(connection, reply);
    size_t head_size = connection_is_transfer(connection) ? wire_head_size(reply) : 0;
    struct MHD_Response *response =
        pacing_applies(connection) ? pacing_response(connection) : wire_response(reply);
    if (!response)
        return MHD_NO;
    exchange_begin_answer(connection, head_size);
    enum MHD_Result result = MHD_queue_response(connection->mhd, (unsigned)reply->status, response);
    MHD_destroy_response(response); /* our reference; libmicrohttpd has its own */
    return result;
}

static void run_handler(void *cls)
{
    struct request *request = cls;
    request->route->handler(request);
}

bool exchange_run(struct connection *connection)
{
    struct request *request = &connection->request;
    connection_set_deadline(connection, DEADLINE_NONE);
    crowd_remove(&connection->member);
    atomic_store(&connection->stage, STAGE_HANDLING);
    if (request->route->flags & ROUTE_WORKER)
        thread_pool_add(connection->loop->config->thread_pool, run_handler, request);
    else
        run_handler(request);

    int stage = STAGE_HANDLING;
    if (!atomic_compare_exchange_strong(&connection->stage, &stage, STAGE_WAITING))
        return true;
    /* From now on an answer goes to the loop's list, which this thread reads later. */
    connection->loop->suspended++;
    return false;
}

static enum MHD_Result handle(struct connection *connection)
{
    connection->request.body = (struct slice){connection->body, connection->body_used};
    if (exchange_run(connection))
        return send_reply(connection);
    MHD_suspend_connection(connection->mhd);
    return MHD_YES;
}

enum MHD_Result exchange_on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                    const char *method, const char *version, const char *upload,
                                    size_t *upload_size, void **request_cls)
{
    (void)cls, (void)url, (void)method, (void)version;
    struct connection *connection = *request_cls;
    if (!connection) { /* the head is complete; the gate has checked it */
        connection = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
        if (connection->returned) /* not its socket any more */
            return MHD_NO;
        *request_cls = connection;
        if (connection->head.body_length)
            notice_end(connection);
        return MHD_YES;
    }
    if (connection->linger)
        return MHD_NO;
    if (*upload_size) {
        struct error err;
        bool taken = take_body(connection, upload, *upload_size, &err);
        *upload_size = 0;
        if (taken)
            notice_end(connection);
        else
            connection_refuse_body(connection, &err);
        return taken ? MHD_YES : MHD_NO;
    }
    switch (atomic_load(&connection->stage)) {
    case STAGE_TAKING:
        return handle(connection);
    case STAGE_ANSWERED:
        return send_reply(connection);
    default:
        return MHD_YES;
    }
}

void exchange_on_completed(void *cls, struct MHD_Connection *mhd, void **request_cls,
                           enum MHD_RequestTerminationCode code)
{
    (void)cls, (void)mhd;
    struct connection *connection = *request_cls;
    if (connection && connection->keeps && code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        keep_take_back(connection);
    struct transfer *transfer = connection ? connection_leave_transfer(connection) : NULL;
    if (transfer)
        transfer_written(transfer, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
}

/* After this libmicrohttpd closes its descriptor. When the peer may still be sending, a dup() of it
   lingers. */
static void let_go(struct connection *connection)
{
    int unread = 0;
    if (!connection->linger && !connection->followed)
        (void)!ioctl(connection->fd, FIONREAD, &unread);
    bool linger = (connection->linger || unread > 0) && !connection->loop->stopping;
    connection->fd = linger ? fcntl(connection->fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (connection->fd >= 0)
        connection_linger(connection);
    else
        connection_bury(connection);
}

void exchange_on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
                            enum MHD_ConnectionNotificationCode code)
{
    struct loop *loop = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        struct connection *connection = loop->handing;
        connection->mhd = mhd;
        connection->place = PLACE_DAEMON;
        *socket_context = connection;
        return;
    }
    struct connection *connection = *socket_context;
    connection->mhd = NULL;
    bool returned = connection->returned;
    connection_release(connection);
    if (returned)
        keep_wait(connection);
    else
        let_go(connection);
}

void exchange_late(struct connection *connection)
{
    struct error err;
    error_set(&err, ERROR_TIMEOUT, "the body took too long");
    connection_give_up_body(connection, &err);
}

/* In idle_timeout_ms a peer must acknowledge at least one byte, and at least what least_rate demands. */
static bool too_slow(const struct connection *connection, uint64_t acked)
{
    const struct listener_config *config = connection->loop->config;
    uint64_t least = config->least_rate * (uint64_t)config->idle_timeout_ms / 1000;
    return acked - connection->acked < (least ? least : 1);
}

void exchange_check(struct connection *connection)
{
    uint64_t acked = acked_bytes(connection->fd);
    connection_set_deadline(connection, DEADLINE_ANSWER);
    if (++connection->looks < LOOKS)
        return;
    if (!too_slow(connection, acked)) {
        connection->looks = 0;
        connection->acked = acked;
        return;
    }
    /* Without a reset the kernel would offer the unread bytes for minutes more. */
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    connection_set_deadline(connection, DEADLINE_NONE);
    notices_count(&connection->loop->capacity->notices, NOTICE_SLOW, 0, connection->loop->now_ms);
    shutdown(connection->fd, SHUT_RDWR);
    if (connection->place == PLACE_DIRECT)
        connection_end(connection); /* else libmicrohttpd notices and closes */
}
