#include "server/build/scheduler.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/daemon.h"
#include "server/build/job.h"
#include "server/db/blob_commit.h"
#include "server/core/log.h"
#include "server/ledger/package_event.h"
#include "server/core/stop_point.h"

#define RETRY_S 10 /* after the disk was full or the database refused */
#define SWAP_S  3  /* while smaller packages wait for transfers to end */

struct slot { /* one thread and what it does; fields behind jobs->mutex */
    struct jobs *jobs;
    pthread_t thread;
    int cancel_fd;     /* readable once its child is to be killed */
    int64_t improving; /* package, 0: none */
    bool background, cancelled;
};

struct jobs {
    struct daemon *daemon;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned long wakes; /* counts jobs_wake(), so that none is missed between looking and waiting */
    bool stopping;
    unsigned idle; /* threads that wait for a wake */
    unsigned count;
    struct slot slot[];
};

/* ---- Waiting ---- */

enum awaited { A_WAKE, A_WAKE_OR_SWAP, A_RETRY };

/* Waits for a wake after `seen`, or for time to pass. False: it is time to end. */
static bool await(struct jobs *jobs, unsigned long *seen, enum awaited what)
{
    struct timespec until;
    int timed_out = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += what == A_RETRY ? RETRY_S : SWAP_S;
    pthread_mutex_lock(&jobs->mutex);
    jobs->idle += what != A_RETRY;
    while (!jobs->stopping && !timed_out && (what == A_RETRY || jobs->wakes == *seen))
        timed_out = what == A_WAKE
                        ? pthread_cond_wait(&jobs->changed, &jobs->mutex)
                        : pthread_cond_clockwait(&jobs->changed, &jobs->mutex, CLOCK_MONOTONIC, &until);
    jobs->idle -= what != A_RETRY;
    *seen = jobs->wakes;
    bool go_on = !jobs->stopping;
    pthread_mutex_unlock(&jobs->mutex);
    return go_on;
}

/* ---- What a thread may do ---- */

/* Nothing is being done, and what was to be cancelled has been. */
static void clear_slot(struct slot *slot)
{
    eventfd_t count;
    struct jobs *jobs = slot->jobs;
    pthread_mutex_lock(&jobs->mutex);
    slot->improving = 0;
    slot->background = false;
    if (slot->cancelled && !jobs->stopping) {
        eventfd_read(slot->cancel_fd, &count);
        slot->cancelled = false;
    }
    pthread_mutex_unlock(&jobs->mutex);
}

static void cancel(struct slot *slot)
{
    if (!slot->cancelled)
        eventfd_write(slot->cancel_fd, 1);
    slot->cancelled = true;
}

/* Background has a share of the threads, one at the least. */
static bool may_begin(struct slot *slot, bool background)
{
    struct jobs *jobs = slot->jobs;
    uint64_t share = jobs->count * jobs->daemon->config.background_share / 100;
    pthread_mutex_lock(&jobs->mutex);
    uint64_t others = 0;
    for (unsigned i = 0; i < jobs->count; i++)
        others += &jobs->slot[i] != slot && jobs->slot[i].background;
    slot->background = background && others < (share > 0 ? share : 1);
    bool may = !background || slot->background;
    pthread_mutex_unlock(&jobs->mutex);
    return may;
}

static bool reserve(void *cls, int64_t package_id)
{
    struct slot *slot = cls;
    struct jobs *jobs = slot->jobs;
    bool is_free = true;
    pthread_mutex_lock(&jobs->mutex);
    for (unsigned i = 0; i < jobs->count; i++)
        is_free = is_free && jobs->slot[i].improving != package_id;
    if (is_free)
        slot->improving = package_id;
    pthread_mutex_unlock(&jobs->mutex);
    return is_free;
}

