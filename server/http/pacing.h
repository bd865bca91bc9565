/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Sends packages at a limited rate (rate.h): a connection whose next piece may not be sent yet is suspended until then.
   Internal to the http folder; loop's thread. */
#ifndef DFOTA_SERVER_HTTP_PACING_H
#define DFOTA_SERVER_HTTP_PACING_H

#include <microhttpd.h>
#include "server/http/connection.h"

/* Whether the answer of this connection has a limited rate. */
bool pacing_applies(const struct connection *connection);
/* The response for connection->reply, whose bytes stay with the connection. NULL: memory is gone. */
struct MHD_Response *pacing_response(struct connection *connection);

/* For a connection that is not paused. Sets connection->piece, the number of bytes that may be sent now, at most `left`.
   False: the connection is paused first. */
bool pacing_take(struct connection *connection, uint64_t left);

/* The next connection whose time has come, for the loop to resume; INT64_MAX: any paused connection. NULL: no such connection. */
struct connection *pacing_next(struct loop *loop, int64_t now_ms);
/* Boot clock: when the next one is to be resumed; INT64_MAX: none waits. */
int64_t pacing_due_ms(const struct loop *loop);

#endif
