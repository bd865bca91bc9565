/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/keep.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int keep_dead_socket(void)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    close(pair[1]);
    return pair[0];
}

/* Wider than the rule for tokens: libmicrohttpd must never close where we keep. */
static bool asks_to_close(const struct head *head)
{
    struct slice value;
    for (unsigned i = 0; head_field_at(head, "Connection", i, &value); i++)
        for (size_t at = 0; at + 5 <= value.len; at++)
            if (strncasecmp(value.ptr + at, "close", 5) == 0)
                return true;
    return false;
}

bool keep_may(const struct connection *connection)
{
    const struct loop *loop = connection->loop;
    const struct head *head = &connection->head;
    return loop->config->keep_alive_ms > 0 && !loop->draining && !loop->stopping && !connection->resume &&
           head->minor == 1 && head->body_length >= 0 && !asks_to_close(head) &&
           (!loop->config->is_proxy || loop->config->is_proxy(&connection->request));
}

/* Bytes that were read from the socket since the connection began. Bytes that come between the two calls count as read:
   then the connection is closed without need. A FIN counts as a byte. */
static bool count_read(int fd, uint64_t *ret)
{
    int unread;
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (ioctl(fd, FIONREAD, &unread) != 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return false;
    uint64_t received = info.tcpi_bytes_received;
    *ret = received - (uint64_t)unread;
    return true;
}

void keep_decide(struct connection *connection)
{
    uint64_t read = 0;
    if (!keep_may(connection) || connection_is_transfer(connection))
        return;
    uint64_t request = connection->head_size + (uint64_t)connection->head.body_length;
    if (!count_read(connection->fd, &read) || read != connection->earlier + request) {
        connection->linger = true; /* more may be on its way */
        return;
    }
    connection->own = fcntl(connection->fd, F_DUPFD_CLOEXEC, 0);
    connection->keeps = connection->own >= 0;
    if (connection->keeps)
        connection->earlier = read;
}

void keep_take_back(struct connection *connection)
{
    /* Suspended, so that its descriptor is in no epoll when another socket takes its place. */
    MHD_suspend_connection(connection->mhd);
    if (dup3(connection->loop->dead_fd, connection->fd, O_CLOEXEC) < 0)
        abort();
    connection->fd = connection->own;
    connection->own = -1;
    connection->returned = true;
    connection_set_deadline(connection, DEADLINE_NONE);
    MHD_resume_connection(connection->mhd);
    connection->loop->run_daemon = true;
}

bool keep_refuse(struct connection *connection, const struct error *err, const char *allow)
{
    ssize_t size = (ssize_t)connection->head_size;
    if (!keep_may(connection) || connection->head.body_length != 0 ||
        recv(connection->fd, NULL, (size_t)size, MSG_TRUNC | MSG_DONTWAIT) != size)
        return false;
    connection->keeps = true;
    connection->earlier += (uint64_t)size;
    if (connection_refuse(connection, err, allow)) {
        connection_release(connection);
        keep_wait(connection);
    } else {
        connection_end(connection); /* the peer asks, but does not read the answers */
    }
    return true;
}

/* Nothing of the last request may be left: all that is not named here begins as in a new connection. */
static void renew(struct connection *connection)
{
    struct connection next = {
        .loop = connection->loop,
        .fd = connection->fd,
        .watched = connection->watched,
        .counted = connection->counted,
        .member.key = connection->member.key,
        .request.over_tls = connection->request.over_tls,
        .earlier = connection->earlier,
    };
    memcpy(next.request.peer, connection->request.peer, sizeof next.request.peer);
    connection_init(&next);
    *connection = next;
}

/* The next request has come already, and the loop has not looked at it yet. */
static bool has_unread(const struct connection *connection)
{
    int unread = 0;
    return ioctl(connection->fd, FIONREAD, &unread) == 0 && unread > 0;
}

void keep_wait(struct connection *connection)
{
    struct loop *loop = connection->loop;
    if (connection->more)
        connection_unwatch(connection); /* so that the epoll tells of what has come already */
    renew(connection);
    if (loop->draining || loop->stopping) {
        /* A close with unread bytes would reset the connection, and could destroy the answer. */
        if (!loop->stopping && has_unread(connection))
            connection_linger(connection);
        else
            connection_end(connection);
        return;
    }
    connection_set_deadline(connection, DEADLINE_KEPT);
    if (!connection_watch(connection, EPOLLIN | EPOLLRDHUP | EPOLLET))
        connection_end(connection);
    else if (loop->kept > loop->kept_max)
        keep_make_room(loop);
}

bool keep_make_room(struct loop *loop)
{
    struct connection *longest;
    TAILQ_FOREACH (longest, &loop->list[DEADLINE_KEPT], in_deadlines)
        if (!has_unread(longest)) {
            connection_end(longest);
            return true;
        }
    return false;
}
