/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Decides what the head of a request alone can tell, before libmicrohttpd gets the socket. Internal to
   the http folder; loop's thread. */
#ifndef DFOTA_SERVER_HTTP_ADMIT_H
#define DFOTA_SERVER_HTTP_ADMIT_H

#include "server/http/connection.h"

/* Fills the request from the parsed head. */
void admit_fill_request(struct connection *connection);
/* In this order: route and token (a missing token is the error that is told), framing and length of the body, Expect; then
   begins the stream of the route. With ERROR_METHOD_NOT_ALLOWED the methods of the path are in allow. */
bool admit_check(struct connection *connection, char *allow, size_t allow_size, struct error *err);
/* Counts a body that is kept in memory against the listener's limit. ERROR_UNAVAILABLE: the limit is
   reached. */
bool admit_reserve_body(struct connection *connection, struct error *err);

#endif
