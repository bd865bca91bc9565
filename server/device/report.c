/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* POST /d/{token}/report: the host of a module reports which version the module prints, or sends the
   transcript that it captured, and gets the next step. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "server/checkin/base_build.h"
#include "server/checkin/checkin_task.h"
#include "server/checkin/lookup.h"
#include "server/device/device.h"
#include "server/config/device_url.h"
#include "server/checkin/link_url.h"
#include "server/core/log.h"
#include "server/checkin/origin.h"
#include "server/checkin/record.h"
#include "server/checkin/client_secret.h"
#include "server/checkin/counters.h"
#include "server/checkin/evidence.h"

#define JSON_MAX_BYTES 4096 /* limit for a body that is not a transcript */

struct report_task {
    struct writer_task task;
    struct daemon *daemon;
    struct request *request;
    struct client_identity client;
    char said[FIRMWARE_NAME_SIZE + VERSION_TEXT_SIZE];
    struct build_told build;            /* with `said` */
    struct transcript_post *transcript; /* or the transcript that the host captured; NULL: none */
    struct facts facts;
    bool noted;           /* the report brought something new */
    struct decision next; /* the answer to a request for the next link */
};

static bool find_known(const struct request *request, struct db *db, struct error *err)
{
    char token[LINK_TOKEN_SIZE];
    struct link link;
    bool found = false;
    if (slice_copy(request->param[0], token, sizeof token) && !link_find(db, token, &link, &found, err))
        return false;
    if (!found)
        return error_set(err, ERROR_NOT_FOUND, "there is no such link");
    return !link.revoked_ms || error_set(err, ERROR_NOT_FOUND, "this link is revoked");
}

bool report_vet(struct request *request, struct error *err)
{
    struct daemon *daemon = request->context;
    struct db *db;
    if (!reader_pool_take(daemon->reader_pool, &db, err))
        return error_set(err, ERROR_UNAVAILABLE, "the server cannot answer now: try again later");
    bool known = find_known(request, db, err);
    reader_pool_give(daemon->reader_pool, db);
    if (!known && err->code != ERROR_NOT_FOUND)
        return error_set(err, ERROR_UNAVAILABLE, "the server cannot answer now: try again later");
    return known;
}

static bool find_link(struct report_task *task, struct db *db, struct error *err)
{
    struct checkin checkin = {.source = CHECKIN_LINK, .now_ms = clock_utc_ms()};
    if (!lookup_load(task->daemon, db, &task->client, &checkin, false, &task->facts, err))
        return false;
    if (task->facts.snapshot.link_unknown || task->facts.snapshot.secret != SECRET_FINE)
        return error_set(err, ERROR_NOT_FOUND, "there is no such link");
    if (task->facts.snapshot.link_revoked)
        return error_set(err, ERROR_NOT_FOUND, "this link is revoked");
    return true;
}

static bool take_version(struct report_task *task, struct db *db, struct error *err)
{
    struct facts *facts = &task->facts;
    struct report report = {.by = REPORTED_BY_HOST, .at_ms = facts->checkin.now_ms, .grade = facts->grade};
    struct sha256 build;
    bool told;
    if (!name_parse_version_of(slice_of(task->said), facts->firmware.name, &report.version, err) ||
        !base_build_find(db, facts->firmware.id, &report.version, &task->build, &build, &told, err))
        return false;
    report.build = told ? &build : NULL;
    return record_report(db, facts, &report, err);
}

static bool take_transcript(struct report_task *task, struct db *db, struct error *err)
{
    struct facts *facts = &task->facts;
    return evidence_transcript(db, facts, task->transcript, err) &&
           (!task->transcript->is_new || evidence_note(db, facts, task->transcript, NULL, err));
}

