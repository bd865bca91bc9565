/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One call of the admin API on its worker thread: what every handler gets, and functions that handlers
   share. */
#ifndef DFOTA_SERVER_ADMIN_CALL_H
#define DFOTA_SERVER_ADMIN_CALL_H

#include <jansson.h>
#include "server/admin/idempotency.h"
#include "server/admin/match.h"
#include "server/context.h"
#include "server/core/field.h"
#include "server/http/request.h"

struct csv_faults;

struct admin_call {
    struct request *request;
    struct daemon *daemon;
    struct db *db;      /* for reading; changes go through call_change() */
    struct reply reply; /* the answer, if the handler returns true */
    bool keeps_json;    /* the JSON of the reply is sent as it is: no texts beside its times */
    struct match match;
    struct idempotency idempotency;
    json_t *problem; /* members of the answer when the handler returns false; NULL: none */
};

/* Runs the handler with a read-only connection, and answers with its reply or its error. */
void call_run(struct request *request, bool (*handler)(struct admin_call *call, struct error *err));

/* Logs an error that is answered with 500 or above. call_run() does this for handlers. */
void call_log_failure(const struct error *err);

/* Runs `change` in the writer's thread and transaction after its precondition (match.h), and waits until it is durable. `change` must read
   there what it depends on: only there nothing changes in between. */
bool call_change(struct admin_call *call, writer_function *change, void *cls, struct error *err)
    __attribute__((warn_unused_result));

/* For a change that goes another way to the writer than call_change(): the function call_run_change() with this as its
   `cls` runs `change`, and stores the key of the call in the same transaction. */
struct call_task {
    struct admin_call *call;
    writer_function *change;
    void *cls;
};
bool call_run_change(void *task, struct db *db, struct error *err) __attribute__((warn_unused_result));

/* Stores the counts and times of check-ins, which are in memory, so that the following reads are exact. If
   this fails, for example on a full disk, the log says so and the counts are a little old. */
void call_store_counts(const struct admin_call *call);

/* The body as JSON. ERROR_BAD_JSON, also for a name that occurs twice in an object. */
bool call_body(const struct admin_call *call, json_t **ret, struct error *err)
    __attribute__((warn_unused_result));

/* Checks that the body is `type`, if the request names a type. ERROR_UNSUPPORTED_TYPE: "`what` must be
   sent as text/csv". */
bool call_check_type(const struct admin_call *call, const char *type, const char *what, struct error *err)
    __attribute__((warn_unused_result));

/* A number in the query; *value is unchanged if there is none. ERROR_BAD_REQUEST. */
bool call_query_number(const struct request *request, const char *name, uint64_t least, uint64_t most,
                       uint64_t *value, struct error *err) __attribute__((warn_unused_result));

/* Checks a text that is stored: 1 to `most` bytes of clean UTF-8. ERROR_INVALID: a text is never cut. */
bool call_check_text(const char *name, const char *text, size_t most, struct error *err)
    __attribute__((warn_unused_result));
/* Checks `by` in the query, who makes a change. ERROR_BAD_REQUEST: the name cannot be stored as it is. */
bool call_check_by(const struct request *request, struct error *err) __attribute__((warn_unused_result));

/* A time in a JSON body: milliseconds since 1970, or a text in RFC 3339 (base/timestamp.h). ERROR_INVALID says what is wrong,
   also with a time in the future, unless may_be_ahead. */
bool call_body_time(const char *name, const json_t *value, bool may_be_ahead, int64_t *ret_ms,
                    struct error *err) __attribute__((warn_unused_result));
/* Like call_body_time() for a time in the query; *ret_ms is unchanged if there is none.
   ERROR_BAD_REQUEST, or ERROR_INVALID for a time in the future. */
bool call_query_time(const struct request *request, const char *name, bool may_be_ahead, int64_t *ret_ms,
                     struct error *err) __attribute__((warn_unused_result));

/* Adds Location to an answer of 201, after reply_json(): the path of what was made. `parts` follow /api/v1, each as it is
   written in the database; NULL ends. */
void call_locate(struct admin_call *call, const char *const parts[]);
#define LOCATE(call, ...) call_locate(call, (const char *const[]){__VA_ARGS__, NULL})

/* The same of an image, with ?variant=, unless the variant is "". */
void call_locate_build(struct admin_call *call, const char *const parts[], const char *variant);

/* Adds the wrong lines of a list to the answer of a call that fails: `lines`, and `wrong_lines`, how many there are. */
void call_show_faults(struct admin_call *call, const struct csv_faults *faults);

/* Answers 200 {"items":[…]}. Takes over `items`. */
void call_answer_items(struct admin_call *call, json_t *items);

json_t *field_warnings(const char *const list[]); /* an array; "" are left out, NULL ends */

static inline void cleanup_json(json_t **json)
{
    json_decref(*json);
}

#endif
