/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The admin REST API, as doc/api.md describes it: its routes, the check of the token, and the form of
   errors. The context of the listener is the struct daemon. */
#ifndef DFOTA_SERVER_ADMIN_ADMIN_H
#define DFOTA_SERVER_ADMIN_ADMIN_H

#include "server/http/router.h"

extern const struct route admin_routes[];
extern const size_t admin_route_count;

/* For listener_config.authorize. With an Authorization header its token decides, else the session in the
   cookie: then a change also needs what origin_check_change() demands. Fills request->actor and request->client.
   ERROR_UNAUTHORIZED, ERROR_TOO_MANY_ATTEMPTS, ERROR_FORBIDDEN: the token may not make this call. */
bool admin_authorize(struct request *request, struct error *err);

/* For listener_config.check: the query has only parameters that the call takes, and the request has a body only
   where the call takes one. ERROR_BAD_REQUEST. */
bool admin_check_query(struct request *request, struct error *err);

/* The first half of admin_authorize(): who asks, not whether the call is allowed. Any thread. */
bool admin_identify(struct request *request, struct error *err);
/* Fills request->actor from the token with this hash of its secret, and notes the use. request->client is filled.
   Without such a token the error says `text`. Any thread. */
bool admin_token_accept(struct request *request, const struct sha256 *hash, const char *text,
                        struct error *err);
/* Logs a failed login and limits them. `token_name` may be NULL. Returns false: ERROR_UNAUTHORIZED with `text`, or
   ERROR_TOO_MANY_ATTEMPTS. */
bool admin_refuse_login(const struct request *request, const char *reason, const char *token_name,
                        const char *text, struct error *err);

/* For listener_config.divert and add_headers: CORS (cross_origin.c). */
const struct route *admin_divert(const struct request *request);
void admin_add_headers(const struct request *request, struct reply *reply);

/* For listener_config.take: the socket becomes a stream of events. ERROR_BAD_REQUEST, ERROR_UNAVAILABLE. */
bool admin_events_take(struct request *request, int socket, struct error *err); /* events.c */

/* For listener_config.render_error: application/problem+json (RFC 9457) with the error's status and code. */
void admin_render_error(void *context, const struct error *err, struct reply *reply);

/* Like admin_render_error() with another status: 409 if the state of the server, not the request, makes it
   invalid. */
void admin_render_problem(struct reply *reply, int status, const struct error *err);
/* The same with more members; takes over `members`. */
void admin_render_problem_with(struct reply *reply, int status, const struct error *err, json_t *members);

#endif
