/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One run of dfotactl: its options and arguments, the server it speaks to, the product it is about, and where
   its result goes. What every command needs, so that a command is only its call and its columns. */
#ifndef DFOTA_CTL_SESSION_H
#define DFOTA_CTL_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include "ctl/client.h"
#include "ctl/failure.h"
#include "ctl/option.h"
#include "ctl/table.h"

struct session {
    const struct options *options;
    char **args; /* what stands behind the words of the command, NULL-terminated; checked against its row */
    size_t arg_count;
    struct client *client;
    bool json;     /* -o json */
    char *product; /* once session_product() has found it */
};

/* Reads options and environment; opens no connection. args is borrowed. */
bool session_open(const struct options *options, char **args, struct session *ret, struct failure *fail);
void session_close(struct session *session);

/* The product by option, by environment, or because the server has just one. *ret is owned by the session. */
bool session_product(struct session *session, const char **ret, struct failure *fail);

/* The only firmware of the product; *ret is the caller's (free). */
bool session_only_firmware(struct session *session, char **ret, struct failure *fail);

/* /products/KEY and the parts behind it, percent-encoded; NULL ends them. */
bool session_path(struct session *session, struct client_path *ret, struct failure *fail, ...)
    __attribute__((sentinel));

/* Prints an answer that is one object. */
void session_print_page(const struct session *session, const json_t *object, const struct table_view *view);

/* Prints an answer {"items":[…]}, with --csv as CSV; EXIT_UNREACHABLE when it is none. */
bool session_print_list(const struct session *session, const json_t *answer, const struct table_view *view,
                        struct failure *fail);

/* Prints JSON, indented, safe on a terminal. */
void session_print_json(const json_t *value);

/* One call without a body and its answer as a page. */
bool session_show(struct session *session, const char *method, const char *path,
                  const struct table_view *view, struct failure *fail);

/* GET of a list of several pages: *ret is the first answer with the items of all, owned by the caller. */
bool session_fetch_pages(struct session *session, const char *first, json_t **ret, struct failure *fail);

/* GET of a list and its answer as a table. */
bool session_list(struct session *session, const char *path, const struct table_view *view,
                  struct failure *fail);

/* "dfotactl: …" on standard error for whoever reads it; nothing that a program needs. */
void session_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A whole number of an option, min to max. */
bool session_number(const struct session *session, enum option_id id, long long min, long long max,
                    long long *ret, struct failure *fail);

/* For strings of the command line that go into JSON: fails when one is no UTF-8, which makes json NULL. */
bool session_check_json(const json_t *json, struct failure *fail);

#endif