static bool take_report(struct writer_task *base, struct db *db, struct error *err)
{
    struct report_task *task = (struct report_task *)base;
    struct facts *facts = &task->facts;
    struct decision_limits limits = checkin_limits(task->daemon->config);
    if (!find_link(task, db, err) || !client_secret_record(db, facts, err) ||
        !(task->transcript ? take_transcript(task, db, err) : take_version(task, db, err)))
        return false;
    task->noted = !facts->spent && (facts->noted || (task->transcript && task->transcript->is_new));
    if (!find_link(task, db, err)) /* again: now the report is included */
        return false;
    decision_make(&facts->checkin, &facts->snapshot, &limits, &task->next);
    return !task->next.queue_packages ||
           plan_cache_ask(task->daemon, db, &facts->planned, facts->checkin.now_ms, err);
}

static json_t *next_step(const struct report_task *task)
{
    enum answer answer = task->next.answer;
    char url[LINK_URL_SIZE];
    if ((answer != ANSWER_FULL && answer != ANSWER_WAIT) || !task->daemon->device_url[0])
        return json_null();
    link_url_under(task->daemon, client_secret_of_answer(&task->client, &task->facts), task->facts.link.token,
                   task->facts.device.confirmed_version, url);
    const char *local = device_url_warn_local(task->daemon->device_url);
    const char *https = device_url_warn_https(task->daemon->device_url);
    return json_pack("{s:s, s:s, s:o, s:[s*, s*], s:b}", "version", task->facts.planned.hop.version, "url",
                     url, "at_commands", link_at_commands(url), "warnings", local[0] ? local : NULL,
                     https[0] ? https : NULL, "ready", answer == ANSWER_FULL);
}

/* A summary for the host; the admin API shows the whole transcript. */
static json_t *transcript_summary(const struct transcript_post *post)
{
    const struct transcript *found = &post->found;
    const struct transcript_try *last = found->try_count ? &found->tries[found->try_count - 1] : NULL;
    json_t *try = last ? json_pack("{s:s, s:s, s:s}", "outcome", transcript_outcome_name(last->outcome),
                                   "cause", transcript_cause_name(last->cause), "words", last->words)
                       : json_null();
    json_t *number = post->row.id ? json_integer((json_int_t)post->row.id) : json_null();
    return json_pack("{s:o, s:b, s:s?, s:I, s:o}", "transcript", number, "counted", post->row.counted != 0,
                     "why", post->row.why[0] ? post->row.why : NULL, "tries",
                     (json_int_t)found->try_count + found->tries_dropped, "last_try", try);
}

static void task_free(struct report_task *task)
{
    free(task->transcript);
    free(task);
}

/* The host is told about errors in its report. Errors of the server go to the log. */
static void fail(struct report_task *task, const struct error *err)
{
    struct error told = *err;
    if (error_status(err->code) >= 500) {
        log_line(LOG_LEVEL_ERROR, "report-failed", "peer", task->request->peer, "error", err->text, NULL);
        error_set(&told, ERROR_UNAVAILABLE, "the server cannot answer now: try again later");
    }
    request_fail(task->request, &told);
    task_free(task);
}

static void answer_report(struct writer_task *base, const struct error *err)
{
    struct report_task *task = (struct report_task *)base;
    const struct facts *facts = &task->facts;
    char reason[REASON_TEXT_SIZE];
    struct reply reply;
    if (err) {
        fail(task, err);
        return;
    }
    reason_text(task->next.reason, REASON_ENGLISH, reason);
    if (checkin_counters_add(task->daemon->counters, facts->device.id, facts->checkin.now_ms, task->noted))
        writer_flush_soon(task->daemon->writer);
    log_function *log = task->noted ? log_line : log_stranger;
    log(LOG_LEVEL_INFO, task->transcript ? "transcript" : "report", "product", facts->product.product_key,
        "device", facts->device.device, "version", facts->device.confirmed_version, "reason",
        task->transcript && task->transcript->row.why[0] ? task->transcript->row.why : NULL, "next", reason,
        NULL);
    json_t *next = next_step(task);
    const char *why_none = json_is_null(next) ? reason : NULL;
    const char *confirmed = facts->device.confirmed_version, *target = facts->firmware.target;
    json_t *json = json_pack("{s:s?, s:s?, s:o, s:s?}", "confirmed_version", confirmed[0] ? confirmed : NULL,
                             "target", target[0] ? target : NULL, "next", next, "reason", why_none);
    if (task->transcript)
        json_object_set_new(json, "transcript", transcript_summary(task->transcript));
    reply_json(&reply, 200, json);
    request_answer(task->request, &reply);
    task_free(task);
}

