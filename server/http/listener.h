/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A listener: its sockets (SO_REUSEPORT, one per loop), its event loops (one thread each, each with its
   own libmicrohttpd daemon), its gate and its routes.

   The gate accepts, peeks at the head until it is complete, checks it, and only then hands the socket to
   libmicrohttpd, which accepts invalid heads and answers some requests itself in HTML. The gate's
   refusals have the listener's own form. Each connection has one request. */
#ifndef DFOTA_SERVER_HTTP_LISTENER_H
#define DFOTA_SERVER_HTTP_LISTENER_H

#include <sys/socket.h>
#include "server/http/listener_config.h"

struct listener;

/* Binds and starts the loops. The config is copied, what it points to is not. */
bool listener_open(const struct listener_config *config, struct listener **ret, struct error *err);
/* The bound address, such as "127.0.0.1:41233". */
void listener_address(const struct listener *listener, char out[64]);
/* A connection that something in front of the listener in this process has accepted: a TCP socket, not blocking, which
   the listener then owns. `peer` is who is at the far end. What the peer acknowledges is not known: request.over_tls. Any
   thread, until listener_close(). */
void listener_give(struct listener *listener, int fd, const struct sockaddr_storage *peer);
/* The oldest begin of the last turn of a loop, monotonic clock. Also makes each loop turn: the next call tells whether it
   did. Not after listener_close(). */
int64_t listener_turned_ms(struct listener *listener);
/* Stops accepting and waits until each open request is answered and written, at most deadline_ms. The
   owners of suspended requests must still answer them. False: some requests are still open. */
bool listener_drain(struct listener *listener, int64_t deadline_ms);
/* Ends the loops and cuts the open connections. Waits for suspended requests: their owners must still be
   able to answer. NULL is fine. */
void listener_close(struct listener *listener);

#endif
