/* POST /d/{token}/report: the host of a module says which version the module prints, and learns what to do
 * next. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/checkin.h"
#include "server/device/device.h"
#include "server/jobs.h"
#include "server/link_url.h"
#include "server/log.h"
#include "server/need.h"
#include "server/seen.h"

struct report_task {
    struct writer_task task;
    struct daemon *daemon;
    struct request *request;
    struct asker asker;
    char said[FIRMWARE_NAME_SIZE + VERSION_TEXT_SIZE];
    struct facts facts;
    struct decision next; /* what a request for the next link would get */
};

static bool find_link(struct report_task *task, struct db *db, struct error *err)
{
    struct checkin checkin = {.source = CHECKIN_LINK, .now_ms = clock_utc_ms()};
    if (!facts_load(task->daemon, db, &task->asker, &checkin, &task->facts, err))
        return false;
    if (task->facts.snapshot.link_unknown)
        return error_set(err, ERROR_NOT_FOUND, "there is no such link");
    if (task->facts.snapshot.link_revoked)
        return error_set(err, ERROR_NOT_FOUND, "this link is revoked");
    return true;
}

static bool take_report(struct writer_task *base, struct db *db, struct error *err)
{
    struct report_task *task = (struct report_task *)base;
    struct facts *facts = &task->facts;
    struct decision_limits limits = checkin_limits(&task->daemon->config);
    struct version version;
    if (!find_link(task, db, err) ||
        !name_parse_version_of(slice_of(task->said), facts->firmware.name, &version, err) ||
        !facts_report(db, facts, &version, err))
        return false;
    if (!find_link(task, db, err)) /* anew, with what is known now */
        return false;
    decision_make(&facts->checkin, &facts->snapshot, &limits, &task->next);
    return !task->next.queue_package || need_package(db, task->daemon, &facts->firmware, &facts->base,
                                                     &facts->target, false, facts->checkin.now_ms, err);
}

static json_t *next_step(const struct report_task *task)
{
    enum answer answer = task->next.answer;
    char url[LINK_URL_SIZE];
    if ((answer != ANSWER_FULL && answer != ANSWER_WAIT) || !task->daemon->device_url[0])
        return json_null();
    link_url(task->daemon, task->facts.link.token, task->facts.device.confirmed_version, url);
    return json_pack("{s:s, s:s, s:o, s:b}", "version", task->facts.firmware.target, "url", url,
                     "at_commands", link_at_commands(url), "ready", answer == ANSWER_FULL);
}

/* The host is told what is wrong with its report; what is wrong here is for the log. */
static void fail(struct report_task *task, const struct error *err)
{
    struct error told = *err;
    if (error_status(err->code) >= 500) {
        log_line(LOG_LEVEL_ERROR, "report-failed", "peer", task->request->peer, "error", err->text, NULL);
        error_set(&told, ERROR_UNAVAILABLE, "not now");
    }
    request_fail(task->request, &told);
    free(task);
}

static void answer_report(struct writer_task *base, const struct error *err)
{
    struct report_task *task = (struct report_task *)base;
    const struct facts *facts = &task->facts;
    struct reply reply;
    if (err) {
        fail(task, err);
        return;
    }
    seen_add(task->daemon->seen, facts->device.id, facts->checkin.now_ms);
    log_line(LOG_LEVEL_INFO, "report", "product", facts->product.product_key, "device", facts->device.device,
             "version", facts->device.confirmed_version, "next", task->next.reason, NULL);
    json_t *next = next_step(task);
    const char *why_none = json_is_null(next) ? task->next.reason : NULL;
    reply_json(&reply, 200,
               json_pack("{s:s, s:s?, s:o, s:s?}", "confirmed_version", facts->device.confirmed_version,
                         "target", facts->firmware.target[0] ? facts->firmware.target : NULL, "next", next,
                         "reason", why_none));
    request_answer(task->request, &reply);
    free(task);
}

static bool read_body(const struct request *request, char *out, size_t size, struct error *err)
{
    json_error_t where;
    json_t *json = json_loadb(request->body.ptr, request->body.len, JSON_REJECT_DUPLICATES, &where);
    const char *version = NULL;
    bool ok = json || error_set(err, ERROR_BAD_JSON, "the body is no JSON: %s", where.text);
    if (ok && json_unpack_ex(json, &where, 0, "{s:s}", "version", &version) != 0)
        ok = error_set(err, ERROR_INVALID, "the body must be {\"version\": \"…\"}: %s", where.text);
    if (ok && !slice_copy(slice_of(version), out, size))
        ok = error_set(err, ERROR_BAD_VERSION, "this is no version");
    json_decref(json);
    return ok;
}

void report_handle(struct request *request)
{
    struct error err;
    struct report_task *task = calloc(1, sizeof *task);
    if (!task) {
        error_set(&err, ERROR_UNAVAILABLE, "not now");
        request_fail(request, &err);
        return;
    }
    if (!read_body(request, task->said, sizeof task->said, &err)) {
        request_fail(request, &err);
        free(task);
        return;
    }
    task->task.run = take_report;
    task->task.done = answer_report;
    task->daemon = request->context;
    task->request = request;
    slice_copy(request->param[0], task->asker.token, sizeof task->asker.token);
    writer_add(task->daemon->writer, &task->task);
}
