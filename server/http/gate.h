/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The gate: what happens to a connection before libmicrohttpd gets it, and after we answered it without
   libmicrohttpd. Internal to the http folder; loop's thread. */
#ifndef DFOTA_SERVER_HTTP_GATE_H
#define DFOTA_SERVER_HTTP_GATE_H

#include <stdint.h>
#include "server/http/connection.h"

/* The listening socket is readable: accepts what is there, a bounded number. True: there may be more. */
bool gate_accept(struct loop *loop);
/* Events on a socket that the loop watches. */
void gate_ready(struct connection *connection, uint32_t events);
/* DEADLINE_HEAD came. */
void gate_late(struct connection *connection);
/* Its route's vet() has ended: it is handed to libmicrohttpd, or refused. */
void gate_vetted(struct connection *connection);
/* Closes the oldest connection whose request is not whole. False: there is none in this loop. */
bool gate_make_room(struct loop *loop);
/* Shutting down: closes connections that have not sent anything. */
void gate_close_silent(struct loop *loop);

#endif
