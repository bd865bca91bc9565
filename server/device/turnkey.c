/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* libfota3: GET /api/site/turnkey_fota asks what to download, and from where. libfota3 expects a 200 with
   JSON, also for a refusal; any other status is an error for it. It downloads over its own link, and all
   rules of links apply there. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/checkin/checkin_task.h"
#include "server/checkin/link_url.h"
#include "server/checkin/refusal.h"
#include "server/checkin/client_secret.h"
#include "server/device/device.h"
#include "storage/turnkey.h"
#include "upgrade/answer.h"
#include "upgrade/name_dialect.h"

#define VALUE_SIZE 256

struct turnkey_task {
    struct checkin_task checkin; /* first */
    char script_version[VALUE_SIZE];
    bool hashes_name; /* the client is the first edition of libfota3, or may be */

    /* set, like `turnkey`, if something is offered; for HEAD only the length of their texts is right */
    struct link link;
    struct turnkey turnkey;
};

static bool offers(const struct turnkey_task *task)
{
    return task->checkin.decision.answer == ANSWER_FULL;
}

static const struct version *next_version(const struct facts *facts)
{
    return facts->snapshot.hop.count ? &facts->snapshot.hop : &facts->snapshot.target;
}

/* The kind of the core that the device runs afterwards. It stays when the core stays, and the image knows a new one. */
static int64_t core_id_after(const struct turnkey_task *task)
{
    const struct facts *facts = &task->checkin.facts;
    const struct checkin *said = &task->checkin.checkin;
    const struct image *hop = &facts->planned.hop;
    bool changes = next_version(facts)->part[0] != said->version.part[0];
    if (changes && hop->id && hop->core_id != DB_UNKNOWN)
        return hop->core_id;
    return said->has_core_id ? said->core_id : 0; /* cores without a number send 0 */
}

/* The download over the link says nothing of the core, and must get the package of this offer. */
static bool keep_core_id(struct turnkey_task *task, struct db *db, struct error *err)
{
    const struct checkin *said = &task->checkin.checkin;
    int64_t core_id = said->has_core_id ? said->core_id : DB_UNKNOWN;
    if (task->turnkey.core_id == core_id)
        return true;
    task->turnkey.core_id = core_id;
    return turnkey_set_core_id(db, &task->turnkey, err);
}

/* The device downloads over the link that it is told here, and reports with the number of the attempt. */
static bool bind(struct turnkey_task *task, struct db *db, struct error *err)
{
    struct facts *facts = &task->checkin.facts;
    struct attempt *attempt = &facts->attempt;
    if (!turnkey_link_ensure(db, facts->device.id, facts->firmware.id, facts->checkin.now_ms, &task->link,
                             err) ||
        !turnkey_ensure(db, attempt->id, &task->turnkey, err) || !keep_core_id(task, db, err))
        return false;
    if (attempt->link_id == task->link.id)
        return true;
    attempt->link_id = task->link.id;
    return attempt_update(db, attempt, err);
}

static bool decide(struct writer_task *base, struct db *db, struct error *err)
{
    struct turnkey_task *task = (struct turnkey_task *)base;
    return checkin_task_decide(&task->checkin, db, err) && checkin_task_record(&task->checkin, db, err) &&
           (!task->checkin.record || !offers(task) || bind(task, db, err));
}

static json_t *offer(const struct turnkey_task *task)
{
    const struct facts *facts = &task->checkin.facts;
    const struct package *package = &facts->planned.package;
    const struct version *to = next_version(facts);
    struct version core = {.part = {to->part[0]}, .count = 1};
    char url[LINK_URL_SIZE], core_text[VERSION_TEXT_SIZE], script[NAME_DIALECT_SCRIPT_SIZE],
        sha256[SHA256_HEX_SIZE];
    link_url_under(task->checkin.daemon, client_secret_of_answer(&task->checkin.client, facts),
                   task->link.token, "", url);
    version_format(&core, core_text);
    name_dialect_script_version(slice_of(task->script_version), to, script);
    sha256_hex(&package->sha256, sha256);
    /* this edition compares the hash of the file name; without a hash it compares nothing */
    if (task->hashes_name)
        sha256[0] = '\0';
    /* After its restart the client compares core_version, core_id (its type too) and script_version. Without one
       of them it reports a good update as failed. */
    return json_pack("{s:i, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:I}", "code", 0, "core_version", core_text,
                     "script_version", script, "size", (json_int_t)package->size_bytes, "sha256", sha256,
                     "fota_sn", task->turnkey.fota_sn, "url", url, "msg", "", "core_id",
                     (json_int_t)core_id_after(task));
}

