/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/timestamp.h"
#include "server/admin/admin.h"
#include "server/admin/body.h"
#include "server/admin/csv.h"
#include "server/admin/digest.h"
#include "server/core/json_times.h"
#include "server/core/log.h"

void call_log_failure(const struct error *err)
{
    if (error_status(err->code) >= 500)
        log_line(LOG_LEVEL_ERROR, "admin-call-failed", "code", error_name(err->code), "error", err->text,
                 NULL);
}

/* Adds the texts of times to a JSON answer. */
static bool add_times(struct admin_call *call, struct error *err)
{
    struct reply *reply = &call->reply;
    size_t len;
    if (call->keeps_json || reply->fd >= 0 || !reply->size || !reply->content_type ||
        strcmp(reply->content_type, "application/json") != 0)
        return true;
    char *text = json_times_add(reply->bytes, (size_t)reply->size, &len);
    if (!text)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    if (reply->release)
        reply->release(reply->release_cls);
    reply->bytes = text;
    reply->size = len;
    reply->release = free;
    reply->release_cls = text;
    return true;
}

/* Checks the digest of a body in memory. An upload is checked while it arrives (upload_stream.h). */
static bool check_digest(const struct request *request, struct error *err)
{
    struct digest digest;
    struct sha256 hash;
    if (request->stream_state)
        return true;
    if (!digest_read(request, &digest, err))
        return false;
    if (!digest.given)
        return true;
    sha256_of(request->body.len ? request->body.ptr : "", request->body.len, &hash);
    return digest_check(&digest, &hash, err);
}

void call_run(struct request *request, bool (*handler)(struct admin_call *call, struct error *err))
{
    struct admin_call call = {.request = request, .daemon = request->context};
    struct error err;
    reply_init(&call.reply, 204);
    bool ok = check_digest(request, &err) && call_check_by(request, &err) &&
              body_check_patch_type(request, &err) &&
              reader_pool_take(call.daemon->reader_pool, &call.db, &err) && idempotency_begin(&call, &err) &&
              (call.idempotency.is_replayed ||
               (match_begin(&call, &err) && handler(&call, &err) && add_times(&call, &err)));
    reader_pool_give(call.daemon->reader_pool, call.db);
    if (ok && !call.idempotency.is_replayed)
        match_end(&call);
    idempotency_end(&call, ok);
    if (ok) {
        request_answer(request, &call.reply);
        return;
    }
    call_log_failure(&err);
    reply_free(&call.reply);
    if (call.problem) {
        admin_render_problem_with(&call.reply, error_status(err.code), &err, call.problem);
        request_answer(request, &call.reply);
    } else {
        body_fail(request, &err);
    }
}

bool call_run_change(void *cls, struct db *db, struct error *err)
{
    struct call_task *task = cls;
    struct match_change step = {task->call, task->change, task->cls};
    return match_change(&step, db, err) && idempotency_note(task->call, db, err);
}

bool call_change(struct admin_call *call, writer_function *change, void *cls, struct error *err)
{
    struct call_task task = {call, change, cls};
    return writer_call(call->daemon->writer, call_run_change, &task, err);
}

void call_store_counts(const struct admin_call *call)
{
    struct error err;
    if (!writer_flush_now(call->daemon->writer, &err))
        log_line(LOG_LEVEL_WARN, "flush-failed", "error", err.text, NULL);
}

bool call_body(const struct admin_call *call, json_t **ret, struct error *err)
{
    json_error_t why;
    struct slice body = call->request->body;
    *ret = json_loadb(body.len ? body.ptr : "", body.len, JSON_REJECT_DUPLICATES, &why);
    return *ret || error_set(err, ERROR_BAD_JSON, "the body is not JSON: line %d: %s", why.line, why.text);
}

bool call_check_type(const struct admin_call *call, const char *type, const char *what, struct error *err)
{
    struct slice value;
    size_t len = strlen(type);
    if (!request_header(call->request, "Content-Type", &value) ||
        (value.len >= len && strncasecmp(value.ptr, type, len) == 0 &&
         (value.len == len || memchr("; \t", value.ptr[len], 3))))
        return true;
    return error_set(err, ERROR_UNSUPPORTED_TYPE, "%s must be sent as %s", what, type);
}

