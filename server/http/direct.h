/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A request without a body to a listener of firmware: answered on its socket, without libmicrohttpd. Each module makes a
   connection for each request, so the system calls for a connection are what a check-in costs: libmicrohttpd needs a
   second epoll, reads the head again, sets options of the socket, and sends a file in pieces. The connection of a proxy may
   be kept (keep.h). Internal to the http folder; loop's thread. */
#ifndef DFOTA_SERVER_HTTP_DIRECT_H
#define DFOTA_SERVER_HTTP_DIRECT_H

#include "server/http/connection.h"

/* Whether the request is one of these. Its head is complete, and it has a route. */
bool direct_applies(const struct connection *connection);
/* Takes the connection from the gate and calls the handler. */
void direct_begin(struct connection *connection);
/* The answer is there, or the next piece may be sent (pacing.h). */
void direct_resume(struct connection *connection);
/* The socket is writable, or its peer is gone. */
void direct_continue(struct connection *connection);

#endif
