/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Routes: one table per listener of method, pattern on the raw path, how the body is taken, and handler. */
#ifndef DFOTA_SERVER_HTTP_ROUTER_H
#define DFOTA_SERVER_HTTP_ROUTER_H

#include "server/http/request.h"

/* A body that is not kept in memory. All three run in the loop's thread and must be quick. */
struct route_stream {
    /* Head complete, body not yet read. False: the request is answered with *err at once, the body is not taken. */
    bool (*begin)(struct request *request, struct error *err);
    /* False: the request is answered with *err at once, what else comes is thrown away; the handler is not called. */
    bool (*data)(struct request *request, const void *bytes, size_t len, struct error *err);
    /* The request is over, whatever became of it: frees request->stream_state. Called exactly once after begin()
       returned true. Before it the handler has run if, and only if, the body came whole. */
    void (*end)(struct request *request);
};

enum {
    ROUTE_WORKER = 1, /* the handler may block: it runs on a worker thread */
    ROUTE_VET = 4,    /* before a body may come, listener_config.vet is asked */
    ROUTE_PREFIX =
        2 /* the raw target (query included) begins with the pattern; param[0] is the rest of the target */
};

struct route {
    const char *method;  /* "GET" serves HEAD too */
    const char *pattern; /* "/api/v1/products/{}/images/{}": {} is one non-empty path part */
    unsigned flags;
    size_t
        body_limit; /* bytes, more is 413; 0: read and dropped, at most 4 KiB, but with a stream: that decides */
    const struct route_stream *stream; /* NULL: body into memory */
    void (*handler)(struct request *request);
};

/* The route that takes request->target and request->path with this method: fills request->route and param. The first
   pattern that fits names the path: only its rows are looked at. ERROR_NOT_FOUND, or
   ERROR_METHOD_NOT_ALLOWED with the methods of that path in allow ("GET, HEAD, PUT"). */
bool router_find(const struct route *routes, size_t count, struct slice method, struct request *request,
                 char *allow, size_t allow_size, struct error *err);

#endif
