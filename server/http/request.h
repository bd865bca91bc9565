/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One request, from its complete head to its answer.

   Life: the loop's thread makes it when the head has been vetted, routes it, reads the body (into memory, or into the
   route's stream) and calls the handler: in the loop's thread, or on a worker where the route says so. The handler, or
   whoever it hands the request to, calls request_answer() exactly once, from any thread; until then the connection is
   suspended. The request lives until the answer has been written or the connection is gone; after request_answer() only
   the http folder may touch it: the handler must not even read it. A peer that hangs up while suspended is noticed only
   after the answer. */
#ifndef DFOTA_SERVER_HTTP_REQUEST_H
#define DFOTA_SERVER_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/slice.h"
#include "server/http/reply.h"

#define REQUEST_PARAMS_MAX 6

struct route;

struct request {
    void *context; /* listener_config.context */
    const struct route *route;
    bool head_only;      /* HEAD: routed as GET; the body of the answer is left out by the http folder */
    struct slice target; /* raw request target as received, at most the head limit */
    struct slice path;   /* raw, before '?' */
    struct slice query;  /* raw, behind the first '?'; empty without */
    struct slice
        param[REQUEST_PARAMS_MAX]; /* what stood at each {} of the pattern, raw; of a prefix route the rest */
    struct slice body;             /* complete body of a route with body_limit > 0 */
    struct slice
        token; /* what stood behind "Bearer ", empty without; known to be good where the listener asks for one */
    int64_t body_length; /* announced Content-Length, -1 when chunked, 0 without body */
    char peer[64];       /* "127.0.0.1:40312", for logs and the ledger */
    void *stream_state;  /* owned by the route's stream functions */
};

/* Value of a header by name (case-insensitive), blanks around it dropped; false when it is not there. The first one
   where several are. Lives as long as the request. */
bool request_header(const struct request *request, const char *name, struct slice *ret);

/* It asks for what comes behind bytes that it has: only 206, or a status from 300 on, may answer it. */
bool request_resumes(const struct request *request);

/* Percent-decoded query parameter or path part into out as clean UTF-8 text. *ret_found false when it is not in the
   query (out is ""). ERROR_BAD_NAME for a malformed escape, bytes that are no UTF-8, control characters (%00 among
   them), or more than out holds. The first occurrence counts. */
bool request_query(const struct request *request, const char *name, char *out, size_t out_size,
                   bool *ret_found, struct error *err);
bool request_param(const struct request *request, unsigned index, char *out, size_t out_size,
                   struct error *err);

/* The same for a raw query string that did not come from `request->query` (the glued form). */
bool query_find(struct slice query, const char *name, char *out, size_t out_size, bool *ret_found,
                struct error *err);

/* The value as it stands in the query, percent-encoded; empty where it is not there. */
bool query_raw(struct slice query, const char *name, struct slice *ret);

/* Answers; takes over *reply (it is emptied). Any thread, exactly once. */
void request_answer(struct request *request, struct reply *reply);

/* Answers with the listener's rendering of an error (problem+json, or the dialect's small JSON). */
void request_fail(struct request *request, const struct error *err);

#endif
