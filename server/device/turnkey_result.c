/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* POST /api/site/turnkey_fota_result: a device sends the result of what it was offered. The result is kept
   with the attempt as the device's own statement. The version that the device runs is known only from its
   next check-in. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "server/checkin/client_secret.h"
#include "server/context.h"
#include "server/device/device.h"
#include "server/core/log.h"
#include "server/ledger/event.h"
#include "storage/turnkey.h"
#include "upgrade/turnkey.h"

#define CODE_SIZE 12 /* -2147483648 and NUL */

struct result_task {
    struct writer_task task;
    struct daemon *daemon;
    struct request *request;
    struct turnkey said;
    bool known; /* the device has sent this result before */
};

/* Records the device's own statement. The state of the attempt does not change. */
static bool note_result(const struct turnkey *said, struct db *db, struct error *err)
{
    struct attempt attempt;
    bool found;
    return attempt_by_id(db, said->attempt_id, &attempt, &found, err) &&
           (!found ||
            event_attempt(db, LEDGER_RESULT_TOLD, said->result_ms, &attempt,
                          json_pack("{s:I, s:o*}", "code", (json_int_t)said->result_code, "meaning",
                                    event_text(turnkey_meaning(said->result_form, said->result_code))),
                          err));
}

/* A secret in the path must be that of the device. The fota_sn itself is known to that device only. */
static bool check_secret(const struct result_task *task, const struct turnkey *there, struct db *db,
                         struct error *err)
{
    struct client_identity client = {.secret_in_path = false};
    struct attempt attempt;
    struct device device;
    bool found, fits = false;
    client_secret_take(task->request, &client);
    if (!client.secret_in_path)
        return true;
    if (!attempt_by_id(db, there->attempt_id, &attempt, &found, err) ||
        (found && !device_by_id(db, attempt.device_id, &device, &found, err)) ||
        (found && !client_secret_fits(db, client.secret, &device, task->said.result_ms, &fits, err)))
        return false;
    return fits || error_set(err, ERROR_NOT_FOUND, "there is no such path");
}

static bool keep(struct writer_task *base, struct db *db, struct error *err)
{
    struct result_task *task = (struct result_task *)base;
    struct turnkey there;
    bool found;
    if (!turnkey_by_sn(db, task->said.fota_sn, &there, &found, err))
        return false;
    if (!found)
        return error_set(err, ERROR_NOT_FOUND, "there is no such fota_sn");
    if (!check_secret(task, &there, db, err))
        return false;
    task->said.attempt_id = there.attempt_id;
    task->known = there.result_ms && there.result_code == task->said.result_code &&
                  there.result_form == task->said.result_form;
    return task->known || (turnkey_set_result(db, &task->said, err) && note_result(&task->said, db, err));
}

static void fail(struct result_task *task, const struct error *err)
{
    struct error told = *err;
    if (error_status(err->code) >= 500) {
        log_line(LOG_LEVEL_ERROR, "report-failed", "peer", task->request->peer, "error", err->text, NULL);
        error_set(&told, ERROR_UNAVAILABLE, "the server cannot answer now: try again later");
    }
    request_fail(task->request, &told);
    free(task);
}

static void done(struct writer_task *base, const struct error *err)
{
    struct result_task *task = (struct result_task *)base;
    struct log_number attempt, code;
    struct reply reply;
    if (err) {
        fail(task, err);
        return;
    }
    void (*log)(enum log_level, const char *, ...) = task->known ? log_stranger : log_line;
    log(LOG_LEVEL_INFO, "turnkey-result", "peer", task->request->peer, "attempt",
        log_i64(&attempt, task->said.attempt_id), "code", log_i64(&code, task->said.result_code), "reason",
        turnkey_meaning(task->said.result_form, task->said.result_code), NULL);
    reply_json(&reply, 200, json_pack("{s:i, s:s}", "code", 0, "msg", ""));
    request_answer(task->request, &reply);
    free(task);
}

static bool read_json(struct slice body, struct turnkey *ret, struct error *err)
{
    json_error_t where;
    json_t *json = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES, &where);
    const char *fota_sn = NULL;
    json_int_t code = 0;
    bool ok = json || error_set(err, ERROR_BAD_JSON, "the body is not JSON: %s", where.text);
    if (ok && json_unpack_ex(json, &where, 0, "{s:s, s:I}", "fota_sn", &fota_sn, "result_code", &code) != 0)
        ok = error_set(err, ERROR_INVALID, "the body must be {\"fota_sn\": \"…\", \"result_code\": 0}: %s",
                       where.text);
    if (ok && !slice_copy(slice_of(fota_sn), ret->fota_sn, sizeof ret->fota_sn))
        ok = error_set(err, ERROR_NOT_FOUND, "there is no such fota_sn");
    ret->result_code = code;
    ret->result_form = TURNKEY_JSON;
    json_decref(json);
    return ok;
}

static bool read_query(const struct request *request, struct turnkey *ret, struct error *err)
{
    char code[CODE_SIZE];
    bool has_sn, has_code;
    uint64_t number;
    if (!request_query(request, "fota_sn", ret->fota_sn, sizeof ret->fota_sn, &has_sn, err) ||
        !request_query(request, "result_code", code, sizeof code, &has_code, err))
        return false;
    if (!has_sn || !has_code || !slice_u64(slice_of(code), &number) || number > INT32_MAX)
        return error_set(err, ERROR_INVALID, "send fota_sn and result_code, in the query or as JSON");
    ret->result_code = (int64_t)number;
    ret->result_form = TURNKEY_QUERY;
    return true;
}

void turnkey_result_handle(struct request *request)
{
    struct result_task *task = calloc(1, sizeof *task);
    struct error err;
    if (!task) {
        error_set(&err, ERROR_UNAVAILABLE, "the server cannot answer now: try again later");
        request_fail(request, &err);
        return;
    }
    task->task.run = keep;
    task->task.done = done;
    task->daemon = request->context;
    task->request = request;
    task->said.result_ms = clock_utc_ms();
    if (request->body.len ? read_json(request->body, &task->said, &err)
                          : read_query(request, &task->said, &err)) {
        writer_add(task->daemon->writer, &task->task);
        return;
    }
    request_fail(request, &err);
    free(task);
}
