/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One stream of server-sent events: its socket, and the bytes that the socket has not taken yet. One thread. */
#ifndef DFOTA_SERVER_CONSOLE_LIVE_STREAM_H
#define DFOTA_SERVER_CONSOLE_LIVE_STREAM_H

#include "server/console/live.h"

#define LIVE_BUFFER_MAX ((size_t)256 * 1024)

struct live_stream {
    int socket; /* owned */
    struct live_wish wish;
    int64_t after;     /* every row up to this seq was added, or is not for this stream */
    int64_t told;      /* the last id that was added */
    char *bytes;       /* owned */
    size_t used, size; /* of `bytes` */
    size_t sent;       /* of `used` */
    int64_t moved_ms;  /* boot clock: when the socket last took bytes, or nothing waited */
};

/* Sets the socket up. Takes it over. */
void live_stream_begin(struct live_stream *stream, int socket, const struct live_wish *wish, int64_t now_ms);
void live_stream_end(struct live_stream *stream); /* closes the socket */

size_t live_stream_waiting(const struct live_stream *stream); /* bytes */
/* False: more than LIVE_BUFFER_MAX would wait; nothing was added. */
bool live_stream_add(struct live_stream *stream, const char *text, size_t len);
/* Whether the row is for this stream; the row counts as added then and else. */
bool live_stream_wants(const struct live_stream *stream, const char *product);

/* Sends what the socket takes. False: the peer is gone. */
bool live_stream_send(struct live_stream *stream, int64_t now_ms);
/* Drops what the peer has sent: its request, which the gate has only peeked at. False: the peer is gone. */
bool live_stream_drop_input(struct live_stream *stream);

#endif