bool call_query_number(const struct request *request, const char *name, uint64_t least, uint64_t most,
                       uint64_t *value, struct error *err)
{
    char text[32];
    bool found;
    if (!request_query(request, name, text, sizeof text, &found, err))
        return false;
    return !found || (slice_u64(slice_of(text), value) && *value >= least && *value <= most) ||
           error_set(err, ERROR_BAD_REQUEST, "%s must be a number from %llu to %llu", name,
                     (unsigned long long)least, (unsigned long long)most);
}

bool call_check_text(const char *name, const char *text, size_t most, struct error *err)
{
    return (text[0] && strlen(text) <= most && slice_is_clean_utf8(slice_of(text))) ||
           error_set(err, ERROR_INVALID, "%s must be 1 to %zu bytes of UTF-8 without control characters",
                     name, most);
}

bool call_check_by(const struct request *request, struct error *err)
{
    char name[ADMIN_NAME_SIZE];
    bool found;
    return request_query(request, "by", name, sizeof name, &found, err) ||
           error_set(err, ERROR_BAD_REQUEST,
                     "by must be at most %d bytes of UTF-8 without control characters", ADMIN_NAME_SIZE - 1);
}

static bool read_time(const char *name, struct slice text, bool may_be_ahead, enum error_code code,
                      int64_t *ret_ms, struct error *err)
{
    struct error why;
    if (!timestamp_read(text, ret_ms, &why))
        return error_set(err, code, "%s: %s", name, why.text);
    return may_be_ahead || !clock_is_ahead(*ret_ms, clock_utc_ms()) ||
           error_set(err, ERROR_INVALID, "%s: %.*s is in the future", name, (int)text.len, text.ptr);
}

bool call_body_time(const char *name, const json_t *value, bool may_be_ahead, int64_t *ret_ms,
                    struct error *err)
{
    char number[24];
    if (json_is_string(value))
        return read_time(name, (struct slice){json_string_value(value), json_string_length(value)},
                         may_be_ahead, ERROR_INVALID, ret_ms, err);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return error_set(err, ERROR_INVALID,
                         "%s must be a time like \"2026-11-22T10:00:00Z\", or milliseconds since 1970", name);
    snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
    return read_time(name, slice_of(number), may_be_ahead, ERROR_INVALID, ret_ms, err);
}

bool call_query_time(const struct request *request, const char *name, bool may_be_ahead, int64_t *ret_ms,
                     struct error *err)
{
    char text[80];
    bool found;
    if (!request_query(request, name, text, sizeof text, &found, err) || !found)
        return !found;
    return read_time(name, slice_of(text), may_be_ahead, ERROR_BAD_REQUEST, ret_ms, err);
}

static void locate(struct admin_call *call, const char *const parts[], const char *variant)
{
    char path[2048] = "/api/v1";
    size_t used = strlen(path);
    if (call->reply.status != 201)
        return;
    for (; *parts; parts++) {
        path[used++] = '/';
        if (!slice_percent_encode(slice_of(*parts), path + used, sizeof path - used - 1))
            return; /* no name is so long */
        used += strlen(path + used);
    }
    reply_header(&call->reply, "Location", "%s%s%s", path, variant[0] ? "?variant=" : "", variant);
}

void call_locate(struct admin_call *call, const char *const parts[])
{
    locate(call, parts, "");
}

void call_locate_build(struct admin_call *call, const char *const parts[], const char *variant)
{
    locate(call, parts, variant);
}

void call_show_faults(struct admin_call *call, const struct csv_faults *faults)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < faults->count && i < CSV_FAULTS_MAX; i++)
        json_array_append_new(lines, json_pack("{s:I, s:s, s:o}", "line", (json_int_t)faults->fault[i].line,
                                               "code", error_name(faults->fault[i].error.code), "detail",
                                               field_text(faults->fault[i].error.text)));
    json_decref(call->problem);
    call->problem = faults->count
                        ? json_pack("{s:o, s:I}", "lines", lines, "wrong_lines", (json_int_t)faults->count)
                        : NULL;
    if (!call->problem)
        json_decref(lines);
}

void call_answer_items(struct admin_call *call, json_t *items)
{
    reply_json(&call->reply, 200, json_pack("{s:o}", "items", items));
}

json_t *field_warnings(const char *const list[])
{
    json_t *array = json_array();
    for (; *list; list++)
        if (**list)
            json_array_append_new(array, field_text(*list));
    return array;
}
