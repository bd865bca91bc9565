/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A listener: its sockets (SO_REUSEPORT, one per loop), its event loops (one thread each, each with its own
   libmicrohttpd daemon), its gate and its routes.

   The gate accepts, peeks at the request head until it is whole, vets it, and only then hands the socket to
   libmicrohttpd, which would take what it should not and answers some requests by itself in HTML. What the gate refuses
   is answered in the listener's own way. Each connection carries one request. */
#ifndef DFOTA_SERVER_HTTP_LISTENER_H
#define DFOTA_SERVER_HTTP_LISTENER_H

#include "server/http/listener_config.h"

struct listener;

/* Binds and starts the loops. The config is copied, what it points to is not. */
bool listener_open(const struct listener_config *config, struct listener **ret, struct error *err);
/* "127.0.0.1:41233": the address really bound. */
void listener_address(const struct listener *listener, char out[64]);
/* Stops accepting and waits until each request in hand is answered and written, at most deadline_ms. Suspended requests
   must still be answered by their owners meanwhile. False: some were not. */
bool listener_drain(struct listener *listener, int64_t deadline_ms);
/* Ends the loops, cuts what is left; waits for suspended requests, so their owners must be able to answer still. NULL is
   fine. */
void listener_close(struct listener *listener);

#endif
