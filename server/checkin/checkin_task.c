/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/checkin_task.h"

#include "base/clock.h"
#include "server/checkin/counters.h"
#include "server/checkin/decide.h"
#include "server/checkin/lookup.h"
#include "server/checkin/origin.h"
#include "server/checkin/record.h"
#include "server/checkin/refusal.h"
#include "server/checkin/refused.h"
#include "server/checkin/client_secret.h"
#include "server/checkin/unchanged.h"
#include "server/checkin/waiting.h"
#include "server/core/log.h"
#include "server/core/metrics.h"
#include "server/db/turn_reader.h"

struct decision_limits checkin_limits(const struct config *config)
{
    return (struct decision_limits){.loop_guard_per_day = (unsigned)config->loop_guard_per_day,
                                    .pin_idle_ms = (int64_t)config->pin_idle_ms,
                                    .link_offers = (unsigned)config->link_offers,
                                    .link_offer_gap_ms = (int64_t)config->link_offer_gap_ms,
                                    .allowance = {.max_transfers = config->max_transfers,
                                                  .max_bytes_per_second = config->max_bytes_per_second}};
}

void checkin_take_peer(const struct request *request, struct client_identity *client)
{
    const struct daemon *daemon = request->context;
    const char *peer = request->peer;
    origin_of_peer(peer, client->origin);
    bool is_proxy = config_is_proxy(daemon->config, peer);
    client->by_proxy = is_proxy || request->over_tls;
    client->network[0] = '\0';
    if (!is_proxy)
        admission_network(peer, client->network);
}

/* Most check-ins change nothing. A reader decides these at once: it does everything that the writer would do, in a
   snapshot of the database, and fails where the writer would store something. Then the writer decides. */
static bool run_by_reader(struct checkin_task *task)
{
    struct db *db;
    struct error unwanted;
    const struct daemon *daemon = task->daemon;
    if (!turn_reader_take(task->request->turn, daemon->reader_pool, daemon->writer, &db, &unwanted))
        return false;
    bool decided = task->task.run(&task->task, db, &unwanted);
    if (decided)
        unchanged_keep(task, turn_reader_commits(*task->request->turn));
    turn_reader_leave(*task->request->turn, daemon->writer);
    return decided;
}

void checkin_task_begin(struct checkin_task *task, struct request *request, writer_task_function *run,
                        writer_task_done *done)
{
    task->task.run = run;
    task->task.done = done;
    task->daemon = request->context;
    task->request = request;
    task->record = !request->head_only;
    task->began_us = clock_boot_us();
    if (run_by_reader(task))
        done(&task->task, NULL);
    else
        writer_add(task->daemon->writer, &task->task);
}

bool checkin_task_decide(struct checkin_task *task, struct db *db, struct error *err)
{
    struct decision_limits limits = checkin_limits(task->daemon->config);
    if (!lookup_load(task->daemon, db, &task->client, &task->checkin, task->record && db_is_reader(db),
                     &task->facts, err))
        return false;
    return checkin_decide(db, &task->facts, &limits, &task->decision, err);
}

bool checkin_task_record(struct checkin_task *task, struct db *db, struct error *err)
{
    if (!task->record)
        return true;
    if (!record_decision(task->daemon, db, &task->client, &task->facts, &task->decision, err) ||
        !client_secret_record(db, &task->facts, err))
        return false;
    task->task.device_id = task->facts.device.id;
    if (task->facts.device.id &&
        !db_is_reader(db)) /* a device that waited was told so, and is not told this again */
        waiting_set(task->daemon->waiting, task->facts.device.id, task->decision.wait_for_transfer,
                    clock_boot_ms());
    return true;
}

static void count(struct daemon *daemon, int64_t device_id, int64_t now_ms, bool stored, bool noted)
{
    if ((stored ? checkin_counters_stored : checkin_counters_add)(daemon->counters, device_id, now_ms, noted))
        writer_flush_soon(daemon->writer);
}

static void log_answer(const struct checkin_task *task, const char *over, int code, const char *said)
{
    const struct facts *facts = &task->facts;
    struct log_number number;
    char reason[REASON_TEXT_SIZE];
    log_function *log = facts_of_stranger(facts) ? log_stranger : log_line;
    log(task->record ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "answer", "product",
        facts->product.id ? facts->product.product_key : NULL, "device",
        facts->device.id ? facts->device.device : NULL, "firmware",
        facts->firmware.id ? facts->firmware.name : NULL, "over", over, "peer", task->request->peer, "code",
        log_i64(&number, code), "reason", reason_text(task->decision.reason, REASON_ENGLISH, reason), "said",
        said[0] ? said : NULL, NULL);
}

void checkin_task_tell(const struct checkin_task *task, const char *over, int code)
{
    const struct facts *facts = &task->facts;
    /* Not before the commit: the number of a device that could not be stored goes to the next new device. */
    if (task->record && facts->device.id)
        count(task->daemon, facts->device.id, task->checkin.now_ms, facts->counted, facts->noted);
    facts_log(facts, task->client.network);
    client_secret_log_conflict(facts);
    struct unknown row = {.text = ""};
    if (refused_read(&task->client, facts, &task->decision, &row) && task->record)
        refused_add(task->daemon->refused, &row);
    metric_count_checkin(code);
    metric_time(METRIC_CHECKIN_TIME, clock_boot_us() - task->began_us);
    log_answer(task, over, code, row.text);
}

bool checkin_answer_unchanged(struct request *request, const struct client_identity *client,
                              const struct checkin *checkin)
{
    struct daemon *daemon = request->context;
    int64_t began_us = clock_boot_us();
    struct unchanged_answer found;
    struct log_number number;
    char reason[REASON_TEXT_SIZE];
    struct reply reply;
    int code = answer_code(ANSWER_UP_TO_DATE);
    if (request->head_only || !unchanged_find(daemon, client, checkin, &found))
        return false;
    count(daemon, found.device_id, checkin->now_ms, false, false);
    metric_count_checkin(code);
    metric_count(METRIC_CHECKIN_UNCHANGED, 1);
    metric_time(METRIC_CHECKIN_TIME, clock_boot_us() - began_us);
    log_line(LOG_LEVEL_INFO, "answer", "product", client->product_key, "device", client->identity.id,
             "firmware", client->firmware, "over", "dialect", "peer", request->peer, "code",
             log_i64(&number, code), "reason", reason_text(found.reason, REASON_ENGLISH, reason), NULL);
    refusal_reply(daemon->config, ANSWER_UP_TO_DATE, &reply);
    request_answer(request, &reply);
    return true;
}

void checkin_task_fail(const struct checkin_task *task, const struct error *err)
{
    struct error told = *err;
    if (err->code != ERROR_NOT_FOUND) {
        log_line(LOG_LEVEL_ERROR, "check-in-failed", "peer", task->request->peer, "error", err->text, NULL);
        error_set(&told, ERROR_UNAVAILABLE, "the server cannot answer now: try again later");
    }
    request_fail(task->request, &told);
}

void checkin_task_refuse(struct request *request)
{
    struct error err;
    error_set(&err, ERROR_UNAVAILABLE, "the server cannot answer now: try again later");
    request_fail(request, &err);
}
