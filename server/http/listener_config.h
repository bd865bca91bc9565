/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a listener is told at its start. */
#ifndef DFOTA_SERVER_HTTP_LISTENER_CONFIG_H
#define DFOTA_SERVER_HTTP_LISTENER_CONFIG_H

#include "server/http/router.h"

struct transfers;
struct thread_pool;

struct listener_config {
    const char *name;    /* "device", "admin": for logs */
    const char *address; /* "127.0.0.1:8080", "[::1]:8081", port 0 = any free one */
    unsigned loops;
    unsigned
        max_connections; /* at the limit the oldest whose request is not whole is closed; where all are whole: 503 */
    uint64_t
        max_bodies_bytes; /* of all bodies above 4 KiB in memory at once; more are answered 503. 0: no limit */
    bool bare_refusals;   /* what refuses a resume is a bare 416: wire.h */
    bool trailing_slash;  /* "/path/" is "/path" */
    unsigned max_head_bytes; /* request line and headers; the request line alone: 414, the whole: 431 */
    unsigned memory_per_connection; /* libmicrohttpd's pool; raised to what a head of max_head_bytes needs */
    bool
        no_chunks; /* a chunked body is 400: what is wrong inside one libmicrohttpd answers itself, in HTML */
    int64_t head_timeout_ms; /* for the whole head, from accept; then closed (408 where any byte came) */
    int64_t body_timeout_ms; /* for a body kept in memory, whole; then 408 */
    int64_t
        idle_timeout_ms; /* no more of a streamed body: 408; less of an answer acknowledged than the least rate: reset */
    uint64_t least_rate; /* bytes of an answer a second, over idle_timeout_ms; 0: any byte will do */
    const struct route *routes;
    size_t route_count;
    /* NULL: everybody may. Else asked before the route is looked for, with what stands behind "Bearer " (empty without).
       Loop's thread. */
    bool (*authorize)(void *context, struct slice token);
    /* For ROUTE_VET: false answers with *err, and no body is taken. It sees the request without its body. Worker. */
    bool (*vet)(struct request *request, struct error *err);
    /* Fills *reply (initialised, with the error's status) for an error met before or by a handler; the body in memory.
       Allow and WWW-Authenticate are added by the http folder. Any thread. */
    void (*render_error)(void *context, const struct error *err, struct reply *reply);
    struct transfers *transfers;     /* NULL: replies with an attempt are not watched */
    struct thread_pool *thread_pool; /* for ROUTE_WORKER */
    void *context;
};

#endif
