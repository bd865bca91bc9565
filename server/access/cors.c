/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/access/cors.h"

#include <string.h>

#define API "/api/v1/"

void cors_find_origin(const char *origins, const struct request *request, char out[WEB_ORIGIN_SIZE])
{
    struct slice rest = slice_of(origins), one, origin;
    out[0] = '\0';
    if (!origins[0] || !request_header(request, "Origin", &origin))
        return;
    while (slice_split(&rest, ' ', &one))
        if (one.len && slice_equal(one, origin) && slice_copy(origin, out, WEB_ORIGIN_SIZE))
            return;
    out[0] = '\0';
}

bool cors_is_preflight(const char *origins, const struct request *request)
{
    char origin[WEB_ORIGIN_SIZE];
    struct slice ignored;
    if (!origins[0] || !slice_is(request->method, "OPTIONS") || !slice_starts(request->path, API) ||
        !request_header(request, "Access-Control-Request-Method", &ignored))
        return false;
    cors_find_origin(origins, request, origin);
    return origin[0] != '\0';
}

void cors_answer_preflight(struct reply *reply)
{
    reply_init(reply, 204);
    reply_header(reply, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
    reply_header(
        reply, "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Accept, Range, If-Range, If-Match, If-None-Match, Idempotency-Key, "
        "Last-Event-ID, Content-Digest, Repr-Digest");
    reply_header(reply, "Access-Control-Max-Age", "600");
}

void cors_add_origin(const char *origin, struct reply *reply)
{
    reply_header(reply, "Vary", "Origin");
    if (!origin[0])
        return;
    reply_header(reply, "Access-Control-Allow-Origin", "%s", origin);
    reply_header(
        reply, "Access-Control-Expose-Headers",
        "Link, X-Total-Count, Location, ETag, Retry-After, Idempotency-Replayed, Allow, Accept-Ranges, "
        "Content-Range, Content-Disposition, X-Dfota-Signature");
}

void cors_add_headers(const char *origins, const struct request *request, struct reply *reply)
{
    char origin[WEB_ORIGIN_SIZE];
    if (!origins[0] || !slice_starts(request->path, API))
        return;
    cors_find_origin(origins, request, origin);
    cors_add_origin(origin, reply);
}
