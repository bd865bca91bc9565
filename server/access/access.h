/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a token may call. The access of a route is the scope that the call needs, and maybe ACCESS_CUT. It is in
   route.flags: ROUTE_ACCESS(). */
#ifndef DFOTA_SERVER_ACCESS_ACCESS_H
#define DFOTA_SERVER_ACCESS_ACCESS_H

#include "server/http/router.h"
#include "storage/link.h"
#include "storage/token.h"

#define ACCESS_PRODUCT "/api/v1/products/{}" /* the calls of one product begin with it */

/* A call for the whole server that gives a token of one product only what belongs to this product. Without it such a
   token is refused. */
#define ACCESS_CUT 0x10

#define ROUTE_ACCESS(access) ((unsigned)(access) << ROUTE_ACCESS_SHIFT)

/* Whether request->actor may make this call. A route without a scope needs SCOPE_ADMIN; without a route (no such path)
   every token may ask. ERROR_FORBIDDEN. */
bool access_check(const struct request *request, struct error *err) __attribute__((warn_unused_result));

/* The product in the query that a call is about, "" for all; the only product of the token if it has one.
   ERROR_FORBIDDEN: the query names another one. ERROR_BAD_NAME. */
bool access_product(const struct request *request, char out[PRODUCT_KEY_SIZE], struct error *err)
    __attribute__((warn_unused_result));
/* Whether the actor may see this product. */
bool access_sees(const struct request *request, const char *product);

/* Whether the actor may see what opens a link: its token and its URL. From the scope operate on, which may make links. */
bool access_sees_links(const struct request *request);
/* Replaces the tokens of links and the secrets of devices in a text, all but their first 6 characters, by '*'. */
void access_hide_links(char *text, size_t len);

#endif