bool jobs_is_improving(struct jobs *jobs, int64_t package_id)
{
    bool found = false;
    pthread_mutex_lock(&jobs->mutex);
    for (unsigned i = 0; i < jobs->count; i++)
        found = found || jobs->slot[i].improving == package_id;
    pthread_mutex_unlock(&jobs->mutex);
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

/* One package. False: there is nothing to do, or nothing now; *ret_then says what to wait for. */
static bool run_one(struct slot *slot, enum awaited *ret_then)
{
    struct jobs *jobs = slot->jobs;
    struct job job = {.making = {.daemon = jobs->daemon, .cancel_fd = slot->cancel_fd}};
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
    enum make_end end = make_package(&job.making);
    while (
        !job_store(&job, end, &err)) { /* a full disk must not leave it `generating` until the next start */
        log_line(LOG_LEVEL_ERROR, "job-not-stored", "error", err.text, NULL);
        unsigned long none = 0;
        if (!await(jobs, &none, A_RETRY))
            return false;
    }
    if (job.outdated && end == MAKE_READY)
        keep_remove_unused(jobs->daemon, &job.making.sha256, 1);
    job_tell(&job, end, clock_boot_ms() - begun_ms);
    *ret_then = A_RETRY;
    return end != MAKE_LATER;
}

static void *work(void *cls)
{
    struct slot *slot = cls;
    struct jobs *jobs = slot->jobs;
    for (;;) {
        pthread_mutex_lock(&jobs->mutex);
        unsigned long seen = jobs->wakes;
        bool ended = jobs->stopping;
        pthread_mutex_unlock(&jobs->mutex);
        if (ended)
            return NULL;
        enum awaited then;
        bool found = run_one(slot, &then);
        clear_slot(slot);
        if (!found && !await(jobs, &seen, then))
            return NULL;
    }
}

/* What a killed server left half done */

#define LEFT_REASON "the server ended while the package was being made"

static bool recover_one(struct db *db, int64_t id, struct error *err)
{
    struct package package;
    struct log_number number;
    bool failed, found;
    if (!package_by_id(db, id, &package, &found, err) ||
        !package_crashed(db, id, LEFT_REASON, clock_utc_ms(), &failed, err) ||
        (failed && !package_note_failed(db, &package.key, LEFT_REASON, clock_utc_ms(), err)))
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

static bool start_thread(struct jobs *jobs, struct error *err)
{
    struct slot *slot = &jobs->slot[jobs->count];
    slot->jobs = jobs;
    slot->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (slot->cancel_fd < 0)
        return error_set(err, ERROR_UNAVAILABLE, "out of file descriptors");
    int failed = pthread_create(&slot->thread, NULL, work, slot);
    if (failed) {
        close(slot->cancel_fd);
        return error_errno(err, failed, "cannot start a thread");
    }
    return true;
}

bool jobs_start(struct daemon *daemon, struct jobs **ret, struct error *err)
{
    unsigned count = (unsigned)daemon->config.jobs;
    if (!writer_call(daemon->writer, recover, NULL, err))
        return false;
    struct jobs *jobs = calloc(1, sizeof *jobs + count * sizeof jobs->slot[0]);
    if (!jobs)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    jobs->daemon = daemon;
    pthread_mutex_init(&jobs->mutex, NULL);
    pthread_cond_init(&jobs->changed, NULL);
    pthread_mutex_lock(&jobs->mutex); /* nobody looks at the slots before all are there */
    bool ok = true;
    while (ok && jobs->count < count) {
        ok = start_thread(jobs, err);
        jobs->count += ok;
    }
    pthread_mutex_unlock(&jobs->mutex);
    if (!ok) {
        jobs_stop(jobs);
        jobs_free(jobs);
        return false;
    }
    *ret = jobs;
    return true;
}

void jobs_wake(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->mutex);
    jobs->wakes++;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->mutex);
}

void jobs_wake_wanted(struct jobs *jobs)
{
    jobs_wake(jobs);
    pthread_mutex_lock(&jobs->mutex);
    bool waiting = jobs->idle > 0;
    for (unsigned i = 0; i < jobs->count && !waiting; i++)
        if (jobs->slot[i].background && !jobs->slot[i].cancelled) {
            cancel(&jobs->slot[i]);
            waiting = true;
        }
    pthread_mutex_unlock(&jobs->mutex);
}

void jobs_stop(struct jobs *jobs)
{
    if (!jobs)
        return;
    pthread_mutex_lock(&jobs->mutex);
    jobs->stopping = true;
    for (unsigned i = 0; i < jobs->count; i++)
        cancel(&jobs->slot[i]);
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->mutex);
    for (unsigned i = 0; i < jobs->count; i++)
        pthread_join(jobs->slot[i].thread, NULL);
}

void jobs_free(struct jobs *jobs)
{
    if (!jobs)
        return;
    for (unsigned i = 0; i < jobs->count; i++)
        close(jobs->slot[i].cancel_fd);
    pthread_cond_destroy(&jobs->changed);
    pthread_mutex_destroy(&jobs->mutex);
    free(jobs);
}
