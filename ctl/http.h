/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One HTTP exchange over libcurl. The body of the request comes from memory or a file, the body of the
   answer goes to memory or a file. Redirects are not followed: the token belongs to one server. */
#ifndef DFOTA_CTL_HTTP_H
#define DFOTA_CTL_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/sha256.h"
#include "ctl/failure.h"

/* How the server is reached. All texts are borrowed, NULL: not given. */
struct http_connect {
    bool direct; /* use no proxy, even if the environment names one; `proxy` comes first */
    const char *proxy;
    const char *cacert; /* file with the certificates that are trusted; NULL: those of the system */
    const char *cert,
        *cert_key; /* PEM files with the client certificate and its key; cert_key NULL: in cert */
};

struct http_request { /* all pointers are borrowed; what is not needed is NULL or 0 */
    const char *method, *url;
    const char *token; /* sent as Bearer */
    struct http_connect connect;
    const char *type;  /* Content-Type of the body */
    const char *key;   /* Idempotency-Key */
    const char *match; /* If-Match */

    const char *body; /* in memory */
    size_t body_size;
    FILE *file;         /* or: streamed from here, with Expect: 100-continue */
    int64_t file_size;  /* bytes */
    const char *digest; /* of the file, for Repr-Digest */

    FILE *sink; /* receives the body of a 2xx answer; NULL: memory receives it */
    struct sha256_state *sink_hash;
    int64_t resume_at; /* the sink has so many bytes already: only those behind them are asked for */
    const char *etag;  /* with resume_at: of the file that these bytes are from */

    const char *label;  /* shown with the progress, on a terminal only; NULL: no progress */
    int64_t timeout_ms; /* of the whole exchange; 0: none. A minute without a byte always ends it. */
};

struct http_answer {
    long status;
    char *body; /* with a NUL at the end; NULL: no body */
    size_t size;
    char *next; /* address in the Link header with rel="next", or NULL */
    char *etag; /* as the header has it, with its quotes; or NULL */
    bool broke; /* there is no answer: the connection ended after the request, or a part of it, was sent */
};

/* True with any complete answer. EXIT_UNREACHABLE: no answer. EXIT_USAGE: a local file cannot be read or
   written. */
bool http_send(const struct http_request *request, struct http_answer *ret, struct failure *fail);

void http_answer_clear(struct http_answer *answer); /* frees the members */

#endif
