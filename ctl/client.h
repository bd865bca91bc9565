/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Calls to the admin API: builds paths, sends and reads JSON, turns errors of the API into failures. */
#ifndef DFOTA_CTL_CLIENT_H
#define DFOTA_CTL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/sha256.h"
#include "ctl/failure.h"
#include "ctl/http.h"
#include "upgrade/reason.h"

struct client;

/* url: root of the server, http or https. token: content of the server's admin.token. Both are copied.
   connect: copied, what it points to is not; `direct` is set here.
   timeout_ms: every call fails when this time has passed since client_open(); 0: no limit. */
bool client_open(const char *url, const char *token, int64_t timeout_ms, const struct http_connect *connect,
                 struct client **ret, struct failure *fail);
void client_free(struct client *client);
/* Reasons in all further answers are worded in this language; without the call they are in English. */
void client_set_language(struct client *client, enum reason_language language);
/* The name of the person who asks, for the ledger: goes with each call that changes something. Borrowed; NULL: none. */
void client_set_by(struct client *client, const char *by);
/* The root of the server, without a slash at the end; lives as long as the client. */
const char *client_root(const struct client *client);

/* A path below /api/v1; each part is percent-encoded. */
struct client_path {
    char text[4096];
    size_t len;
};

/* Appends "/part". An empty part is an error: the path would name another resource. */
bool client_path_add(struct client_path *path, const char *part, struct failure *fail);

/* Appends "?name=value", or "&name=value" after another query. */
bool client_path_query(struct client_path *path, const char *name, const char *value, struct failure *fail);

struct client_call {
    const char *method, *path; /* path: as client_path.text, or client_answer.next */
    const json_t *json;        /* the body, or NULL */
    FILE *file;                /* or: the body is read from here, and its SHA-256 is sent too */
    const char *file_type;     /* Content-Type of file */
    FILE *sink;                /* the answer is not JSON, and its bytes are written here; or NULL */
    struct sha256_state *sink_hash;
    int64_t resume_at; /* as in http_request */
    const char *etag;
    const char *label; /* shown with the progress, on a terminal only; or NULL */
};

struct client_answer {
    long status;  /* 2xx */
    json_t *json; /* an object; NULL after 204 or with a sink */
    char *next;   /* path of the next page of a list, or NULL */
    char *etag;   /* or NULL */
};

/* EXIT_REFUSED: the server refused; *fail has the code and the detail. EXIT_UNREACHABLE: no answer, or one
   that is not understood. */
bool client_send(struct client *client, const struct client_call *call, struct client_answer *ret,
                 struct failure *fail);
void client_answer_clear(struct client_answer *answer);

/* Calls without a file. *ret is owned by the caller. */
bool client_get(struct client *client, const char *path, json_t **ret, struct failure *fail);
bool client_change(struct client *client, const char *method, const char *path, const json_t *body,
                   struct client_answer *ret, struct failure *fail);

/* As client_get(), of the resource that the next changes are about: they carry its ETag as If-Match, and the server refuses
   them (precondition-failed) when the resource was changed meanwhile. */
bool client_get_resource(struct client *client, const char *path, json_t **ret, struct failure *fail);

bool client_is_late(const struct client *client); /* the timeout has passed */

#endif
