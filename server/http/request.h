/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One request, from its complete head to its answer.

   The loop's thread checks the head, finds the route, reads the body into memory or into the route's
   stream, and calls the handler: in the loop's thread, or on a worker for ROUTE_WORKER. The handler, or a
   later owner of the request, calls request_answer() exactly once, from any thread; until then the
   connection is suspended. The request lives until the answer is written or the connection is gone. After
   request_answer() only the http folder may use the request: the handler must not even read it. A peer
   that hangs up while the connection is suspended is noticed only after the answer. */
#ifndef DFOTA_SERVER_HTTP_REQUEST_H
#define DFOTA_SERVER_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/sha256.h"
#include "base/slice.h"
#include "server/http/reply.h"
#include "upgrade/name.h"

#define REQUEST_PARAMS_MAX  6
#define REQUEST_CLIENT_SIZE 48 /* an address without a port */

struct route;

struct actor {                      /* for whom the request counts */
    struct sha256 token;            /* the hash of the secret; zero: for no token */
    char name[65];                  /* of the token */
    char product[PRODUCT_KEY_SIZE]; /* the only product that it may reach; "": all */
    unsigned scope;                 /* enum token_scope */
    int64_t token_id;               /* stays when the secret is rotated; 0: for no token */
};

struct request {
    void *context; /* listener_config.context */
    const struct route *route;
    void **turn; /* what the handlers of one turn of the loop share; *turn is NULL at first. Loop's thread */
    bool head_only;      /* HEAD: routed as GET; the http folder leaves the body out of the answer */
    struct slice target; /* raw request target as received, at most the head limit */
    struct slice path;   /* raw, before '?' */
    struct slice query;  /* raw, after the first '?'; empty without */
    struct slice secret; /* raw, of /t/SECRET/…, which target and path leave out then; ptr NULL: none */
    struct slice param
        [REQUEST_PARAMS_MAX]; /* raw, for each {} of the pattern; the rest of the target for ROUTE_PREFIX */
    struct slice body;        /* complete body of a route with body_limit > 0 */
    struct slice method;
    struct slice token;               /* the text after "Bearer ", empty without */
    struct actor actor;               /* filled by authorize() */
    int64_t body_length;              /* Content-Length, -1 when chunked, 0 without body */
    char peer[64];                    /* "127.0.0.1:40312", for logs and the ledger */
    char client[REQUEST_CLIENT_SIZE]; /* filled by authorize(): the address without a port; "": not known */
    bool is_proxied;                  /* a proxy has told this address */
    bool over_tls;      /* of this server: acknowledged bytes are on their way, not at the peer */
    void *stream_state; /* owned by the route's stream functions */
};

/* The value of the first header of that name (case-insensitive), without the blanks around it. False: no
   such header. *ret lives as long as the request. */
bool request_header(const struct request *request, const char *name, struct slice *ret);

/* The same for the header of that name with this index, in the order of the lines. */
bool request_header_at(const struct request *request, const char *name, unsigned index, struct slice *ret);

/* Whether a header Accept names this media type. All Accept headers count. */
bool request_accepts(const struct request *request, const char *type);

/* True: the device has bytes and asks for those that follow. Only 206, or a status from 300 on, may
   answer. */
bool request_resumes(const struct request *request);

/* Decodes a query parameter or a part of the path into out, as UTF-8. *ret_found false: not in the query,
   out is "". ERROR_BAD_NAME for a malformed escape, invalid UTF-8, control characters (also %00), or a
   text too long for out. The first occurrence counts. */
bool request_query(const struct request *request, const char *name, char *out, size_t out_size,
                   bool *ret_found, struct error *err);
bool request_param(const struct request *request, unsigned index, char *out, size_t out_size,
                   struct error *err);

/* The same for another raw query string than request->query. */
bool query_find(struct slice query, const char *name, char *out, size_t out_size, bool *ret_found,
                struct error *err);

/* The value as it is in the query, percent-encoded. False: not in the query, *ret is empty. */
bool query_raw(struct slice query, const char *name, struct slice *ret);

/* Answers; takes over *reply (it is emptied). Any thread, exactly once. */
void request_answer(struct request *request, struct reply *reply);

/* Answers with an error as the listener renders it: problem+json, or the small JSON of the dialect. */
void request_fail(struct request *request, const struct error *err);

#endif
