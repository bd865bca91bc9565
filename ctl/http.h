/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One HTTP exchange over libcurl: a request from memory or from a file, an answer into memory or into a file.
   Knows nothing of the API. No redirect is followed: the token belongs to one server. */
#ifndef DFOTA_CTL_HTTP_H
#define DFOTA_CTL_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/sha256.h"
#include "ctl/failure.h"

struct http_request { /* everything is borrowed; NULL and 0 where not named otherwise */
    const char *method, *url;
    const char *token; /* sent as Bearer */
    bool direct;       /* not through a proxy, whatever the environment says */
    const char *type;  /* Content-Type of the body */

    const char *body; /* from memory, */
    size_t body_size;
    FILE *file;         /* or streamed from here, asking the server first (Expect: 100-continue) */
    int64_t file_size;  /* bytes */
    const char *digest; /* of the file, for Repr-Digest */

    FILE *sink; /* the body of a 2xx goes here and not into memory */
    struct sha256_state *sink_hash;

    const char *label;  /* what people see moving, on a terminal only; NULL for nothing */
    int64_t timeout_ms; /* for the whole exchange; 0: none, but a minute without a byte ends it */
};

struct http_answer {
    long status;
    char *body; /* with NUL behind it; NULL for none */
    size_t size;
    char *next; /* address of the Link header with rel="next", or NULL */
};

/* False only when there is no answer: EXIT_UNREACHABLE, or EXIT_USAGE for a local file that failed. */
bool http_send(const struct http_request *request, struct http_answer *ret, struct failure *fail);

void http_answer_clear(struct http_answer *answer); /* frees what it holds */

#endif
