/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Kept connections: after an answer the socket goes back to the gate, which treats the next request like the first one of
   a new connection. Internal to the http folder; loop's thread.

   libmicrohttpd never sees two requests of one connection. The gate keeps a duplicate of the socket while libmicrohttpd
   has it. When the answer is sent, a socket without a peer takes the place of libmicrohttpd's descriptor: libmicrohttpd
   finds its end and closes it, and with it all that it knew about the request. An idle connection costs a descriptor and
   a struct connection.

   libmicrohttpd reads as many bytes as there are. So before the answer, the bytes that were read from the socket are
   compared with the length of the request. When it has taken bytes of the next request too (pipelining), the answer says
   that it closes the connection, and the peer asks again. After a chunked body, whose length is not known to the byte,
   the answer closes too. */
#ifndef DFOTA_SERVER_HTTP_KEEP_H
#define DFOTA_SERVER_HTTP_KEEP_H

#include "server/http/connection.h"

/* A socket whose peer has closed, for loop.dead_fd; -1 with errno. */
int keep_dead_socket(void);
/* Whether the connection may be kept after an answer without a package. */
bool keep_may(const struct connection *connection);
/* Just before the answer is given to libmicrohttpd. Sets `keeps` and `own` when the connection can be kept. */
void keep_decide(struct connection *connection);
/* libmicrohttpd has sent the whole answer to a request with `keeps`, and is in its callback: takes the socket back. */
void keep_take_back(struct connection *connection);
/* Answers a request whose head is complete and well-formed, but which is refused, and keeps the connection. False: it
   cannot be kept, and nothing was sent. */
bool keep_refuse(struct connection *connection, const struct error *err, const char *allow);
/* The connection holds nothing of its last request any more, and has no deadline: waits for the next one, or ends it when the server ends. */
void keep_wait(struct connection *connection);
/* Closes the connection that is idle for the longest time, and whose next request has not come. False: no such connection. */
bool keep_make_room(struct loop *loop);

#endif
