/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/checkin.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "server/checkin/record.h"
#include "server/checkin/refusal.h"
#include "server/http/range.h"
#include "server/build/scheduler.h"
#include "server/core/log.h"
#include "server/ledger/event.h"
#include "server/checkin/origin.h"
#include "server/delivery/package_cache.h"
#include "server/checkin/refused.h"
#include "server/checkin/counters.h"
#include "server/core/stop_point.h"

#define ROUNDS_MAX                                                                                           \
    4 /* a package that must be read again and again, because others push it out or it is made anew */

struct checkin_task {
    struct writer_task task;
    struct daemon *daemon;
    struct request *request;
    bool record; /* not for HEAD */
    struct client_identity client;
    struct checkin checkin;
    unsigned rounds;

    struct facts facts;
    struct decision decision;
    const struct cached_package *package; /* the bytes to send, once they are in memory */
    bool must_load;
    struct sha256 wanted;
};

struct decision_limits checkin_limits(const struct config *config)
{
    return (struct decision_limits){.loop_guard_per_day = (unsigned)config->loop_guard_per_day,
                                    .pin_idle_ms = (int64_t)config->pin_idle_ms,
                                    .link_offers = (unsigned)config->link_offers,
                                    .link_offer_gap_ms = (int64_t)config->link_offer_gap_ms};
}

static bool serves(const struct decision *decision)
{
    return decision->answer == ANSWER_FULL || decision->answer == ANSWER_PART;
}

/* The bytes that the decision sends are in memory; else they are noted as wanted. */
static bool find_bytes(struct checkin_task *task)
{
    const struct facts *facts = &task->facts;
    const struct sha256 *sha256 =
        task->decision.resume ? &facts->attempt.package_sha256 : &facts->planned.package.sha256;
    if (task->package && memcmp(&task->package->sha256, sha256, sizeof *sha256) != 0) {
        cached_package_release(task->package);
        task->package = NULL;
    }
    if (!task->package)
        task->package = package_cache_find(task->daemon->cache, sha256);
    task->wanted = *sha256;
    return task->package;
}

static bool decide(struct writer_task *base, struct db *db, struct error *err)
{
    struct checkin_task *task = (struct checkin_task *)base;
    struct decision_limits limits = checkin_limits(&task->daemon->config);
    task->must_load = false;
    stop_point("check-in-enqueued");
    if (!lookup_load(task->daemon, db, &task->client, &task->checkin, &task->facts, err))
        return false;
    decision_make(&task->facts.checkin, &task->facts.snapshot, &limits, &task->decision);
    if (serves(&task->decision) && !find_bytes(task)) {
        task->must_load = true;
        return true;
    }
    return !task->record ||
           record_decision(task->daemon, db, &task->client, &task->facts, &task->decision, err);
}

static void end(struct checkin_task *task)
{
    cached_package_release(task->package);
    free(task);
}

static void fail(struct checkin_task *task, const struct error *err)
{
    struct error told = *err;
    if (err->code != ERROR_NOT_FOUND) {
        log_line(LOG_LEVEL_ERROR, "check-in-failed", "peer", task->request->peer, "error", err->text, NULL);
        error_set(&told, ERROR_UNAVAILABLE, "not now");
    }
    request_fail(task->request, &told);
    end(task);
}

/* Answering */

static void log_answer(const struct checkin_task *task, const char *said)
{
    const struct facts *facts = &task->facts;
    struct log_number code;
    void (*log)(enum log_level, const char *, ...) = facts_of_stranger(facts) ? log_stranger : log_line;
    log(task->record ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "answer", "product",
        facts->product.id ? facts->product.product_key : NULL, "device",
        facts->device.id ? facts->device.device : NULL, "firmware",
        facts->firmware.id ? facts->firmware.name : NULL, "over",
        task->checkin.source == CHECKIN_LINK ? "link" : "dialect", "peer", task->request->peer, "code",
        log_i64(&code, answer_code(task->decision.answer)), "reason", task->decision.reason, "said",
        said[0] ? said : NULL, NULL);
}

static void release_package(void *cls)
{
    cached_package_release(cls);
}

static void send_package(struct checkin_task *task, struct reply *reply)
{
    const struct decision *decision = &task->decision;
    bool part = decision->answer == ANSWER_PART;
    reply_init(reply, part ? 206 : 200);
    reply->content_type = "application/octet-stream";
    if (part)
        reply_header(reply, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, decision->first,
                     decision->end - 1, task->package->size_bytes);
    reply->bytes = task->package->bytes + decision->first;
    reply->size = decision->end - decision->first;
    reply->release = release_package;
    reply->release_cls = (void *)task->package;
    task->package = NULL; /* the reply's now */
    if (!task->record)
        return;
    reply->attempt = task->facts.attempt.id;
    reply->fetch = task->facts.attempt.fetches;
    reply->first = decision->first;
}

