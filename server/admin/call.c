/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/call.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/admin.h"
#include "server/admin/csv.h"
#include "server/admin/digest.h"
#include "server/core/log.h"

void call_log_failure(const struct error *err)
{
    if (error_status(err->code) >= 500)
        log_line(LOG_LEVEL_ERROR, "admin-call-failed", "code", error_name(err->code), "error", err->text,
                 NULL);
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
              reader_pool_take(call.daemon->reader_pool, &call.db, &err) && idempotency_begin(&call, &err) &&
              (call.idempotency.is_replayed || handler(&call, &err));
    reader_pool_give(call.daemon->reader_pool, call.db);
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
    } else
        request_fail(request, &err);
}

bool call_run_change(void *cls, struct db *db, struct error *err)
{
    struct call_task *task = cls;
    return task->change(task->cls, db, err) && idempotency_note(task->call, db, err);
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

bool call_misfit(const json_error_t *why, struct error *err)
{
    const char *unknown = strstr(why->text, "left unpacked: ");
    if (unknown)
        return error_set(err, ERROR_INVALID, "the body has an unknown field: %s",
                         unknown + strlen("left unpacked: "));
    return error_set(err, ERROR_INVALID, "the body does not have the expected fields: %s", why->text);
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

static bool is_one_of(struct slice name, const char *names)
{
    struct slice rest = slice_of(names), one;
    while (slice_split(&rest, ' ', &one))
        if (name.len && slice_equal(one, name))
            return true;
    return false;
}

bool call_check_query(const struct request *request, const char *names, struct error *err)
{
    struct slice query = request->query, pair, name;
    while (slice_split(&query, '&', &pair)) {
        if (!pair.len || !slice_split(&pair, '=', &name) || slice_is(name, "by") || is_one_of(name, names))
            continue;
        return error_set(err, ERROR_BAD_REQUEST, "this call has no parameter %.*s; it takes: %s%sby",
                         name.len < 40 ? (int)name.len : 40, name.ptr, names, names[0] ? " " : "");
    }
    return true;
}

bool call_check_no_body(const struct request *request, struct error *err)
{
    return request->body_length == 0 ||
           error_set(err, ERROR_BAD_REQUEST, "this call takes no body: nothing was changed");
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

bool call_check_time(const char *name, uint64_t ms, bool may_be_ahead, struct error *err)
{
    const char *fault = clock_fault(ms);
    if (fault)
        return error_set(err, ERROR_INVALID, "%s: %llu %s", name, (unsigned long long)ms, fault);
    return may_be_ahead || !clock_is_ahead((int64_t)ms, clock_utc_ms()) ||
           error_set(err, ERROR_INVALID, "%s: %llu is in the future", name, (unsigned long long)ms);
}

bool call_query_time(const struct request *request, const char *name, bool may_be_ahead, int64_t *ret_ms,
                     struct error *err)
{
    char text[32];
    uint64_t ms;
    bool found;
    if (!request_query(request, name, text, sizeof text, &found, err) || !found)
        return !found;
    if (!slice_u64(slice_of(text), &ms))
        return error_set(err, ERROR_BAD_REQUEST, "%s must be a UTC time in milliseconds since 1970", name);
    if (clock_fault(ms))
        return error_set(err, ERROR_BAD_REQUEST, "%s: %llu %s", name, (unsigned long long)ms,
                         clock_fault(ms));
    if (!call_check_time(name, ms, may_be_ahead, err))
        return false;
    *ret_ms = (int64_t)ms;
    return true;
}

void call_locate(struct admin_call *call, const char *const parts[])
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
    reply_header(&call->reply, "Location", "%s", path);
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

/* Keeps only characters that have no special meaning for a shell, a browser or a file system. */
static void make_plain(const char *name, char *out, size_t out_size)
{
    size_t used = 0;
    for (; *name && used + 1 < out_size; name++) {
        char c = *name;
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
                     c == '-' || (c == '.' && used > 0);
        out[used++] = plain ? c : '_';
    }
    out[used] = '\0';
}

bool call_answer_blob(struct admin_call *call, const struct sha256 *hash, const char *file_name,
                      struct error *err)
{
    char plain[256], encoded[3 * sizeof plain];
    int fd;
    uint64_t size;
    if (!blob_open_checked(call->daemon->blobs, hash, &fd, &size, err))
        return false;
    reply_init(&call->reply, 200);
    call->reply.content_type = "application/octet-stream";
    call->reply.fd = fd;
    call->reply.size = size;
    make_plain(file_name, plain, sizeof plain);
    if (strcmp(plain, file_name) == 0 || !slice_percent_encode(slice_of(file_name), encoded, sizeof encoded))
        reply_header(&call->reply, "Content-Disposition", "attachment; filename=\"%s\"", plain);
    else
        reply_header(&call->reply, "Content-Disposition", "attachment; filename=\"%s\"; filename*=UTF-8''%s",
                     plain, encoded);
    return true;
}

json_t *field_warnings(const char *const list[])
{
    json_t *array = json_array();
    for (; *list; list++)
        if (**list)
            json_array_append_new(array, field_text(*list));
    return array;
}
