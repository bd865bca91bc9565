/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a listener is told at its start. */
#ifndef DFOTA_SERVER_HTTP_LISTENER_CONFIG_H
#define DFOTA_SERVER_HTTP_LISTENER_CONFIG_H

#include "server/core/metrics.h"
#include "server/http/router.h"

struct transfers;
struct thread_pool;

struct listener_config {
    const char *name;    /* "device", "admin": for logs */
    const char *address; /* "127.0.0.1:8080", "[::1]:8081", port 0 = any free one */
    unsigned loops;
    unsigned
        max_connections; /* at the limit the oldest with an incomplete request is closed; when all are complete: 503 */
    uint64_t
        max_bodies_bytes; /* of all bodies above 4 KiB in memory at once; more are answered 503. 0: no limit */
    enum metric_listener metrics; /* where its answers are counted */
    bool bare_refusals;           /* a refused resume gets a bare 416: wire.h */
    bool direct;                  /* requests without a body are answered without libmicrohttpd: direct.h */
    bool trailing_slash;          /* "/path/" means "/path" */
    bool secret_paths;            /* "/t/SECRET/path" means "/path", under this secret */
    bool no_transform; /* a proxy on the way may not compress or change an answer: Cache-Control says so */
    unsigned max_head_bytes; /* request line and headers; the request line alone: 414, the whole: 431 */
    unsigned
        memory_per_connection; /* of libmicrohttpd's pool, bytes; raised to what a head of max_head_bytes needs */
    bool
        no_chunks; /* a chunked body is 400: libmicrohttpd itself answers errors inside such a body, in HTML */
    bool single_headers;     /* 400 when a header that decides, such as Authorization, is there twice */
    int64_t head_timeout_ms; /* from accept to the complete head; then closed (408 when a byte has come) */
    int64_t body_timeout_ms; /* for a complete body kept in memory; then 408 */
    int64_t
        idle_timeout_ms; /* no byte of a streamed body: 408; less of an answer acknowledged than least_rate: reset */
    int64_t keep_alive_ms; /* a connection waits this long for its next request; 0: each answer closes it */
    /* Whether the peer is a proxy in front of the server: then its connections may be kept, and no others. NULL: every
       connection may be kept. Loop's thread, quick. */
    bool (*is_proxy)(const struct request *request);
    uint64_t least_rate; /* bytes of an answer per second, over idle_timeout_ms; 0: one byte is enough */
    const struct route *routes;
    size_t route_count;
    /* NULL: everyone may ask. Else called for every request without a route of ROUTE_OPEN, also when there is
       no such path; may fill request->actor. False: the answer is *err. Loop's thread. */
    bool (*authorize)(struct request *request, struct error *err);
    /* NULL, or called with the head of each request that has a route and is authorized, before its body. False:
       the answer is *err, and no body is read. Loop's thread. */
    bool (*check)(struct request *request, struct error *err);
    /* For ROUTE_VET, with the request before its body. False: the answer is *err, and no body is read.
       Worker thread. */
    bool (*vet)(struct request *request, struct error *err);
    /* For ROUTE_TAKE. True: the socket is now the callee's, nothing was written to it, the bytes of the request are
       still to be read from it, and the http folder forgets the request. False: the answer is *err. Must be quick.
       Loop's thread. */
    bool (*take)(struct request *request, int socket, struct error *err);
    /* NULL, or: the route that answers this request instead of one of `routes`, without authorize(). NULL: no such route.
       Loop's thread, quick. */
    const struct route *(*divert)(const struct request *request);
    /* NULL, or called with what a handler has left in *request->turn, at the end of the turn of its loop. Loop's thread. */
    void (*end_turn)(void *turn);
    /* NULL, or adds headers to each answer, also to errors; a request whose head could not be read has an empty path.
       Any thread, quick. */
    void (*add_headers)(const struct request *request, struct reply *reply);
    /* Fills *reply, which is initialised with the error's status, for an error before or in a handler.
       The body is in memory. The http folder adds Allow and WWW-Authenticate. Any thread. */
    void (*render_error)(void *context, const struct error *err, struct reply *reply);
    struct transfers *transfers;     /* NULL: no reply is watched */
    struct thread_pool *thread_pool; /* for ROUTE_WORKER */
    void *context;
};

#endif