static void reply_to(struct checkin_task *task)
{
    struct reply reply;
    stop_point("check-in-committed");
    /* Not before the commit: a device that could not be stored leaves its number to the next one. */
    if (task->record && task->facts.device.id)
        checkin_counters_add(task->daemon->counters, task->facts.device.id, task->checkin.now_ms,
                             task->facts.noted);
    facts_log(&task->facts, task->client.network);
    struct unknown row = {.text = ""};
    if (refused_read(&task->client, &task->facts, &task->decision, &row) && task->record)
        refused_add(task->daemon->refused, &row);
    log_answer(task, row.text);
    if (serves(&task->decision))
        send_package(task, &reply);
    else
        refusal_reply(&task->daemon->config, task->decision.answer, &reply);
    request_answer(task->request, &reply);
    end(task);
}

/* Bytes that are not in memory */

static bool make_again(void *cls, struct db *db, struct error *err)
{
    struct checkin_task *task = cls;
    const struct event event = {.kind = LEDGER_PACKAGE_LOST, .package = &task->wanted};
    /* Removed before the commit: afterwards a new one may be there already. */
    return package_make_again(db, &task->wanted, clock_utc_ms(), err) &&
           event_add(db, &event, json_pack("{s:s}", "reason", "its file is damaged: it is made again"),
                     err) &&
           blob_remove(task->daemon->blobs, &task->wanted, err);
}

/* A full package cannot be made again: it is the very file that an admin uploaded. */
static bool is_full(const struct checkin_task *task)
{
    const struct facts *facts = &task->facts;
    return task->decision.resume ? facts->snapshot.pinned_full : facts->snapshot.package_full;
}

/* Smaller bytes took their place since it was decided to send these: then their file is gone, not damaged. */
static bool was_replaced(const struct checkin_task *task)
{
    struct reader_pool *reader_pool = task->daemon->reader_pool;
    struct db *db;
    struct error err;
    bool servable = true;
    if (is_full(task) || !reader_pool_take(reader_pool, &db, &err))
        return false;
    bool known = package_is_servable(db, &task->wanted, task->facts.firmware.id, &servable, &err);
    reader_pool_give(reader_pool, db);
    return known && !servable;
}

static bool load(struct checkin_task *task, struct error *err)
{
    char hex[SHA256_HEX_SIZE];
    struct daemon *daemon = task->daemon;
    if (++task->rounds > ROUNDS_MAX)
        return error_set(err, ERROR_UNAVAILABLE, "the package could not be held in memory");
    if (package_cache_load(daemon->cache, daemon->blobs, &task->wanted, &task->package, err))
        return true;
    if (err->code != ERROR_CORRUPT)
        return false;
    if (was_replaced(task))
        return true;
    sha256_hex(&task->wanted, hex);
    log_line(LOG_LEVEL_ERROR, "blob-corrupt", "sha256", hex, "error", err->text, "then",
             is_full(task) ? "it is not sent; upload the same bytes again"
                           : "it is not sent; the package is made again",
             NULL);
    if (is_full(task))
        return false;
    if (!writer_call(daemon->writer, make_again, task, err))
        return false;
    scheduler_wake(daemon->scheduler);
    return true;
}

static void load_then_decide(void *cls)
{
    struct checkin_task *task = cls;
    struct error err;
    if (load(task, &err))
        writer_add(task->daemon->writer, &task->task);
    else
        fail(task, &err);
}

static void decided(struct writer_task *base, const struct error *err)
{
    struct checkin_task *task = (struct checkin_task *)base;
    if (err)
        fail(task, err);
    else if (task->must_load)
        thread_pool_add(task->daemon->thread_pool, load_then_decide, task);
    else
        reply_to(task);
}

void checkin_take_peer(const struct config *config, const char *peer, struct client_identity *client)
{
    client->by_proxy = config_is_proxy(config, peer);
    client->network[0] = '\0';
    if (!client->by_proxy)
        admission_network(peer, client->network);
}

void checkin_start(struct request *request, const struct client_identity *client,
                   const struct checkin *checkin)
{
    struct checkin_task *task = calloc(1, sizeof *task);
    struct slice range;
    struct error err;
    if (!task) {
        error_set(&err, ERROR_UNAVAILABLE, "not now");
        request_fail(request, &err);
        return;
    }
    task->task.run = decide;
    task->task.done = decided;
    task->daemon = request->context;
    task->request = request;
    task->record = !request->head_only;
    task->client = *client;
    origin_of_peer(request->peer, task->client.origin);
    checkin_take_peer(&task->daemon->config, request->peer, &task->client);
    task->checkin = *checkin;
    bool present = request_header(request, "Range", &range);
    range_parse(present, range, &task->checkin.range);
    writer_add(task->daemon->writer, &task->task);
}
