/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/build/scheduler.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "server/context.h"
#include "server/build/job.h"
#include "server/db/blob_commit.h"
#include "server/core/log.h"
#include "server/ledger/package_event.h"
#include "server/core/stop_point.h"

#define RETRY_MS 10000 /* wait after a full disk or a database error */
#define SWAP_MS  3000  /* wait while smaller packages wait for transfers to end */

struct slot { /* one thread and its work; protected by scheduler->mutex */
    struct scheduler *scheduler;
    pthread_t thread;
    int cancel_fd;     /* readable when its child must be killed */
    int64_t improving; /* package, 0: none */
    bool background, cancelled;
};

struct scheduler {
    struct daemon *daemon;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned long wakes; /* counts scheduler_wake(), so that no call is lost between search and wait */
    bool stopping;
    unsigned idle; /* threads that wait for a wake */
    unsigned count;
    struct slot slot[];
};

/* ---- Waiting ---- */

enum awaited { A_WAKE, A_WAKE_OR_SWAP, A_RETRY };

/* Waits for a scheduler_wake() after `seen`, or for time to pass, as `what` says. False: the scheduler is
   stopping. */
static bool await(struct scheduler *scheduler, unsigned long *seen, enum awaited what)
{
    int64_t deadline_ms = clock_monotonic_ms() + (what == A_RETRY ? RETRY_MS : SWAP_MS);
    bool in_time = true;
    pthread_mutex_lock(&scheduler->mutex);
    scheduler->idle += what != A_RETRY;
    while (!scheduler->stopping && in_time && (what == A_RETRY || scheduler->wakes == *seen))
        if (what == A_WAKE)
            pthread_cond_wait(&scheduler->changed, &scheduler->mutex);
        else
            in_time = thread_wait_until(&scheduler->changed, &scheduler->mutex, deadline_ms);
    scheduler->idle -= what != A_RETRY;
    *seen = scheduler->wakes;
    bool go_on = !scheduler->stopping;
    pthread_mutex_unlock(&scheduler->mutex);
    return go_on;
}

/* ---- What a thread may do ---- */

/* The thread has no job now. A cancel request for the last job is removed. */
static void clear_slot(struct slot *slot)
{
    eventfd_t count;
    struct scheduler *scheduler = slot->scheduler;
    pthread_mutex_lock(&scheduler->mutex);
    slot->improving = 0;
    slot->background = false;
    if (slot->cancelled && !scheduler->stopping) {
        eventfd_read(slot->cancel_fd, &count);
        slot->cancelled = false;
    }
    pthread_mutex_unlock(&scheduler->mutex);
}

static void cancel(struct slot *slot)
{
    if (!slot->cancelled)
        eventfd_write(slot->cancel_fd, 1);
    slot->cancelled = true;
}

/* Background jobs may use a share of the threads, at least one. */
static bool may_begin(struct slot *slot, bool background)
{
    struct scheduler *scheduler = slot->scheduler;
    uint64_t share = scheduler->count * scheduler->daemon->config->background_share / 100;
    pthread_mutex_lock(&scheduler->mutex);
    uint64_t others = 0;
    for (unsigned i = 0; i < scheduler->count; i++)
        others += &scheduler->slot[i] != slot && scheduler->slot[i].background;
    slot->background = background && others < (share > 0 ? share : 1);
    bool may = !background || slot->background;
    pthread_mutex_unlock(&scheduler->mutex);
    return may;
}

static bool reserve(void *cls, int64_t package_id)
{
    struct slot *slot = cls;
    struct scheduler *scheduler = slot->scheduler;
    bool is_free = true;
    pthread_mutex_lock(&scheduler->mutex);
    for (unsigned i = 0; i < scheduler->count; i++)
        is_free = is_free && scheduler->slot[i].improving != package_id;
    if (is_free)
        slot->improving = package_id;
    pthread_mutex_unlock(&scheduler->mutex);
    return is_free;
}

bool scheduler_is_improving(struct scheduler *scheduler, int64_t package_id)
{
    bool found = false;
    pthread_mutex_lock(&scheduler->mutex);
    for (unsigned i = 0; i < scheduler->count; i++)
        found = found || scheduler->slot[i].improving == package_id;
    pthread_mutex_unlock(&scheduler->mutex);
    return found;
}

/* ---- Threads ---- */

static bool find_work(struct slot *slot, struct job *job, struct error *err)
{
    if (!job_swap(job, err))
        return false;
    for (size_t i = 0; i < JOB_SOURCES && !job->found; i++)
        if (may_begin(slot, job_sources[i].background) && !job_sources[i].take(job, reserve, slot, err))
            return false;
    return true;
}

