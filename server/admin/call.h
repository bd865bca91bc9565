/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One call of the admin API on its worker thread: what every handler gets, and what several share. */
#ifndef DFOTA_SERVER_ADMIN_CALL_H
#define DFOTA_SERVER_ADMIN_CALL_H

#include <jansson.h>
#include "server/context.h"
#include "server/http/request.h"

struct admin_call {
    struct request *request;
    struct daemon *daemon;
    struct db *db;      /* to look things up; changes go through call_change() */
    struct reply reply; /* what is answered when the handler returns true */
};

/* Runs the handler with a reading connection and answers with its reply, or with its error. */
void call_run(struct request *request, bool (*handler)(struct admin_call *call, struct error *err));

/* Logs an error that is answered with 500 or above; of a handler call_run() does. */
void call_log_failure(const struct error *err);

/* Runs `change` in the writer's thread and transaction and waits until it is durable. What it changes it
   reads there first: only there nothing changes in between. */
bool call_change(struct admin_call *call, writer_function *change, void *cls, struct error *err)
    __attribute__((warn_unused_result));

/* How often and when devices asked last is counted in memory: this stores it, so that it is true in what is read
   then. On a disk that is full it shows in the log, and the counts are a little old. */
void call_store_counts(const struct admin_call *call);

/* The body as JSON. ERROR_BAD_JSON, also for a name that stands twice in an object. */
bool call_body(const struct admin_call *call, json_t **ret, struct error *err)
    __attribute__((warn_unused_result));
/* What json_unpack_ex() did not like, as ERROR_INVALID. */
bool call_misfit(const json_error_t *why, struct error *err);

/* That the body, if its type is said, is `type`; ERROR_UNSUPPORTED_TYPE: "`what` is text/csv". */
bool call_check_type(const struct admin_call *call, const char *type, const char *what, struct error *err)
    __attribute__((warn_unused_result));

/* A number in the query; *value stays where it is not there. ERROR_BAD_REQUEST. */
bool call_query_number(const struct request *request, const char *name, uint64_t least, uint64_t most,
                       uint64_t *value, struct error *err) __attribute__((warn_unused_result));

/* A text that is kept: 1 to `most` bytes of clean UTF-8. ERROR_INVALID: nothing is cut or dropped. */
bool call_check_text(const char *name, const char *text, size_t most, struct error *err)
    __attribute__((warn_unused_result));
/* Who makes a change, as `by` in the query: ERROR_BAD_REQUEST where the name cannot be kept as it is. */
bool call_check_by(const struct request *request, struct error *err) __attribute__((warn_unused_result));

/* A time that somebody typed: UTC in milliseconds since 1970. ERROR_INVALID with what is wrong with it: seconds, a year
   before 2000 or after 2199; and, unless may_be_ahead, one in the future. */
bool call_check_time(const char *name, uint64_t ms, bool may_be_ahead, struct error *err)
    __attribute__((warn_unused_result));
/* The same of a time in the query; *ret_ms keeps its value where none is given. ERROR_BAD_REQUEST, or ERROR_INVALID for a
   time in the future. */
bool call_query_time(const struct request *request, const char *name, bool may_be_ahead, int64_t *ret_ms,
                     struct error *err) __attribute__((warn_unused_result));

/* Answers 200 {"items":[…]}; takes over `items`. */
void call_answer_items(struct admin_call *call, json_t *items);

/* Answers with the bytes of a blob, checked whole before, as a download of that name. ERROR_CORRUPT. */
bool call_answer_blob(struct admin_call *call, const struct sha256 *hash, const char *file_name,
                      struct error *err);

/* Values of answers. Text that was cut inside a character is repaired. */
json_t *field_text(const char *text);             /* "" and NULL become null */
json_t *field_number(int64_t value);              /* 0 becomes null */
json_t *field_hash(const struct sha256 *hash);    /* in hex */
json_t *field_warnings(const char *const list[]); /* an array; "" are left out, NULL ends */

static inline void cleanup_json(json_t **json)
{
    json_decref(*json);
}

#endif
