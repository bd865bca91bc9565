/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/console/live_stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel may hold this many bytes for a slow reader, instead of megabytes. The kernel doubles the number. */
#define HELD_BYTES   (64 * 1024)
#define LOST_PEER_MS 60000u /* unacknowledged for so long: the kernel ends the connection */

void live_stream_begin(struct live_stream *stream, int socket, const struct live_wish *wish, int64_t now_ms)
{
    int held = HELD_BYTES, one = 1;
    unsigned lost = LOST_PEER_MS;
    *stream = (struct live_stream){.socket = socket, .wish = *wish, .moved_ms = now_ms};
    setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &held, sizeof held);
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &lost, sizeof lost);
}

void live_stream_end(struct live_stream *stream)
{
    live_stream_drop_input(stream); /* a close with unread bytes would reset the connection */
    close(stream->socket);
    free(stream->bytes);
}

size_t live_stream_waiting(const struct live_stream *stream)
{
    return stream->used - stream->sent;
}

static void compact(struct live_stream *stream)
{
    if (!stream->sent)
        return;
    memmove(stream->bytes, stream->bytes + stream->sent, stream->used - stream->sent);
    stream->used -= stream->sent;
    stream->sent = 0;
}

bool live_stream_add(struct live_stream *stream, const char *text, size_t len)
{
    if (live_stream_waiting(stream) + len > LIVE_BUFFER_MAX)
        return false;
    if (stream->used + len > stream->size)
        compact(stream);
    if (stream->used + len > stream->size) {
        size_t size = stream->size ? stream->size : 4096;
        while (size < stream->used + len)
            size *= 2;
        char *more = realloc(stream->bytes, size);
        if (!more)
            return false;
        stream->bytes = more;
        stream->size = size;
    }
    memcpy(stream->bytes + stream->used, text, len);
    stream->used += len;
    return true;
}

bool live_stream_wants(const struct live_stream *stream, const char *product)
{
    return !stream->wish.product[0] || strcmp(stream->wish.product, product) == 0;
}

bool live_stream_send(struct live_stream *stream, int64_t now_ms)
{
    while (live_stream_waiting(stream)) {
        ssize_t sent = send(stream->socket, stream->bytes + stream->sent, live_stream_waiting(stream),
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        stream->sent += (size_t)sent;
        stream->moved_ms = now_ms;
    }
    stream->used = stream->sent = 0;
    stream->moved_ms = now_ms;
    return true;
}

bool live_stream_drop_input(struct live_stream *stream)
{
    /* MSG_TRUNC makes TCP throw the bytes away without copying them. */
    ssize_t got = recv(stream->socket, NULL, 1 << 20, MSG_TRUNC | MSG_DONTWAIT);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}