static void tell(const struct turnkey_task *task, struct reply *reply)
{
    if (offers(task))
        reply_json(reply, 200, offer(task));
    else if (request_resumes(task->checkin.request) || task->checkin.decision.answer == ANSWER_NO_PATH)
        refusal_reply(task->checkin.daemon->config, task->checkin.decision.answer, reply);
    else
        refusal_reply_with_status(200, task->checkin.decision.answer, reply);
}

static void done(struct writer_task *base, const struct error *err)
{
    struct turnkey_task *task = (struct turnkey_task *)base;
    struct reply reply;
    if (err) {
        checkin_task_fail(&task->checkin, err);
        free(task);
        return;
    }
    checkin_task_tell(&task->checkin, "turnkey",
                      offers(task) ? 0 : answer_code(task->checkin.decision.answer));
    tell(task, &reply);
    request_answer(task->checkin.request, &reply);
    free(task);
}

static void take_core_id(const char *text, struct checkin *checkin)
{
    uint64_t number;
    checkin->has_core_id = slice_u64(slice_of(text), &number) && number <= INT64_MAX;
    if (checkin->has_core_id)
        checkin->core_id = (int64_t)number;
}

static bool read_request(const struct request *request, struct turnkey_task *task, struct error *err)
{
    char script_name[VALUE_SIZE], core_version[VALUE_SIZE], model[VALUE_SIZE], core_name[VALUE_SIZE],
        core_id[VALUE_SIZE];
    struct full_name full;
    bool found;
    luat_take_words(request->query, &task->checkin.client.said);
    if (!luat_read_client(request->query, &task->checkin.client, err) ||
        !request_query(request, "script_name", script_name, sizeof script_name, &found, err) ||
        !request_query(request, "script_version", task->script_version, VALUE_SIZE, &found, err) ||
        !request_query(request, "core_version", core_version, sizeof core_version, &found, err) ||
        !request_query(request, "core_id", core_id, sizeof core_id, &found, err) ||
        !request_query(request, "model", model, sizeof model, &found, err) ||
        !request_query(request, "core_name", core_name, sizeof core_name, &found, err))
        return false;
    take_core_id(core_id, &task->checkin.checkin);
    /* Later editions send model, the first edition sends core_name instead. */
    task->hashes_name = core_name[0] || !model[0];
    struct dialect_version said = {.script_name = slice_of(script_name),
                                   .script_version = slice_of(task->script_version),
                                   .core_version = slice_of(core_version),
                                   .model = slice_of(model),
                                   .core_name = slice_of(core_name)};
    if (!name_dialect_resolve(&said, &full))
        return true;
    slice_copy(slice_of(full.firmware), task->checkin.client.firmware, sizeof task->checkin.client.firmware);
    task->checkin.checkin.version = full.version;
    return true;
}

void turnkey_handle(struct request *request)
{
    struct turnkey_task *task = calloc(1, sizeof *task);
    struct error err;
    if (!task) {
        checkin_task_refuse(request);
        return;
    }
    task->checkin.checkin = (struct checkin){
        .source = CHECKIN_DIALECT, .now_ms = clock_utc_ms(), .offer = true, .drops_middle = true};
    memset(task->link.token, '-', LINK_TOKEN_SIZE - 1);
    memset(task->turnkey.fota_sn, '-', FOTA_SN_SIZE - 1);
    client_secret_take(request, &task->checkin.client);
    checkin_take_peer(request, &task->checkin.client);
    if (read_request(request, task, &err)) {
        checkin_task_begin(&task->checkin, request, decide, done);
        return;
    }
    luat_fail(request, request->query, &err);
    free(task);
}
