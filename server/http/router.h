/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Routes: each listener has a table of method, pattern of the raw path, kind of body, and handler. */
#ifndef DFOTA_SERVER_HTTP_ROUTER_H
#define DFOTA_SERVER_HTTP_ROUTER_H

#include "server/http/request.h"

/* For a body that is not kept in memory. All three run in the loop's thread and must be quick. */
struct route_stream {
    /* The head is complete, the body is not read yet. False: answers with *err at once and reads no body. */
    bool (*begin)(struct request *request, struct error *err);
    /* False: answers with *err at once and drops the rest of the body; the handler is not called. */
    bool (*data)(struct request *request, const void *bytes, size_t len, struct error *err);
    /* The request is over: frees request->stream_state. Called exactly once after begin() returned true.
       The handler has run before if, and only if, the body was complete. */
    void (*end)(struct request *request);
};

enum {
    ROUTE_WORKER = 1, /* the handler may block: it runs on a worker thread */
    ROUTE_VET = 4,    /* listener_config.vet is called before a body may come */
    ROUTE_OPEN = 8,   /* listener_config.authorize is not called */
    ROUTE_TAKE = 16,  /* listener_config.take gets the socket; the handler answers HEAD only */
    ROUTE_PREFIX =
        2 /* the raw target (query included) begins with the pattern; param[0] is the rest of the target */
};

/* Flags from this bit on belong to listener_config.authorize: what the caller must be allowed. */
#define ROUTE_ACCESS_SHIFT 8

struct route {
    const char *method;  /* "GET" serves HEAD too */
    const char *pattern; /* "/api/v1/products/{}/images/{}": {} is one non-empty path part */
    unsigned flags;
    size_t
        body_limit; /* bytes, more is 413; 0 with a stream: the stream decides; 0 without: read and dropped, at most 4 KiB */
    const struct route_stream *stream; /* NULL: body into memory */
    void (*handler)(struct request *request);
};

/* Finds the route for request->target, request->path and the method; fills request->route and param. The
   first pattern that matches decides the path. ERROR_NOT_FOUND; ERROR_METHOD_NOT_ALLOWED with the methods
   of that path in allow ("GET, HEAD, PUT"). */
bool router_find(const struct route *routes, size_t count, struct slice method, struct request *request,
                 char *allow, size_t allow_size, struct error *err);

#endif
