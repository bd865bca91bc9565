/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/openapi.h"

#include <pthread.h>
#include <string.h>

#include "base/sha256.h"
#include "server/admin/handlers.h"

static char etag[SHA256_HEX_SIZE];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_etag(void)
{
    struct sha256 hash;
    sha256_of(openapi_text, openapi_text_size, &hash);
    sha256_hex(&hash, etag);
}

static bool is_known_to_client(const struct request *request)
{
    struct slice known;
    return request_header(request, "If-None-Match", &known) &&
           (slice_is(known, "*") || memmem(known.ptr, known.len, etag, strlen(etag)));
}

void admin_openapi_serve(struct request *request)
{
    struct reply reply;
    pthread_once(&once, make_etag);
    reply_init(&reply, is_known_to_client(request) ? 304 : 200);
    reply.content_type = "application/yaml";
    reply.bytes = openapi_text; /* after 304 only the size is used */
    reply.size = openapi_text_size;
    reply_header(&reply, "ETag", "\"%s\"", etag);
    reply_header(&reply, "Cache-Control", "no-cache");
    reply_header(&reply, "X-Content-Type-Options", "nosniff");
    request_answer(request, &reply);
}
