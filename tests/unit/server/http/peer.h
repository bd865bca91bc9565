/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the tests of server/ share: a peer on a raw socket, and a listener with as little around it as
   possible. A wait here ends only when a server hangs: nothing depends on how long anything takes. */
#ifndef DFOTA_TESTS_UNIT_SERVER_HTTP_PEER_H
#define DFOTA_TESTS_UNIT_SERVER_HTTP_PEER_H

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "server/http/listener.h"

#define PEER_PATIENCE_MS 60000

/* Everything that came until the other side closed. */
struct peer_answer {
    char *text; /* NUL behind it */
    size_t len;
    bool reset; /* it ended in a reset instead of a FIN */
};

int peer_connect(const char *address);
void peer_send(int fd, const char *text);
void peer_send_bytes(int fd, const void *bytes, size_t len);
/* Waits for the end; closes fd. */
struct peer_answer peer_read(int fd);
/* All at once: text out, a whole answer back that did not end in a reset. The caller frees it. */
char *peer_ask(const char *address, const char *text);

int peer_status(const char *answer);                    /* of the last answer's status line */
bool peer_header(const char *answer, const char *line); /* the head has this very line */
const char *peer_body(const char *answer);              /* behind the head */

/* Waits until it is posted; fails when it never is. */
void peer_await(sem_t *semaphore);

/* Defaults that no test meets by accident; the errors are rendered as {"code":STATUS,"msg":TEXT}. */
void peer_config(struct listener_config *ret, const struct route *routes, size_t count);
void peer_render(void *context, const struct error *err, struct reply *reply);
/* Opens on a free port of 127.0.0.1. */
struct listener *peer_listen(const struct listener_config *config, char address[64]);

/* An answer of short text. */
void peer_answer_text(struct request *request, const char *text);

#endif
