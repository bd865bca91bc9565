/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* libfota3: GET /api/site/turnkey_fota asks what there is to fetch, and where. It reads a 200 with JSON,
   refusals too: any other status is an error to it. What it fetches comes over a link of its own, and there
   every rule of links holds. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/checkin/checkin.h"
#include "server/checkin/record.h"
#include "server/checkin/refusal.h"
#include "server/device/device.h"
#include "server/checkin/link_url.h"
#include "server/core/log.h"
#include "server/checkin/origin.h"
#include "server/checkin/refused.h"
#include "server/checkin/counters.h"
#include "storage/turnkey.h"

#define VALUE_SIZE 256

struct turnkey_task {
    struct writer_task task;
    struct daemon *daemon;
    struct request *request;
    struct client_identity client;
    struct checkin checkin;
    char script_version[VALUE_SIZE], core_id[VALUE_SIZE];
    bool hashes_name; /* it is the first edition, or may be */

    struct facts facts;
    struct decision decision;
    struct link link; /* these two where something is offered; their texts are of the right length for HEAD */
    struct turnkey turnkey;
};

static bool offers(const struct turnkey_task *task)
{
    return task->decision.answer == ANSWER_FULL;
}

/* The attempt is fetched over the link that is told here, and reported on by its number. */
static bool bind(struct turnkey_task *task, struct db *db, struct error *err)
{
    struct facts *facts = &task->facts;
    struct attempt *attempt = &facts->attempt;
    if (!turnkey_link_ensure(db, facts->device.id, facts->firmware.id, facts->checkin.now_ms, &task->link,
                             err) ||
        !turnkey_ensure(db, attempt->id, &task->turnkey, err))
        return false;
    if (attempt->link_id == task->link.id)
        return true;
    attempt->link_id = task->link.id;
    return attempt_update(db, attempt, err);
}

static bool decide(struct writer_task *base, struct db *db, struct error *err)
{
    struct turnkey_task *task = (struct turnkey_task *)base;
    struct decision_limits limits = checkin_limits(&task->daemon->config);
    if (!lookup_load(task->daemon, db, &task->client, &task->checkin, &task->facts, err))
        return false;
    decision_make(&task->facts.checkin, &task->facts.snapshot, &limits, &task->decision);
    if (task->request->head_only)
        return true;
    return record_decision(task->daemon, db, &task->client, &task->facts, &task->decision, err) &&
           (!offers(task) || bind(task, db, err));
}

static json_t *offer(const struct turnkey_task *task)
{
    const struct facts *facts = &task->facts;
    const struct package *package = &facts->planned.package;
    const struct version *to = facts->snapshot.hop.count ? &facts->snapshot.hop : &facts->snapshot.target;
    struct version core = {.part = {to->part[0]}, .count = 1};
    uint64_t core_id;
    char url[LINK_URL_SIZE], core_text[VERSION_TEXT_SIZE], script[SCRIPT_VERSION_SIZE],
        sha256[SHA256_HEX_SIZE];
    link_url(task->daemon, task->link.token, "", url);
    version_format(&core, core_text);
    name_script_version(slice_of(task->script_version), to, script);
    sha256_hex(&package->sha256, sha256);
    if (task->hashes_name) /* it would compare the hash of the file's name; with none it compares nothing */
        sha256[0] = '\0';
    json_t *json = json_pack("{s:i, s:s, s:s, s:I, s:s, s:s, s:s, s:s}", "code", 0, "core_version", core_text,
                             "script_version", script, "size", (json_int_t)package->size_bytes, "sha256",
                             sha256, "fota_sn", task->turnkey.fota_sn, "url", url, "msg", "");
    if (slice_u64(slice_of(task->core_id), &core_id) && core_id <= INT64_MAX) /* it compares this too */
        json_object_set_new(json, "core_id", json_integer((json_int_t)core_id));
    return json;
}

static void tell(const struct turnkey_task *task, struct reply *reply)
{
    if (offers(task))
        reply_json(reply, 200, offer(task));
    else if (request_resumes(task->request))
        refusal_reply(&task->daemon->config, task->decision.answer, reply);
    else
        refusal_reply_with_status(200, task->decision.answer, reply);
}

