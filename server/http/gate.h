/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The gate has a connection before libmicrohttpd gets it: accepts it, waits for the head, checks it,
   hands it over or refuses. Internal to the http folder; loop's thread. */
#ifndef DFOTA_SERVER_HTTP_GATE_H
#define DFOTA_SERVER_HTTP_GATE_H

#include <stdint.h>
#include "server/http/connection.h"

/* The listening socket is readable: accepts a limited number of connections. True: there may be more. */
bool gate_accept(struct loop *loop);
/* A new connection of `peer`; takes over fd. over_tls: its bytes come out of TLS in this process. */
void gate_welcome(struct loop *loop, int fd, const struct sockaddr_storage *peer, bool over_tls);
/* Events on a socket that the loop watches. */
void gate_ready(struct connection *connection, uint32_t events);
/* DEADLINE_HEAD or DEADLINE_KEPT came. */
void gate_late(struct connection *connection);
/* vet() of the route has ended: hands the connection to libmicrohttpd, or refuses. */
void gate_vetted(struct connection *connection);
/* Closes the kept connection that is idle for the longest time, else the oldest whose request is incomplete. False: this loop has no such connection. */
bool gate_make_room(struct loop *loop);
/* At the end of the server: closes connections that have sent no byte. */
void gate_close_silent(struct loop *loop);

#endif
