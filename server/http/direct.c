/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/direct.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include "server/http/exchange.h"
#include "server/http/keep.h"
#include "server/http/pacing.h"
#include "server/http/transfer.h"
#include "server/http/wire.h"

bool direct_applies(const struct connection *connection)
{
    return connection->loop->config->direct && connection->head.body_length == 0 && !connection->begun;
}

/* HAProxy resets its connection when it has the whole package and sees our end. The last acknowledgements are lost then. So a
   proxy sees the end of a package when all of it is acknowledged: the transfer then closes the socket. */
static bool comes_from_proxy(const struct connection *connection)
{
    const struct listener_config *config = connection->loop->config;
    return config->is_proxy && config->is_proxy(&connection->request);
}

static void finish_transfer(struct connection *connection)
{
    /* The close of a socket with unread bytes resets the connection. */
    (void)!recv(connection->fd, NULL, 1 << 20, MSG_TRUNC | MSG_DONTWAIT);
    if (!comes_from_proxy(connection))
        shutdown(connection->fd, SHUT_WR);
    transfer_written(connection_leave_transfer(connection), true);
    connection_end(connection);
}

/* The whole answer is sent. */
static void finish(struct connection *connection)
{
    int unread = 0;
    if (connection->keeps) {
        connection_set_deadline(connection, DEADLINE_NONE);
        connection_release(connection);
        keep_wait(connection);
        return;
    }
    if (connection->transfer) {
        finish_transfer(connection);
        return;
    }
    (void)!ioctl(connection->fd, FIONREAD, &unread);
    if (unread > 0 && !connection->loop->stopping)
        connection_linger(connection);
    else
        connection_end(connection);
}

static uint64_t body_size(const struct connection *connection)
{
    return connection->request.head_only ? 0 : connection->reply.size;
}

/* The rest of the head. Unless a file follows or the body has a limited rate, the same call sends the body. */
static ssize_t send_head(const struct connection *connection)
{
    const struct reply *reply = &connection->reply;
    bool body_next = !connection->paced && body_size(connection), with_body = body_next && reply->fd < 0;
    int more = body_next && reply->fd >= 0 ? MSG_MORE : 0;
    struct iovec part[2] = {
        {connection->out + connection->sent, connection->out_size - (size_t)connection->sent},
        {(void *)(uintptr_t)reply->bytes, (size_t)reply->size}};
    struct msghdr message = {.msg_iov = part, .msg_iovlen = with_body ? 2 : 1};
    return sendmsg(connection->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT | more);
}

static ssize_t send_body(const struct connection *connection, uint64_t at, uint64_t size)
{
    const struct reply *reply = &connection->reply;
    off_t offset = (off_t)(reply->file_offset + at);
    if (reply->fd >= 0)
        return sendfile(connection->fd, reply->fd, &offset, (size_t)size);
    return send(connection->fd, (const char *)reply->bytes + at, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* One call of the kernel. As send(2); 0: the next piece must wait. */
static ssize_t send_some(struct connection *connection)
{
    if (connection->sent < connection->out_size)
        return send_head(connection);
    uint64_t at = connection->sent - connection->out_size, size = body_size(connection) - at;
    if (!connection->paced)
        return send_body(connection, at, size);
    if (!pacing_take(connection, size))
        return 0;
    ssize_t sent = send_body(connection, at, connection->piece);
    if (sent > 0)
        connection->piece -= (uint64_t)sent;
    return sent;
}

/* The rest cannot be sent. */
static void cut(struct connection *connection)
{
    struct transfer *transfer = connection_leave_transfer(connection);
    if (transfer)
        transfer_cut(transfer);
    connection_end(connection);
}

void direct_continue(struct connection *connection)
{
    uint64_t end = connection->out_size + body_size(connection);
    while (connection->sent < end && !connection->is_paused) {
        ssize_t sent = send_some(connection);
        if (sent > 0) {
            connection->sent += (uint64_t)sent;
        } else if (sent == 0 ? !connection->is_paused : errno != EINTR) {
            if (sent == 0 || errno != EAGAIN || !connection_watch(connection, EPOLLOUT | EPOLLET))
                cut(connection);
            return;
        }
    }
    if (connection->sent == end)
        finish(connection);
}

static void begin_answer(struct connection *connection)
{
    if (exchange_refuse_resume(connection)) {
        connection_linger(connection);
        return;
    }
    /* Exactly the head was read: what follows belongs to the next request. */
    connection->keeps = keep_may(connection) && !connection_is_transfer(connection);
    if (connection->keeps)
        connection->earlier += connection->head_size;
    connection_finish_reply(connection, &connection->reply);
    connection->out = wire_head(&connection->reply, &connection->out_size);
    connection->paced = pacing_applies(connection);
    exchange_begin_answer(connection, connection->out_size);
    direct_continue(connection);
}

void direct_begin(struct connection *connection)
{
    ssize_t size = (ssize_t)connection->head_size;
    /* The gate has only peeked. A close with unread bytes would reset the connection. */
    if (recv(connection->fd, NULL, (size_t)size, MSG_TRUNC | MSG_DONTWAIT) != size) {
        connection_end(connection);
        return;
    }
    connection->place = PLACE_DIRECT;
    if (exchange_run(connection))
        begin_answer(connection);
    else
        connection_unwatch(connection); /* until another thread has answered */
}

void direct_resume(struct connection *connection)
{
    if (connection->out)
        direct_continue(connection);
    else
        begin_answer(connection);
}
