/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/connection.h"

#include <stdlib.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server/core/metrics.h"
#include "server/http/transfer.h"
#include "server/http/wire.h"

void connection_init(struct connection *connection)
{
    connection->own = -1;
    reply_init(&connection->reply, 0);
}

void connection_set_deadline(struct connection *connection, enum deadline kind)
{
    struct loop *loop = connection->loop;
    if (connection->deadline != DEADLINE_NONE)
        TAILQ_REMOVE(&loop->list[connection->deadline], connection, in_deadlines);
    if (connection->deadline == DEADLINE_KEPT)
        loop->kept--;
    connection->deadline = kind;
    if (kind == DEADLINE_NONE)
        return;
    connection->due_ms = loop->now_ms + loop->limit_ms[kind];
    TAILQ_INSERT_TAIL(&loop->list[kind], connection, in_deadlines);
    if (kind == DEADLINE_KEPT)
        loop->kept++;
}

void connection_answered(struct connection *connection)
{
    struct loop *loop = connection->loop;
    pthread_mutex_lock(&loop->lock);
    bool first = !loop->answered;
    connection->next = loop->answered;
    loop->answered = connection;
    /* Under the lock: after its release the loop may answer its last request, end and be freed. */
    if (first)
        capacity_wake(&loop->shared);
    pthread_mutex_unlock(&loop->lock);
}

void connection_unpause(struct connection *connection)
{
    if (connection->is_paused)
        TAILQ_REMOVE(&connection->loop->paused, connection, in_paused);
    connection->is_paused = false;
}

void connection_count_out(struct connection *connection)
{
    if (connection->counted)
        capacity_give_connection(connection->loop->capacity);
    if (connection->beyond)
        connection->loop->beyond--;
    connection->counted = connection->beyond = false;
}

bool connection_watch(struct connection *connection, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    int operation = connection->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    bool is_watched = connection->watched == events ||
                      epoll_ctl(connection->loop->epoll, operation, connection->fd, &event) == 0;
    connection->watched = is_watched ? events : 0;
    return is_watched;
}

void connection_unwatch(struct connection *connection)
{
    if (connection->watched)
        epoll_ctl(connection->loop->epoll, EPOLL_CTL_DEL, connection->fd, NULL);
    connection->watched = 0;
}

bool request_header(const struct request *request, const char *name, struct slice *ret)
{
    return request_header_at(request, name, 0, ret);
}

bool request_header_at(const struct request *request, const char *name, unsigned index, struct slice *ret)
{
    return head_field_at(&((const struct connection *)request)->head, name, index, ret);
}

bool request_accepts(const struct request *request, const char *type)
{
    struct slice line;
    for (unsigned i = 0; request_header_at(request, "Accept", i, &line); i++)
        if (memmem(line.ptr, line.len, type, strlen(type)))
            return true;
    return false;
}

bool request_resumes(const struct request *request)
{
    return ((const struct connection *)request)->resume;
}

static bool has_header(const struct reply *reply, const char *name)
{
    for (unsigned i = 0; i < reply->header_count; i++)
        if (strcasecmp(reply->header[i].name, name) == 0)
            return true;
    return false;
}

void connection_render(const struct connection *connection, const struct error *err, const char *allow,
                       struct reply *reply)
{
    const struct listener_config *config = connection->loop->config;
    reply_init(reply, error_status(err->code));
    config->render_error(config->context, err, reply);
    if (err->code == ERROR_METHOD_NOT_ALLOWED && allow && !has_header(reply, "Allow"))
        reply_header(reply, "Allow", "%s", allow);
    if (err->code == ERROR_UNAUTHORIZED && !has_header(reply, "WWW-Authenticate"))
        reply_header(reply, "WWW-Authenticate", "Bearer");
}

void connection_finish_reply(const struct connection *connection, struct reply *reply)
{
    const struct listener_config *config = connection->loop->config;
    if (config->no_transform)
        reply_forbid_transform(reply);
    if (config->add_headers)
        config->add_headers(&connection->request, reply);
    if (connection->keeps)
        reply->keep_ms = connection->loop->config->keep_alive_ms;
}

