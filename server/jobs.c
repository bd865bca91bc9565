#include "server/jobs.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/daemon.h"
#include "server/keep.h"
#include "server/log.h"
#include "server/make.h"
#include "server/package_note.h"
#include "server/recipe.h"
#include "server/stop_point.h"
#include "upgrade/format.h"

#define RETRY_S           10 /* after the disk was full or the database refused */

struct jobs {
    struct daemon *daemon;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned long wakes; /* counts jobs_wake(), so that none is missed between looking and waiting */
    bool stopping;
    int cancel_fd; /* readable once stopping: the children are killed */
    unsigned count;
    pthread_t thread[];
};

struct job {
    struct jobs *jobs;
    struct making making;
    bool found, failed_for_good;
    enum make_end end;
    bool outdated; /* other bytes have taken its place meanwhile, or nobody wants it any more */
};

/* Steps in the writer's thread */

static bool claim(void *cls, struct db *db, struct error *err)
{
    struct job *job = cls;
    struct making *making = &job->making;
    if (!package_claim(db, clock_utc_ms(), &making->package, &job->found, err))
        return false;
    return !job->found || !making->package.key.recipe[0] ||
           recipe_find(&making->daemon->config, db, &making->package.key, making->firmware, &making->section, err);
}

static bool set_ready(void *cls, struct db *db, struct error *err)
{
    struct job *job = cls;
    const struct making *making = &job->making;
    const struct format *format = format_find(making->package.key.format);
    bool by_dfota = !format || format->by_dfota;
    const struct package_made made = {.size_bytes = (int64_t)making->size_bytes,
                                      .sha256 = making->sha256,
                                      .origin = by_dfota ? "made" : "external",
                                      .proven = making->proven,
                                      .effort = by_dfota ? making->effort : EFFORT_NONE,
                                      .note = making->note,
                                      .log = making->log};
    int64_t now_ms = clock_utc_ms();
    return package_set_ready(db, making->package.id, &made, now_ms, err) &&
           package_note_made(db, &making->package.key, &made, now_ms, err);
}

static bool set_failed(void *cls, struct db *db, struct error *err)
{
    struct job *job = cls;
    const struct making *making = &job->making;
    job->failed_for_good = true;
    return package_set_failed(db, making->package.id, making->reason, clock_utc_ms(), err) &&
           package_keep_log(db, making->package.id, making->log, err) &&
           package_note_failed(db, &making->package.key, making->reason, clock_utc_ms(), err);
}

