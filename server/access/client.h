/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The address of an admin's machine, also behind proxies (admin_proxies).

   A header counts only when the peer is one of these proxies. X-Forwarded-For: of all its lines, the last address that
   is not such a proxy. Forwarded: the same with for=. When a request has both and they differ, one of them was written
   by the client and not by the proxy, and the request is refused. */
#ifndef DFOTA_SERVER_ACCESS_CLIENT_H
#define DFOTA_SERVER_ACCESS_CLIENT_H

#include "server/http/request.h"

/* Fills request->client and request->is_proxied: the address without a port, "" when it cannot be known. `proxies`: as in struct config.
   ERROR_BAD_REQUEST: the headers contradict each other. Quick, any thread. */
bool client_note(struct request *request, const char *proxies, struct error *err)
    __attribute__((warn_unused_result));

/* The address in one element of X-Forwarded-For, or of for= in Forwarded: "192.0.2.1", "192.0.2.1:4711",
   "[2001:db8::1]:4711", also in quotes. False: it is no address ("unknown", "_hidden"). */
bool client_parse(struct slice text, char out[REQUEST_CLIENT_SIZE]);

#define CLIENT_ORIGIN_SIZE 300

/* "https://fota.example:8443": where the client has found this server. It is the Host of the request, and behind a
   proxy (request->is_proxied) what that one says in X-Forwarded-Proto and X-Forwarded-Host, or in Forwarded. ""
   without a usable host: a path alone is then the URL. Any thread. */
void client_origin(const struct request *request, char out[CLIENT_ORIGIN_SIZE]);

#endif
