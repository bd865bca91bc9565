/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A reply as bytes: the head exactly as libmicrohttpd writes it, the reply as libmicrohttpd's response, and
   small replies written without libmicrohttpd. */
#ifndef DFOTA_SERVER_HTTP_WIRE_H
#define DFOTA_SERVER_HTTP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include "server/http/reply.h"

struct MHD_Response;

/* Length of the head on the wire, blank line included. */
size_t wire_head_size(const struct reply *reply);

/* That head. The caller frees it. */
char *wire_head(const struct reply *reply, size_t *ret_size);

/* The head of an answer without an end, and so without a Content-Length. The caller frees it. */
char *wire_endless_head(const struct reply *reply, size_t *ret_size);

/* Takes over the reply's body. NULL: out of memory; the reply is still the caller's. */
struct MHD_Response *wire_response(struct reply *reply);
/* Adds the headers of `reply` to a response that was made elsewhere, and returns it. NULL: the response is destroyed. */
struct MHD_Response *wire_add_headers(struct MHD_Response *response, const struct reply *reply);

/* Sends head and body in one send(2) without waiting. The body is in memory. False: not all of it was sent, because the
   peer is gone or does not read. */
bool wire_send(int fd, const struct reply *reply, bool head_only);

/* The refusal of a resume, for any reason: a head without a body and without a Content-Length. A module
   that resumes appends any body to the firmware that it has, in a buffer of Content-Length bytes; with
   Content-Length: 0 the module reads from NULL. */
void wire_send_bare(int fd);

#endif
