/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/checkin.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "server/build/scheduler.h"
#include "server/checkin/checkin_task.h"
#include "server/checkin/refusal.h"
#include "server/core/log.h"
#include "server/core/stop_point.h"
#include "server/delivery/package_cache.h"
#include "server/http/range.h"
#include "server/ledger/event.h"

#define ROUNDS_MAX                                                                                           \
    4 /* a package may have to be read several times: others push it out of the memory, or it is made again */

struct fetch_task {
    struct checkin_task checkin; /* first */
    unsigned rounds;
    const struct cached_package *package; /* the bytes to send, once they are in memory */
    bool must_load;
    bool promised; /* the transfer counts already */
    struct sha256 wanted;
};

static bool serves(const struct decision *decision)
{
    return decision->answer == ANSWER_FULL || decision->answer == ANSWER_PART;
}

/* True: the bytes that the decision sends are in memory. Else sets task->wanted. */
static bool find_bytes(struct fetch_task *task)
{
    const struct facts *facts = &task->checkin.facts;
    const struct sha256 *sha256 =
        task->checkin.decision.resume ? &facts->attempt.package_sha256 : &facts->planned.package.sha256;
    if (task->package && memcmp(&task->package->sha256, sha256, sizeof *sha256) != 0) {
        cached_package_release(task->package);
        task->package = NULL;
    }
    if (!task->package)
        task->package = package_cache_find(task->checkin.daemon->cache, sha256);
    task->wanted = *sha256;
    return task->package;
}

static void recall(struct fetch_task *task)
{
    if (task->promised)
        transfer_recall(task->checkin.daemon->transfers);
    task->promised = false;
}

static bool decide(struct writer_task *base, struct db *db, struct error *err)
{
    struct fetch_task *task = (struct fetch_task *)base;
    task->must_load = false;
    recall(task); /* when it runs again */
    stop_point("check-in-enqueued");
    if (!checkin_task_decide(&task->checkin, db, err))
        return false;
    if (serves(&task->checkin.decision) && !find_bytes(task)) {
        task->must_load = true;
        return true;
    }
    if (!checkin_task_record(&task->checkin, db, err))
        return false;
    task->promised = serves(&task->checkin.decision) && task->checkin.record;
    if (task->promised)
        transfer_promise(task->checkin.daemon->transfers, task->checkin.facts.attempt.id);
    return true;
}

static void end(struct fetch_task *task)
{
    cached_package_release(task->package);
    free(task);
}

/* Answering */

static void release_package(void *cls)
{
    cached_package_release(cls);
}

static void send_package(struct fetch_task *task, struct reply *reply)
{
    const struct decision *decision = &task->checkin.decision;
    bool part = decision->answer == ANSWER_PART;
    reply_init(reply, part ? 206 : 200);
    reply->content_type = "application/octet-stream";
    if (part)
        reply_header(reply, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, decision->first,
                     decision->end - 1, task->package->size_bytes);
    reply->bytes = task->package->bytes + decision->first;
    reply->size = decision->end - decision->first;
    reply->fd = task->package->fd;
    reply->fd_lent = true;
    reply->file_offset = decision->first;
    reply->release = release_package;
    reply->release_cls = (void *)task->package;
    task->package = NULL; /* the reply owns it now */
    if (!task->checkin.record)
        return;
    reply->attempt = task->checkin.facts.attempt.id;
    reply->fetch = task->checkin.facts.attempt.fetches;
    reply->first = decision->first;
}

static void answer(struct fetch_task *task)
{
    const struct checkin_task *checkin = &task->checkin;
    struct reply reply;
    stop_point("check-in-committed");
    checkin_task_tell(checkin, checkin->checkin.source == CHECKIN_LINK ? "link" : "dialect",
                      answer_code(checkin->decision.answer));
    if (serves(&checkin->decision))
        send_package(task, &reply);
    else
        refusal_reply(checkin->daemon->config, checkin->decision.answer, &reply);
    request_answer(checkin->request, &reply);
    end(task);
}

static void fail(struct fetch_task *task, const struct error *err)
{
    checkin_task_fail(&task->checkin, err);
    end(task);
}

/* Bytes that are not in memory */

static bool make_again(void *cls, struct db *db, struct error *err)
{
    struct fetch_task *task = cls;
    const struct event event = {.kind = LEDGER_PACKAGE_LOST, .package = &task->wanted};
    /* Removed before the commit: after it a new file may be there already. */
    return package_make_again(db, &task->wanted, clock_utc_ms(), err) &&
           event_add(db, &event,
                     json_pack("{s:s}", "reason", "its file is damaged: the package is made again"), err) &&
           blob_remove(task->checkin.daemon->blobs, &task->wanted, err);
}

/* A full package that is an image cannot be made again: it is the file that an admin uploaded. */
static bool is_full(const struct fetch_task *task)
{
    const struct facts *facts = &task->checkin.facts;
    return task->checkin.decision.resume ? facts->snapshot.pinned_full : facts->planned.full;
}

/* True: since the decision a smaller package took the place of this one. Its file is then removed, not
   damaged. */
static bool was_replaced(const struct fetch_task *task)
{
    struct reader_pool *reader_pool = task->checkin.daemon->reader_pool;
    struct db *db;
    struct error err;
    int64_t uncounted;
    bool servable = true;
    if (is_full(task) || !reader_pool_take(reader_pool, &db, &err))
        return false;
    bool known =
        package_is_servable(db, &task->wanted, task->checkin.facts.firmware.id, &servable, &uncounted, &err);
    reader_pool_give(reader_pool, db);
    return known && !servable;
}

static bool load(struct fetch_task *task, struct error *err)
{
    char hex[SHA256_HEX_SIZE];
    struct daemon *daemon = task->checkin.daemon;
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
    struct fetch_task *task = cls;
    struct error err;
    if (load(task, &err))
        writer_add(task->checkin.daemon->writer, &task->checkin.task);
    else
        fail(task, &err);
}

static void decided(struct writer_task *base, const struct error *err)
{
    struct fetch_task *task = (struct fetch_task *)base;
    if (err) {
        recall(task);
        fail(task, err);
    } else if (task->must_load)
        thread_pool_add(task->checkin.daemon->thread_pool, load_then_decide, task);
    else
        answer(task);
}

void checkin_complete(const struct request *request, struct client_identity *client, struct checkin *checkin)
{
    struct slice range;
    bool present = request_header(request, "Range", &range);
    range_parse(present, range, &checkin->range);
    checkin_take_peer(request, client);
}

void checkin_start(struct request *request, const struct client_identity *client,
                   const struct checkin *checkin)
{
    struct fetch_task *task = calloc(1, sizeof *task);
    if (!task) {
        checkin_task_refuse(request);
        return;
    }
    task->checkin.client = *client;
    task->checkin.checkin = *checkin;
    task->checkin.task.repeatable = true;
    checkin_task_begin(&task->checkin, request, decide, decided);
}
