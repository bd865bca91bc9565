/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One event loop of a listener: its thread, listening socket, epoll and libmicrohttpd daemon. Internal to
   the http folder.

   libmicrohttpd's own loops stall when exactly 128·k sockets become ready at once, and lose wake-ups of
   resumed connections. So the loop is our own: it waits for libmicrohttpd's epoll descriptor, its
   listening socket, its eventfd and the sockets at the gate, and then runs libmicrohttpd without waiting. */
#ifndef DFOTA_SERVER_HTTP_LOOP_H
#define DFOTA_SERVER_HTTP_LOOP_H

#include "server/http/loop_state.h"

/* Makes the loop for a bound, listening socket, which it then owns, and starts its thread. */
bool loop_start(struct capacity *capacity, const struct listener_config *config, int socket,
                struct loop **ret, struct error *err);
/* listener_give() for this loop. */
void loop_give(struct loop *loop, int fd, const struct sockaddr_storage *peer);
/* After capacity_stop(): waits for the thread, frees. */
void loop_join(struct loop *loop);

#endif
