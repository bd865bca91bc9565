/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Where a request of a browser comes from: the cookie of the session, and the defence against requests that
   another site makes a browser send (CSRF). Pure functions over the head of a request; any thread. */
#ifndef DFOTA_SERVER_CONSOLE_ORIGIN_H
#define DFOTA_SERVER_CONSOLE_ORIGIN_H

#include "server/http/request.h"

#define SESSION_COOKIE "dfota_session"

/* The secret in the cookie of the session. False: there is no such cookie. */
bool origin_cookie(const struct request *request, struct slice *ret);
/* ERROR_FORBIDDEN: the browser says that a page of another site sends the request. Sec-Fetch-Site decides,
   which also holds behind a proxy; without it Origin must name the Host. Fine when both are missing. */
bool origin_check_site(const struct request *request, struct error *err);
/* As origin_check_site(), and the header X-Dfota-Console: 1 must be there. A page of another site cannot
   send this header without a permission, which this server never gives. */
bool origin_check_change(const struct request *request, struct error *err);
/* The page was loaded over TLS, at a proxy: Origin begins with https://. */
bool origin_is_secure(const struct request *request);

#endif
