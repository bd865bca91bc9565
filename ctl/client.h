/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Calls of the admin API: paths, JSON both ways, and its errors as failures. */
#ifndef DFOTA_CTL_CLIENT_H
#define DFOTA_CTL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/sha256.h"
#include "ctl/failure.h"

struct client;

/* url: where the server's root is, http or https. token: what stands in its admin.token; both are copied.
   timeout_ms: after it every call fails, counted from here; 0 for never. */
bool client_open(const char *url, const char *token, int64_t timeout_ms, struct client **ret,
                 struct failure *fail);
void client_free(struct client *client);

/* A path below /api/v1, each part percent-encoded. */
struct client_path {
    char text[4096];
    size_t len;
};

/* Appends "/part". An empty part is refused: it would name another resource. */
bool client_path_add(struct client_path *path, const char *part, struct failure *fail);

/* Appends "?name=value", or "&name=value" behind another. */
bool client_path_query(struct client_path *path, const char *name, const char *value, struct failure *fail);

struct client_call {
    const char *method, *path; /* path: as client_path.text, or client_answer.next */
    const json_t *json;        /* the body, or NULL */
    FILE *file;                /* or a body streamed from here; its SHA-256 is sent with it */
    const char *file_type;     /* its Content-Type */
    FILE *sink;                /* the answer's bytes go here; the answer is no JSON then */
    struct sha256_state *sink_hash;
    const char *label; /* shown while it lasts, on a terminal only */
};

struct client_answer {
    long status;  /* 2xx */
    json_t *json; /* an object; NULL after 204 and with a sink */
    char *next;   /* path of the list's next page, or NULL */
};

/* False: EXIT_REFUSED with the API's code and detail, EXIT_UNREACHABLE where nothing or nonsense was
 * answered. */
bool client_send(struct client *client, const struct client_call *call, struct client_answer *ret,
                 struct failure *fail);
void client_answer_clear(struct client_answer *answer);

/* The common case, a call without a file: *ret is owned by the caller. */
bool client_get(struct client *client, const char *path, json_t **ret, struct failure *fail);
bool client_change(struct client *client, const char *method, const char *path, const json_t *body,
                   struct client_answer *ret, struct failure *fail);

bool client_is_late(const struct client *client); /* the timeout has passed */

#endif