static bool count_crash(void *cls, struct db *db, struct error *err)
{
    struct job *job = cls;
    const struct making *making = &job->making;
    return package_crashed(db, making->package.id, making->reason, clock_utc_ms(), &job->failed_for_good, err) &&
           package_keep_log(db, making->package.id, making->log, err) &&
           (!job->failed_for_good ||
            package_note_failed(db, &making->package.key, making->reason, clock_utc_ms(), err));
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

/* What an admin has brought meanwhile, or taken away, stays as it is: the job's end is no news then. */
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

static bool store(struct job *job, enum make_end end, struct error *err)
{
    job->end = end;
    return writer_call(job->jobs->daemon->writer, conclude, job, err);
}

static void tell(const struct job *job, enum make_end end, int64_t took_ms)
{
    const struct making *making = &job->making;
    const struct package_key *key = &making->package.key;
    char from[SHA256_HEX_SIZE], to[SHA256_HEX_SIZE];
    struct log_number size, took;
    sha256_hex(&key->from, from);
    sha256_hex(&key->to, to);
    if (job->outdated)
        log_line(LOG_LEVEL_INFO, "package-outdated", "from", from, "to", to, "format", key->format, NULL);
    else if (end == MAKE_READY)
        log_line(LOG_LEVEL_INFO, "package-ready", "from", from, "to", to, "format", key->format, "size",
                 log_i64(&size, (long long)making->size_bytes), "took_ms", log_i64(&took, took_ms), "proven",
                 making->proven ? "yes" : "no", NULL);
    else
        log_line(job->failed_for_good ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
                 job->failed_for_good ? "package-failed" : "package-put-back", "from", from, "to", to,
                 "format", key->format, "reason", end == MAKE_PUT_BACK ? "the server ends" : making->reason,
                 NULL);
}

/* Threads */

/* Waits for a wake after `seen`, at most RETRY_S where that is asked for. False: it is time to end. */
static bool await(struct jobs *jobs, unsigned long *seen, bool retry)
{
    struct timespec until;
    int timed_out = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += RETRY_S;
    pthread_mutex_lock(&jobs->mutex);
    while (!jobs->stopping && !timed_out && (retry || jobs->wakes == *seen))
        timed_out = retry ? pthread_cond_clockwait(&jobs->changed, &jobs->mutex, CLOCK_MONOTONIC, &until)
                          : pthread_cond_wait(&jobs->changed, &jobs->mutex);
    *seen = jobs->wakes;
    bool go_on = !jobs->stopping;
    pthread_mutex_unlock(&jobs->mutex);
    return go_on;
}

/* One package. *ret_later: not now, though there is work. False: nothing is queued. */
static bool run_one(struct jobs *jobs, bool *ret_later)
{
    struct job job = {.jobs = jobs, .making = {.daemon = jobs->daemon, .cancel_fd = jobs->cancel_fd,
                                               .effort = EFFORT_GOOD}};
    struct error err;
    *ret_later = false;
    if (!writer_call(jobs->daemon->writer, claim, &job, &err)) {
        log_line(LOG_LEVEL_ERROR, "job-not-claimed", "error", err.text, NULL);
        *ret_later = true;
        return true;
    }
    if (!job.found)
        return false;
    stop_point("job-claimed");
    int64_t begun_ms = clock_boot_ms();
    enum make_end end = make_package(&job.making);
    while (!store(&job, end, &err)) { /* a full disk must not leave it `generating` until the next start */
        log_line(LOG_LEVEL_ERROR, "job-not-stored", "error", err.text, NULL);
        unsigned long none = 0;
        if (!await(jobs, &none, true))
            return false;
    }
    tell(&job, end, clock_boot_ms() - begun_ms);
    if (job.outdated && end == MAKE_READY)
        keep_remove_unused(jobs->daemon, &job.making.sha256, 1);
    *ret_later = end == MAKE_LATER;
    return true;
}

static void *work(void *cls)
{
    struct jobs *jobs = cls;
    unsigned long seen = 0;
    bool later = false;
    for (;;) {
        pthread_mutex_lock(&jobs->mutex);
        seen = jobs->wakes;
        bool ended = jobs->stopping;
        pthread_mutex_unlock(&jobs->mutex);
        if (ended)
            return NULL;
        bool found = run_one(jobs, &later);
        if ((later || !found) && !await(jobs, &seen, later))
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
    log_line(LOG_LEVEL_WARN, failed ? "package-failed" : "package-put-back", "package", log_i64(&number, id), "reason",
             LEFT_REASON, NULL);
    return true;
}

static bool recover(void *cls, struct db *db, struct error *err)
{
    (void)cls;
    int64_t *ids;
    size_t count;
    if (!package_left(db, &ids, &count, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = recover_one(db, ids[i], err);
    free(ids);
    return ok;
}

bool jobs_start(struct daemon *daemon, struct jobs **ret, struct error *err)
{
    unsigned count = (unsigned)daemon->config.jobs;
    if (!writer_call(daemon->writer, recover, NULL, err))
        return false;
    struct jobs *jobs = calloc(1, sizeof *jobs + count * sizeof jobs->thread[0]);
    if (!jobs)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    jobs->daemon = daemon;
    pthread_mutex_init(&jobs->mutex, NULL);
    pthread_cond_init(&jobs->changed, NULL);
    jobs->cancel_fd = eventfd(0, EFD_CLOEXEC);
    if (jobs->cancel_fd < 0) {
        free(jobs);
        return error_set(err, ERROR_UNAVAILABLE, "out of file descriptors");
    }
    for (; jobs->count < count; jobs->count++) {
        int failed = pthread_create(&jobs->thread[jobs->count], NULL, work, jobs);
        if (failed) {
            jobs_stop(jobs);
            jobs_free(jobs);
            return error_errno(err, failed, "cannot start a thread");
        }
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

void jobs_stop(struct jobs *jobs)
{
    if (!jobs)
        return;
    pthread_mutex_lock(&jobs->mutex);
    jobs->stopping = true;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->mutex);
    eventfd_write(jobs->cancel_fd, 1);
    for (unsigned i = 0; i < jobs->count; i++)
        pthread_join(jobs->thread[i], NULL);
    jobs->count = 0;
}

void jobs_free(struct jobs *jobs)
{
    if (!jobs)
        return;
    close(jobs->cancel_fd);
    pthread_cond_destroy(&jobs->changed);
    pthread_mutex_destroy(&jobs->mutex);
    free(jobs);
}
