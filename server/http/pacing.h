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

/* Resumes the connections whose time has come. */
void pacing_resume(struct loop *loop);
/* Resumes all, because libmicrohttpd cannot end with suspended connections. */
void pacing_resume_all(struct loop *loop);
/* Boot clock: when the next one is to be resumed; INT64_MAX: none waits. */
int64_t pacing_due_ms(const struct loop *loop);

#endif
