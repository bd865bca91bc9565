/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/build/job.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/package_format.h"
#include "server/context.h"
#include "server/db/blob_commit.h"
#include "server/core/log.h"
#include "server/core/metrics.h"
#include "server/ledger/package_event.h"
#include "server/config/recipe.h"
#include "server/webhook/notify.h"
#include "storage/improvement.h"

#define CANDIDATES       64 /* more than there are threads, so that one candidate is always free */
#define CANCELLED_REASON "cancelled: a higher-priority job waits, or the server is stopping"

static bool find_section(struct build *making, struct db *db, struct error *err)
{
    bool found;
    if (!recipe_find(making->daemon->config, db, &making->package.key, making->firmware, &making->section,
                     &found, err))
        return false;
    making->outdated = !found;
    return true;
}

/* ---- The queue, in the writer's thread ---- */

static bool claim(struct job *job, struct db *db, bool background, struct error *err)
{
    struct build *making = &job->making;
    if (!package_claim(db, background, clock_utc_ms(), &making->package, &job->found, err))
        return false;
    if (!job->found)
        return true;
    const struct package_format *format = package_format_find(making->package.key.format);
    making->effort = format && format->by_dfota ? EFFORT_QUICK : EFFORT_BEST;
    return find_section(making, db, err);
}

static bool claim_wanted(void *cls, struct db *db, struct error *err)
{
    return claim(cls, db, false, err);
}

static bool claim_background(void *cls, struct db *db, struct error *err)
{
    return claim(cls, db, true, err);
}

static bool set_ready(void *cls, struct db *db, struct error *err)
{
    struct job *job = cls;
    const struct build *making = &job->making;
    const struct package_format *format = package_format_find(making->package.key.format);
    bool by_dfota = !format || format->by_dfota;
    const struct package_made made = {.size_bytes = (int64_t)making->size_bytes,
                                      .uncounted_bytes = making->uncounted_bytes,
                                      .sha256 = making->sha256,
                                      .origin = by_dfota ? PACKAGE_MADE : PACKAGE_EXTERNAL,
                                      .proven = making->proven,
                                      .effort = by_dfota ? making->effort : EFFORT_NONE,
                                      .note = making->note,
                                      .log = making->log};
    int64_t now_ms = clock_utc_ms();
    const struct notify_size before = {.size_bytes = 0},
                             now = {.size_bytes = made.size_bytes, .tried = made.effort};
    return package_set_ready(db, making->package.id, &made, now_ms, err) &&
           package_event_made(db, &making->package.key, &made, now_ms, err) &&
           notify_oversize(db, &making->package, &before, &now, now_ms, err);
}

static bool set_failed(void *cls, struct db *db, struct error *err)
{
    struct job *job = cls;
    const struct build *making = &job->making;
    job->failed_for_good = true;
    return package_set_failed(db, making->package.id, making->reason, clock_utc_ms(), err) &&
           package_keep_log(db, making->package.id, making->log, err) &&
           package_event_failed(db, &making->package.key, making->reason, clock_utc_ms(), err);
}

static bool count_crash(void *cls, struct db *db, struct error *err)
{
    struct job *job = cls;
    const struct build *making = &job->making;
    return package_crashed(db, making->package.id, making->reason, clock_utc_ms(), &job->failed_for_good,
                           err) &&
           package_keep_log(db, making->package.id, making->log, err) &&
           (!job->failed_for_good ||
            package_event_failed(db, &making->package.key, making->reason, clock_utc_ms(), err));
}

static bool put_back(void *cls, struct db *db, struct error *err)
{
    struct job *job = cls;
    return package_put_back(db, job->making.package.id, err);
}

static bool put_last(void *cls, struct db *db, struct error *err)
{
    struct job *job = cls;
    return package_put_last(db, job->making.package.id, clock_utc_ms(), err);
}

/* ---- More effort ---- */

/* Takes the first package that no other thread works on. */
static bool take_first(struct job *job, struct db *db, const struct improvement *list, size_t count,
                       job_reserve_function *reserve, void *cls, struct error *err)
{
    struct build *making = &job->making;
    for (size_t i = 0; i < count; i++) {
        if (!reserve(cls, list[i].id))
            continue;
        making->package = (struct package){.id = list[i].id, .key = list[i].key};
        making->effort = (enum package_effort)(list[i].tried + 1);
        making->below_bytes = (uint64_t)list[i].size_bytes;
        job->found = job->improves = true;
        return find_section(making, db, err);
    }
    return true;
}

/* Uses a read-only connection: this may take longer than check-ins should wait. */
static bool take_improvement(struct job *job,
                             bool (*list)(struct job *job, struct db *db, struct improvement **ret,
                                          size_t *ret_count, struct error *err),
                             job_reserve_function *reserve, void *cls, struct error *err)
{
    struct reader_pool *reader_pool = job->making.daemon->reader_pool;
    _cleanup_(cleanup_free) struct improvement *found = NULL;
    struct db *db;
    size_t count;
    if (!reader_pool_take(reader_pool, &db, err))
        return false;
    bool ok = list(job, db, &found, &count, err) && take_first(job, db, found, count, reserve, cls, err);
    reader_pool_give(reader_pool, db);
    return ok;
}