void request_answer(struct request *request, struct reply *reply)
{
    struct connection *connection = (struct connection *)request;
    connection->reply = *reply;
    reply_init(reply, reply->status);
    if (atomic_exchange(&connection->stage, STAGE_ANSWERED) == STAGE_WAITING)
        connection_answered(connection);
}

void request_fail(struct request *request, const struct error *err)
{
    struct reply reply;
    connection_render((struct connection *)request, err, NULL, &reply);
    request_answer(request, &reply);
}

bool connection_refuse(struct connection *connection, const struct error *err, const char *allow)
{
    struct reply reply;
    if (connection->resume) {
        metric_count_status(connection->loop->config->metrics, 416);
        wire_send_bare(connection->fd);
        return true;
    }
    connection_render(connection, err, allow, &reply);
    connection_finish_reply(connection, &reply);
    metric_count_status(connection->loop->config->metrics, (unsigned)reply.status);
    bool whole = wire_send(connection->fd, &reply, connection->request.head_only);
    reply_free(&reply);
    return whole;
}

void connection_refuse_body(struct connection *connection, const struct error *err)
{
    connection_refuse(connection, err, NULL);
    connection->linger = true;
}

void connection_give_up_body(struct connection *connection, const struct error *err)
{
    connection_set_deadline(connection, DEADLINE_NONE);
    crowd_remove(&connection->member);
    connection_refuse_body(connection, err);
    shutdown(connection->fd, SHUT_RDWR); /* libmicrohttpd notices and closes */
    connection->loop->run_daemon = true;
}

bool connection_is_transfer(const struct connection *connection)
{
    return connection->reply.attempt && connection->loop->config->transfers && !connection->request.head_only;
}

struct transfer *connection_leave_transfer(struct connection *connection)
{
    struct transfer *transfer = connection->transfer;
    connection->transfer = NULL;
    if (transfer && connection->place == PLACE_DIRECT) {
        connection_unwatch(connection);
        connection->fd = -1;
    }
    return transfer;
}

void connection_release(struct connection *connection)
{
    struct transfer *transfer = connection_leave_transfer(connection);
    if (transfer)
        transfer_written(transfer, false);
    if (connection->begun)
        connection->request.route->stream->end(&connection->request);
    connection->begun = false;
    if (connection_is_transfer(connection))
        transfer_missed(connection->loop->config->transfers, connection->reply.attempt,
                        connection->reply.fetch, connection->reply.first,
                        connection->reply.first + connection->reply.size);
    reply_free(&connection->reply);
    free(connection->body);
    connection->body = NULL;
    capacity_give_bodies(connection->loop->capacity, connection->reserved);
    connection->reserved = 0;
    free(connection->vetting);
    connection->vetting = NULL;
    crowd_remove(&connection->member);
    if (connection->own >= 0)
        close(connection->own);
    connection->own = -1;
    connection_unpause(connection);
    free(connection->out);
    connection->out = NULL;
    free(connection->text);
    connection->text = NULL;
}

void connection_bury(struct connection *connection)
{
    struct loop *loop = connection->loop;
    connection_set_deadline(connection, DEADLINE_NONE);
    if (connection->fd >= 0)
        close(connection->fd);
    connection->fd = -1;
    if (connection->place == PLACE_LINGER)
        loop->lingering--;
    connection_count_out(connection);
    connection->place = PLACE_DEAD;
    connection->next = loop->dead;
    loop->dead = connection;
}

void connection_end(struct connection *connection)
{
    connection_unwatch(connection);
    connection_release(connection);
    connection_bury(connection);
}

void connection_linger(struct connection *connection)
{
    struct loop *loop = connection->loop;
    connection_release(connection);
    if (connection->place != PLACE_LINGER) {
        connection_count_out(connection);
        connection->place = PLACE_LINGER;
        loop->lingering++;
    }
    shutdown(connection->fd, SHUT_WR);
    connection_set_deadline(connection, DEADLINE_LINGER);
    if (!connection_watch(connection, EPOLLIN | EPOLLRDHUP))
        connection_end(connection);
    else if (loop->lingering > loop->beyond_max)
        connection_end(TAILQ_FIRST(&loop->list[DEADLINE_LINGER]));
}