/* Does one job. False: there is no work now; *ret_then says what to wait for. */
static bool run_one(struct slot *slot, enum awaited *ret_then)
{
    struct scheduler *scheduler = slot->scheduler;
    struct job job = {.making = {.daemon = scheduler->daemon, .cancel_fd = slot->cancel_fd}};
    struct error err;
    *ret_then = A_RETRY;
    if (!find_work(slot, &job, &err)) {
        log_line(LOG_LEVEL_ERROR, "job-not-claimed", "error", err.text, NULL);
        return false;
    }
    *ret_then = job.swaps_waiting ? A_WAKE_OR_SWAP : A_WAKE;
    if (!job.found)
        return false;
    stop_point(job.improves ? "job-improves" : "job-claimed");
    int64_t begun_ms = clock_boot_ms();
    enum make_end end = build_package(&job.making);
    /* Again and again: a full disk must not leave the package `generating` until the next start. */
    while (!job_store(&job, end, &err)) {
        log_line(LOG_LEVEL_ERROR, "job-not-stored", "error", err.text, NULL);
        unsigned long none = 0;
        if (!await(scheduler, &none, A_RETRY))
            return false;
    }
    if (job.outdated && end == MAKE_READY)
        blob_remove_unused(scheduler->daemon->writer, scheduler->daemon->blobs, &job.making.sha256, 1);
    job_tell(&job, end, clock_boot_ms() - begun_ms);
    *ret_then = A_RETRY;
    return end != MAKE_LATER;
}

static void *work(void *cls)
{
    struct slot *slot = cls;
    struct scheduler *scheduler = slot->scheduler;
    for (;;) {
        pthread_mutex_lock(&scheduler->mutex);
        unsigned long seen = scheduler->wakes;
        bool ended = scheduler->stopping;
        pthread_mutex_unlock(&scheduler->mutex);
        if (ended)
            return NULL;
        enum awaited then;
        bool found = run_one(slot, &then);
        clear_slot(slot);
        if (!found && !await(scheduler, &seen, then))
            return NULL;
    }
}

/* Jobs that a killed server did not finish */

#define LEFT_REASON "the server ended while the package was being made"

static bool recover_one(struct db *db, int64_t id, struct error *err)
{
    struct package package;
    struct log_number number;
    bool failed, found;
    if (!package_by_id(db, id, &package, &found, err) ||
        !package_crashed(db, id, LEFT_REASON, clock_utc_ms(), &failed, err) ||
        (failed && !package_event_failed(db, &package.key, LEFT_REASON, clock_utc_ms(), err)))
        return false;
    log_line(LOG_LEVEL_WARN, failed ? "package-failed" : "package-put-back", "package", log_i64(&number, id),
             "reason", LEFT_REASON, NULL);
    return true;
}

static bool recover(void *cls, struct db *db, struct error *err)
{
    (void)cls;
    int64_t *ids;
    size_t count;
    if (!package_clamp_queued(db, clock_utc_ms(), err) || !package_left(db, &ids, &count, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = recover_one(db, ids[i], err);
    free(ids);
    return ok;
}

static bool start_thread(struct scheduler *scheduler, struct error *err)
{
    struct slot *slot = &scheduler->slot[scheduler->count];
    slot->scheduler = scheduler;
    slot->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (slot->cancel_fd < 0)
        return error_set(err, ERROR_UNAVAILABLE, "out of file descriptors");
    if (!thread_start("job", work, slot, &slot->thread, err)) {
        close(slot->cancel_fd);
        return false;
    }
    return true;
}

bool scheduler_start(struct daemon *daemon, struct scheduler **ret, struct error *err)
{
    unsigned count = (unsigned)daemon->config->jobs;
    if (!writer_call(daemon->writer, recover, NULL, err))
        return false;
    struct scheduler *scheduler = calloc(1, sizeof *scheduler + count * sizeof scheduler->slot[0]);
    if (!scheduler)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    scheduler->daemon = daemon;
    pthread_mutex_init(&scheduler->mutex, NULL);
    pthread_cond_init(&scheduler->changed, NULL);
    pthread_mutex_lock(&scheduler->mutex); /* no thread uses the slots before all are set up */
    bool ok = true;
    while (ok && scheduler->count < count) {
        ok = start_thread(scheduler, err);
        scheduler->count += ok;
    }
    pthread_mutex_unlock(&scheduler->mutex);
    if (!ok) {
        scheduler_stop(scheduler);
        scheduler_free(scheduler);
        return false;
    }
    *ret = scheduler;
    return true;
}

void scheduler_wake(struct scheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->mutex);
    scheduler->wakes++;
    pthread_cond_broadcast(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->mutex);
}

void scheduler_wake_wanted(struct scheduler *scheduler)
{
    scheduler_wake(scheduler);
    pthread_mutex_lock(&scheduler->mutex);
    bool waiting = scheduler->idle > 0;
    for (unsigned i = 0; i < scheduler->count && !waiting; i++)
        if (scheduler->slot[i].background && !scheduler->slot[i].cancelled) {
            cancel(&scheduler->slot[i]);
            waiting = true;
        }
    pthread_mutex_unlock(&scheduler->mutex);
}

void scheduler_stop(struct scheduler *scheduler)
{
    if (!scheduler)
        return;
    pthread_mutex_lock(&scheduler->mutex);
    scheduler->stopping = true;
    for (unsigned i = 0; i < scheduler->count; i++)
        cancel(&scheduler->slot[i]);
    pthread_cond_broadcast(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->mutex);
    for (unsigned i = 0; i < scheduler->count; i++)
        thread_join(scheduler->slot[i].thread);
}

void scheduler_free(struct scheduler *scheduler)
{
    if (!scheduler)
        return;
    for (unsigned i = 0; i < scheduler->count; i++)
        close(scheduler->slot[i].cancel_fd);
    pthread_cond_destroy(&scheduler->changed);
    pthread_mutex_destroy(&scheduler->mutex);
    free(scheduler);
}
