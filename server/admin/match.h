/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Entity tags of JSON answers: If-None-Match for reading, and If-Match for changes of one resource.

   The tag of a resource that admins change is "S-C". S is a hash of what admins have set, and of its state; nothing that
   devices do changes S, except a campaign that moves on or pauses itself. C is a hash of the answer. If-Match compares
   S, in the writer's transaction, before the change. Other JSON answers have the tag "C". */
#ifndef DFOTA_SERVER_ADMIN_MATCH_H
#define DFOTA_SERVER_ADMIN_MATCH_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "server/http/request.h"

struct admin_call;
struct db;

#define MATCH_SIZE 21

struct match {                             /* of one call; all zero at its begin */
    const struct match_resource *resource; /* that the path names; NULL: none */
    bool takes_if_match;
    bool answers_resource;  /* the answer with status 200 is the resource */
    int64_t id;             /* of the resource; 0: not known */
    char state[MATCH_SIZE]; /* S, in hex; "": not known */
};

/* Finds the resource of the call, and its S before anything else is read: a tag may only be too old. Checks the
   preconditions, so that a dry run too has them. Worker thread. ERROR_PRECONDITION_FAILED, ERROR_BAD_REQUEST. */
bool match_begin(struct admin_call *call, struct error *err) __attribute__((warn_unused_result));

struct match_change { /* a change with its precondition */
    struct admin_call *call;
    bool (*change)(void *cls, struct db *db, struct error *err);
    void *cls;
};
/* Writer's thread: a writer_function for a struct match_change. ERROR_PRECONDITION_FAILED, and the errors of the change. */
bool match_change(void *cls, struct db *db, struct error *err);

/* Adds the tag to the reply of the call. A GET whose tag the client knows becomes 304. */
void match_end(struct admin_call *call);

#endif