static bool list_reachable(struct job *job, struct db *db, struct improvement **ret, size_t *ret_count,
                           struct error *err)
{
    (void)job;
    return improvement_reachable(db, CANDIDATES, ret, ret_count, err);
}

static bool list_wanted(struct job *job, struct db *db, struct improvement **ret, size_t *ret_count,
                        struct error *err)
{
    return improvement_list(db, job->making.daemon->config->idle_effort, 1, CANDIDATES, ret, ret_count, err);
}

static bool list_all(struct job *job, struct db *db, struct improvement **ret, size_t *ret_count,
                     struct error *err)
{
    return improvement_list(db, job->making.daemon->config->idle_effort, 0, CANDIDATES, ret, ret_count, err);
}

/* ---- Replacing packages by smaller ones ---- */

struct swaps {
    const struct config *config;
    struct improvement_swap *list;
    size_t count;
    int64_t waiting;
};

static bool note_swap(struct db *db, const struct improvement_swap *swap, int64_t now_ms, struct error *err)
{
    const struct package_made made = {.size_bytes = swap->size_bytes,
                                      .uncounted_bytes = swap->uncounted_bytes,
                                      .sha256 = swap->sha256,
                                      .origin = PACKAGE_MADE,
                                      .proven = true,
                                      .effort = (enum package_effort)swap->effort};
    return package_event_made(db, &swap->key, &made, now_ms, err);
}

static bool swap_all(void *cls, struct db *db, struct error *err)
{
    struct swaps *swaps = cls;
    int64_t now_ms = clock_utc_ms();
    bool ok = improvement_swap_all(db, now_ms - (int64_t)swaps->config->pin_idle_ms, now_ms, &swaps->list,
                                   &swaps->count, &swaps->waiting, err);
    for (size_t i = 0; ok && i < swaps->count; i++)
        ok = note_swap(db, &swaps->list[i], now_ms, err);
    return ok;
}

static void log_swap(const struct improvement_swap *swap)
{
    char from[SHA256_HEX_SIZE], to[SHA256_HEX_SIZE];
    struct log_number size, was;
    package_key_base(&swap->key, from);
    sha256_hex(&swap->key.to, to);
    log_line(LOG_LEVEL_INFO, "package-replaced", "from", from, "to", to, "format", swap->key.format, "size",
             log_i64(&size, swap->size_bytes), "was", log_i64(&was, swap->old_size_bytes), NULL);
}

/* After the transaction. `done`: it was committed. */
static void end_swaps(struct daemon *daemon, struct swaps *swaps, bool done)
{
    for (size_t i = 0; done && i < swaps->count; i++) {
        log_swap(&swaps->list[i]);
        blob_remove_unused(daemon->writer, daemon->blobs, &swaps->list[i].old, 1);
    }
    free(swaps->list);
}

bool job_swap(struct job *job, struct error *err)
{
    struct daemon *daemon = job->making.daemon;
    struct swaps swaps = {.config = daemon->config};
    bool ok = writer_call(daemon->writer, swap_all, &swaps, err);
    if (ok)
        job->swaps_waiting = swaps.waiting;
    end_swaps(daemon, &swaps, ok);
    return ok;
}

/* ---- Storing the result of more effort ---- */

struct stored_improvement {
    struct job *job;
    struct sha256 old;
    bool kept, had;
    struct swaps swaps;
};

/* Stores that this effort was tried and that its result has size_bytes. */
static bool set_tried_with(const struct build *making, int64_t size_bytes, struct db *db, struct error *err)
{
    const struct notify_size before = {(int64_t)making->below_bytes, (int64_t)making->effort - 1},
                             now = {size_bytes, making->effort};
    return improvement_tried(db, making->package.id, making->effort, err) &&
           notify_oversize(db, &making->package, &before, &now, clock_utc_ms(), err);
}

/* One transaction: between `tried` and the smaller package, a device would be told that no package fits. */
static bool store_improvement(void *cls, struct db *db, struct error *err)
{
    struct stored_improvement *stored = cls;
    const struct build *making = &stored->job->making;
    const struct package_made made = {.size_bytes = (int64_t)making->size_bytes,
                                      .uncounted_bytes = making->uncounted_bytes,
                                      .sha256 = making->sha256,
                                      .effort = making->effort,
                                      .note = making->note};
    if (!set_tried_with(making, made.size_bytes ? made.size_bytes : (int64_t)making->below_bytes, db, err))
        return false;
    if (!making->size_bytes)
        return true;
    return improvement_keep(db, making->package.id, &made, &stored->kept, &stored->old, &stored->had, err) &&
           swap_all(&stored->swaps, db, err);
}

static bool set_tried(void *cls, struct db *db, struct error *err)
{
    const struct build *making = &((struct job *)cls)->making;
    return set_tried_with(making, (int64_t)making->below_bytes, db, err);
}