static bool read_build(const char *variant, const char *sha256, struct build_told *ret, struct error *err)
{
    *ret = (struct build_told){.has_variant = variant, .has_sha256 = sha256};
    if (variant && sha256)
        return error_set(err, ERROR_INVALID, "name the build by variant or by sha256, not by both");
    if (sha256 && !sha256_from_hex(slice_of(sha256), &ret->sha256))
        return error_set(err, ERROR_INVALID, "sha256 is 64 hex digits");
    return !variant || !variant[0] ||
           (name_is_variant(slice_of(variant)) &&
            slice_copy(slice_of(variant), ret->variant, VARIANT_SIZE)) ||
           error_set(err, ERROR_INVALID, "variant must be 1 to 32 characters of a-z 0-9 . _ -");
}

static bool read_json(const struct request *request, struct report_task *task, struct error *err)
{
    json_error_t where;
    const char *version = NULL, *variant = NULL, *sha256 = NULL;
    if (request->body.len > JSON_MAX_BYTES)
        return error_set(err, ERROR_TOO_LARGE, "a report in JSON has at most %d bytes", JSON_MAX_BYTES);
    json_t *json = json_loadb(request->body.ptr, request->body.len, JSON_REJECT_DUPLICATES, &where);
    bool ok = json || error_set(err, ERROR_BAD_JSON, "the body is not JSON: %s", where.text);
    if (ok && json_unpack_ex(json, &where, 0, "{s:s, s?s, s?s}", "version", &version, "variant", &variant,
                             "sha256", &sha256) != 0)
        ok = error_set(err, ERROR_INVALID, "the body must be {\"version\": \"…\"}: %s", where.text);
    if (ok && !slice_copy(slice_of(version), task->said, sizeof task->said))
        ok = error_set(err, ERROR_BAD_VERSION, "this is not a version");
    ok = ok && read_build(variant, sha256, &task->build, err);
    json_decref(json);
    return ok;
}

static bool has_type(const struct request *request, const char *type)
{
    struct slice value;
    size_t len = strlen(type);
    return request_header(request, "Content-Type", &value) && value.len >= len &&
           strncasecmp(value.ptr, type, len) == 0 && (value.len == len || memchr("; \t", value.ptr[len], 3));
}

/* Hosts send any content type or none, and libraries add their own. text/plain is a transcript unless it
   looks like our JSON. Without a type, the body is a transcript if it reads like one. */
static bool read_body(struct report_task *task, struct error *err)
{
    const struct request *request = task->request;
    struct slice body = request->body, begin = body;
    while (begin.len && memchr(" \t\r\n", begin.ptr[0], 4))
        begin = (struct slice){begin.ptr + 1, begin.len - 1};
    bool is_text = has_type(request, "text/plain");
    if (begin.len == 0 || begin.ptr[0] == '{' || has_type(request, "application/json"))
        return read_json(request, task, err);
    task->transcript = transcript_post_make(body, true, 0);
    if (!task->transcript)
        return error_set(err, ERROR_UNAVAILABLE, "the server cannot answer now: try again later");
    if (is_text || task->transcript->found.lines_known > 0)
        return true;
    free(task->transcript);
    task->transcript = NULL;
    return read_json(request, task, err);
}

void report_handle(struct request *request)
{
    struct error err;
    struct report_task *task = calloc(1, sizeof *task);
    if (!task) {
        error_set(&err, ERROR_UNAVAILABLE, "the server cannot answer now: try again later");
        request_fail(request, &err);
        return;
    }
    task->request = request;
    if (!read_body(task, &err)) {
        request_fail(request, &err);
        task_free(task);
        return;
    }
    task->task.run = take_report;
    task->task.done = answer_report;
    task->daemon = request->context;
    origin_of_peer(request->peer, task->client.origin);
    client_secret_take(request, &task->client);
    slice_copy(request->param[0], task->client.token, sizeof task->client.token);
    writer_add(task->daemon->writer, &task->task);
}
