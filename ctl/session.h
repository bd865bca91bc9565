/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One run of dfotactl: options, arguments, the server, the product, and the form of the output. It has what
   every command needs, so that a command consists only of its call and its columns. */
#ifndef DFOTA_CTL_SESSION_H
#define DFOTA_CTL_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include "ctl/client.h"
#include "ctl/failure.h"
#include "ctl/option.h"
#include "ctl/profile.h"
#include "ctl/table.h"

struct session {
    const struct ctl_options *options;
    char **args; /* arguments after the command, NULL-terminated; command_check() has counted them */
    size_t arg_count;
    struct client *client;
    bool json; /* -o json or csv: the output is for programs, and has no notes for people */
    struct profile profile;
    const char *by;      /* who asks: --by, DFOTA_BY or the profile; NULL: none of them */
    char *product;       /* set by session_product() */
    char condition[300]; /* a filter of the command itself, besides --filter; "": none */
};

/* Reads options and environment; does not connect yet. args is borrowed. */
bool session_open(const struct ctl_options *options, char **args, struct session *ret, struct failure *fail);
/* The same for a command that needs no server: session->client is NULL. */
bool session_open_offline(const struct ctl_options *options, char **args, struct session *ret,
                          struct failure *fail);
void session_close(struct session *session);

/* The product of --product or DFOTA_PRODUCT, else the only product of the server. *ret is owned by the
   session. */
bool session_product(struct session *session, const char **ret, struct failure *fail);

/* The only firmware of the product; *ret is owned by the caller. */
bool session_only_firmware(struct session *session, char **ret, struct failure *fail);

/* /products/KEY and the parts, percent-encoded. NULL ends the parts. */
bool session_path(struct session *session, struct client_path *ret, struct failure *fail, ...)
    __attribute__((sentinel));

/* Prints an answer that is one object. Who calls output_end() learns of a wrong column. */
void session_print_page(const struct session *session, const json_t *object, const struct table_view *view);

/* Prints an answer {"items":[…]} as JSON, CSV or table. EXIT_UNREACHABLE: it is not such an answer. */
bool session_print_list(const struct session *session, const json_t *answer, const struct table_view *view,
                        struct failure *fail);

/* Prints an answer with counts and {"items":[…]}: the counts as a page and the items as a table, as CSV the items, as JSON
   all of it. */
bool session_print_bulk(const struct session *session, const json_t *answer, const struct table_view *counts,
                        const struct table_view *items, struct failure *fail);

/* Prints an answer for which there is no view: as JSON, or its plain members as CSV. */
void session_print_json(const json_t *value);

/* Makes a call without a body, and prints the answer as a page. */
bool session_show(struct session *session, const char *method, const char *path,
                  const struct table_view *view, struct failure *fail);

/* Handles one page of a list. `answer` has an array "items"; borrowed. */
typedef bool session_page(void *cls, const json_t *answer, struct failure *fail);

/* GETs a list of several pages, which begins at `path`, and calls `handle` with each page. */
bool session_walk(struct session *session, const char *path, session_page *handle, void *cls,
                  struct failure *fail);

/* Adds a condition that the items of the next list must fulfil too. */
bool session_add_condition(struct session *session, struct failure *fail, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* GETs a list as --filter, --sort and --limit say: *ret is the first answer with the items of all pages, owned by the
   caller. */
bool session_fetch_pages(struct session *session, const char *path, json_t **ret, struct failure *fail);

/* The same, and prints it. */
bool session_list(struct session *session, const char *path, const struct table_view *view,
                  struct failure *fail);

/* Prints "dfotactl: …" on standard error: a note for people, nothing that a program needs. */
void session_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Call with JSON that was made from arguments. EXIT_USAGE if json is NULL: an argument is not valid UTF-8. */
bool session_check_json(const json_t *json, struct failure *fail);

#endif
