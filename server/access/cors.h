/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* CORS: pages of other sites that the owner has listed (admin_cors_origins) may use the admin API with a
   token in Authorization. Cookies are never allowed: no answer has Access-Control-Allow-Credentials.
   Without a list no answer has any header of CORS. `origins` is the list, "https://a https://b:8443". Any
   thread. */
#ifndef DFOTA_SERVER_ACCESS_CORS_H
#define DFOTA_SERVER_ACCESS_CORS_H

#include "server/config/origin_list.h"
#include "server/http/request.h"

/* The origin of the request if it is in the list, else "". */
void cors_find_origin(const char *origins, const struct request *request, char out[WEB_ORIGIN_SIZE]);

/* Whether a browser asks what a page of a listed origin may do: OPTIONS with Origin and Access-Control-
   Request-Method. It never sends a token with this. */
bool cors_is_preflight(const char *origins, const struct request *request);
/* Fills the answer to it. cors_add_headers() adds the rest. */
void cors_answer_preflight(struct reply *reply);

/* Adds the headers to an answer of the API. */
void cors_add_headers(const char *origins, const struct request *request, struct reply *reply);
/* The same, with what cors_find_origin() has found. */
void cors_add_origin(const char *origin, struct reply *reply);

#endif