static bool store_improved(struct job *job, enum make_end end, struct error *err)
{
    struct daemon *daemon = job->making.daemon;
    struct stored_improvement stored = {.job = job, .swaps.config = daemon->config};
    if (end == MAKE_PUT_BACK || end == MAKE_LATER)
        return true;
    if (end != MAKE_READY)
        return writer_call(daemon->writer, set_tried, job, err);
    bool ok = writer_call(daemon->writer, store_improvement, &stored, err);
    if (ok && job->making.size_bytes && !stored.kept)
        blob_remove_unused(daemon->writer, daemon->blobs, &job->making.sha256, 1);
    if (ok && stored.had)
        blob_remove_unused(daemon->writer, daemon->blobs, &stored.old, 1);
    end_swaps(daemon, &stored.swaps, ok);
    return ok;
}

/* ---- The order of work ---- */

static bool take_wanted(struct job *job, job_reserve_function *reserve, void *cls, struct error *err)
{
    (void)reserve, (void)cls;
    return writer_call(job->making.daemon->writer, claim_wanted, job, err);
}

static bool take_reachable(struct job *job, job_reserve_function *reserve, void *cls, struct error *err)
{
    return take_improvement(job, list_reachable, reserve, cls, err);
}

static bool take_hop(struct job *job, job_reserve_function *reserve, void *cls, struct error *err)
{
    return take_improvement(job, list_wanted, reserve, cls, err);
}

static bool take_matrix(struct job *job, job_reserve_function *reserve, void *cls, struct error *err)
{
    (void)reserve, (void)cls;
    return writer_call(job->making.daemon->writer, claim_background, job, err);
}

static bool take_rest(struct job *job, job_reserve_function *reserve, void *cls, struct error *err)
{
    return take_improvement(job, list_all, reserve, cls, err);
}

const struct job_source job_sources[JOB_SOURCES] = {
    {take_wanted, false}, {take_reachable, false}, {take_hop, true}, {take_matrix, true}, {take_rest, true},
};

/* If an admin uploaded or removed the package meanwhile, that stays as it is and the result of the job is
   dropped. */
static bool conclude(void *cls, struct db *db, struct error *err)
{
    static bool (*const steps[])(void *, struct db *, struct error *) = {
        [MAKE_READY] = set_ready,   [MAKE_FAILED] = set_failed, [MAKE_CRASHED] = count_crash,
        [MAKE_PUT_BACK] = put_back, [MAKE_LATER] = put_last,
    };
    struct job *job = cls;
    struct package now;
    bool found;
    if (!package_by_id(db, job->making.package.id, &now, &found, err))
        return false;
    job->outdated = !found || package_state(&now) != PACKAGE_GENERATING;
    return job->outdated || steps[job->end](job, db, err);
}

bool job_store(struct job *job, enum make_end end, struct error *err)
{
    job->end = end;
    return job->improves ? store_improved(job, end, err)
                         : writer_call(job->making.daemon->writer, conclude, job, err);
}

static void log_improvement(const struct job *job, enum make_end end, const char *from, const char *to)
{
    static const char *const efforts[] = {"none", "quick", "good", "best"};
    const struct build *making = &job->making;
    struct log_number size;
    bool failed = end == MAKE_FAILED || end == MAKE_CRASHED;
    log_line(failed ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, failed ? "improvement-failed" : "package-tried",
             "from", from, "to", to, "format", making->package.key.format, "effort", efforts[making->effort],
             "size", making->size_bytes ? log_i64(&size, (long long)making->size_bytes) : NULL, "reason",
             failed || end == MAKE_LATER ? making->reason
             : end == MAKE_PUT_BACK      ? CANCELLED_REASON
                                         : NULL,
             NULL);
}

static void count_build(enum make_end end, int64_t took_ms)
{
    metric_count(end == MAKE_READY     ? METRIC_BUILD_READY
                 : end == MAKE_FAILED  ? METRIC_BUILD_FAILED
                 : end == MAKE_CRASHED ? METRIC_BUILD_CRASHED
                                       : METRIC_BUILD_OTHER,
                 1);
    metric_time(METRIC_BUILD_TIME, took_ms * 1000);
}

void job_tell(const struct job *job, enum make_end end, int64_t took_ms)
{
    const struct build *making = &job->making;
    const struct package_key *key = &making->package.key;
    char from[SHA256_HEX_SIZE], to[SHA256_HEX_SIZE];
    struct log_number size, took;
    package_key_base(key, from);
    sha256_hex(&key->to, to);
    count_build(end, took_ms);
    if (job->improves)
        log_improvement(job, end, from, to);
    else if (job->outdated)
        log_line(LOG_LEVEL_INFO, "package-outdated", "from", from, "to", to, "format", key->format, NULL);
    else if (end == MAKE_READY)
        log_line(LOG_LEVEL_INFO, "package-ready", "from", from, "to", to, "format", key->format, "size",
                 log_i64(&size, (long long)making->size_bytes), "took_ms", log_i64(&took, took_ms), "proven",
                 making->proven ? "yes" : "no", NULL);
    else
        log_line(job->failed_for_good ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
                 job->failed_for_good ? "package-failed" : "package-put-back", "from", from, "to", to,
                 "format", key->format, "reason", end == MAKE_PUT_BACK ? CANCELLED_REASON : making->reason,
                 NULL);
}