static void log_answer(const struct turnkey_task *task, const char *said)
{
    const struct facts *facts = &task->facts;
    struct log_number code;
    void (*log)(enum log_level, const char *, ...) = facts_of_stranger(facts) ? log_stranger : log_line;
    log(task->request->head_only ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "answer", "product",
        facts->product.id ? facts->product.product_key : NULL, "device",
        facts->device.id ? facts->device.device : NULL, "firmware",
        task->client.firmware[0] ? task->client.firmware : NULL, "over", "turnkey", "peer",
        task->request->peer, "code", log_i64(&code, offers(task) ? 0 : answer_code(task->decision.answer)),
        "reason", task->decision.reason, "said", said[0] ? said : NULL, NULL);
}

static void done(struct writer_task *base, const struct error *err)
{
    struct turnkey_task *task = (struct turnkey_task *)base;
    struct reply reply;
    if (err) {
        struct error told = *err;
        log_line(LOG_LEVEL_ERROR, "check-in-failed", "peer", task->request->peer, "error", err->text, NULL);
        error_set(&told, ERROR_UNAVAILABLE, "not now");
        request_fail(task->request, &told);
        free(task);
        return;
    }
    if (!task->request->head_only && task->facts.device.id)
        checkin_counters_add(task->daemon->counters, task->facts.device.id, task->checkin.now_ms,
                             task->facts.noted);
    facts_log(&task->facts, task->client.network);
    struct unknown row = {.text = ""};
    if (refused_read(&task->client, &task->facts, &task->decision, &row) && !task->request->head_only)
        refused_add(task->daemon->refused, &row);
    log_answer(task, row.text);
    tell(task, &reply);
    request_answer(task->request, &reply);
    free(task);
}

static bool read_request(const struct request *request, struct turnkey_task *task, struct error *err)
{
    char script_name[VALUE_SIZE], core_version[VALUE_SIZE], model[VALUE_SIZE], core_name[VALUE_SIZE];
    struct full_name full;
    bool found;
    if (!luat_read_client(request->query, &task->client, err) ||
        !request_query(request, "script_name", script_name, sizeof script_name, &found, err) ||
        !request_query(request, "script_version", task->script_version, VALUE_SIZE, &found, err) ||
        !request_query(request, "core_version", core_version, sizeof core_version, &found, err) ||
        !request_query(request, "core_id", task->core_id, VALUE_SIZE, &found, err) ||
        !request_query(request, "model", model, sizeof model, &found, err) ||
        !request_query(request, "core_name", core_name, sizeof core_name, &found, err))
        return false;
    /* Later editions say model, the first one says core_name instead. */
    task->hashes_name = core_name[0] || !model[0];
    struct dialect_version said = {.script_name = slice_of(script_name),
                                   .script_version = slice_of(task->script_version),
                                   .core_version = slice_of(core_version),
                                   .model = slice_of(model),
                                   .core_name = slice_of(core_name)};
    if (!name_resolve_dialect(&said, &full))
        return true;
    slice_copy(slice_of(full.firmware), task->client.firmware, sizeof task->client.firmware);
    task->checkin.version = full.version;
    return true;
}

void turnkey_handle(struct request *request)
{
    struct turnkey_task *task = calloc(1, sizeof *task);
    struct error err;
    if (!task) {
        error_set(&err, ERROR_UNAVAILABLE, "not now");
        request_fail(request, &err);
        return;
    }
    task->task.run = decide;
    task->task.done = done;
    task->daemon = request->context;
    task->request = request;
    task->checkin = (struct checkin){
        .source = CHECKIN_DIALECT, .now_ms = clock_utc_ms(), .offer = true, .drops_middle = true};
    memset(task->link.token, '-', LINK_TOKEN_SIZE - 1);
    memset(task->turnkey.fota_sn, '-', FOTA_SN_SIZE - 1);
    origin_of_peer(request->peer, task->client.origin);
    checkin_take_peer(&task->daemon->config, request->peer, &task->client);
    if (read_request(request, task, &err)) {
        writer_add(task->daemon->writer, &task->task);
        return;
    }
    luat_fail(request, request->query, &err);
    free(task);
}
