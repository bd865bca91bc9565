#include "server/jobs.h"

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/child.h"
#include "server/daemon.h"
#include "server/log.h"
#include "server/stop_point.h"
#include "storage/package.h"

#define RETRY_S           10 /* after the disk was full or the database refused */
#define EXIT_DOES_NOT_FIT 1  /* of dfota: these inputs will never do */
#define EXIT_DISK         4  /* of dfota: the disk is full or read-only */

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
    struct package package;
    bool found;
    char workdir[PATH_MAX], made[PATH_MAX + 16];
    struct sha256 sha256; /* of what was made */
    uint64_t size_bytes;
    char reason[PACKAGE_ERROR_SIZE];
    bool failed_for_good;
};

/* What becomes of a job. */
enum end { END_READY, END_FAILED, END_CRASHED, END_PUT_BACK, END_LATER };

/* Steps in the writer's thread */

static bool claim(void *cls, struct db *db, struct error *err)
{
    struct job *job = cls;
    return package_claim(db, clock_utc_ms(), &job->package, &job->found, err);
}

static bool set_ready(void *cls, struct db *db, struct error *err)
{
    struct job *job = cls;
    const struct package_made made = {.size_bytes = (int64_t)job->size_bytes,
                                      .sha256 = job->sha256,
                                      .origin = "made",
                                      .proven = true,
                                      .effort = EFFORT_GOOD,
                                      .note = "",
                                      .log = ""};
    return package_set_ready(db, job->package.id, &made, clock_utc_ms(), err);
}

static bool set_failed(void *cls, struct db *db, struct error *err)
{
    struct job *job = cls;
    job->failed_for_good = true;
    return package_set_failed(db, job->package.id, job->reason, clock_utc_ms(), err);
}

static bool count_crash(void *cls, struct db *db, struct error *err)
{
    struct job *job = cls;
    return package_crashed(db, job->package.id, job->reason, clock_utc_ms(), &job->failed_for_good, err);
}

static bool put_back(void *cls, struct db *db, struct error *err)
{
    struct job *job = cls;
    return package_put_back(db, job->package.id, err);
}

static bool put_last(void *cls, struct db *db, struct error *err)
{
    struct job *job = cls;
    return package_put_last(db, job->package.id, clock_utc_ms(), err);
}

/* Children */

static struct child_limits limits_of(const struct config *config)
{
    return (struct child_limits){.cpu_s = config->job_cpu_s,
                                 .memory_bytes = config->job_memory_bytes,
                                 .wall_ms = config->job_wall_ms,
                                 .out_max = 2 * config->max_image_bytes + (1 << 20)};
}

/* Runs dfota; END_READY when it ended well. */
static enum end run_child(struct job *job, char *const argv[])
{
    const struct daemon *daemon = job->jobs->daemon;
    struct child_limits limits = limits_of(&daemon->config);
    struct child_outcome outcome;
    struct error err;
    if (!child_run(argv, &limits, job->jobs->cancel_fd, &outcome, &err)) {
        snprintf(job->reason, sizeof job->reason, "%.300s", err.text);
        return END_CRASHED;
    }
    if (outcome.end == CHILD_EXITED && outcome.exit_status == 0)
        return END_READY;
    if (outcome.end == CHILD_CANCELLED)
        return END_PUT_BACK;
    child_describe(&outcome, &limits, job->reason, sizeof job->reason);
    if (outcome.end == CHILD_EXITED && outcome.exit_status == EXIT_DISK)
        return END_LATER;
    bool hopeless = outcome.end == CHILD_TIMED_OUT ||
                    (outcome.end == CHILD_EXITED && outcome.exit_status == EXIT_DOES_NOT_FIT);
    return hopeless ? END_FAILED : END_CRASHED;
}

static enum end diff_and_verify(struct job *job, char *from, char *to)
{
    struct daemon *daemon = job->jobs->daemon;
    char from_hex[SHA256_HEX_SIZE], to_hex[SHA256_HEX_SIZE], most[24];
    sha256_hex(&job->package.key.from, from_hex);
    sha256_hex(&job->package.key.to, to_hex);
    snprintf(most, sizeof most, "%" PRIu64, daemon->config.max_image_bytes);
    char *dfota = daemon->config.dfota_path, *format = job->package.key.format;
    char *const diff[] = {dfota,          "diff", "--format",    format, "--expect-old", from_hex,
                          "--expect-new", to_hex, "--max-image", most,   from,           to,
                          job->made,      NULL};
    char *const verify[] = {dfota,
                            "verify",
                            "--expect-old",
                            from_hex,
                            "--expect-new",
                            to_hex,
                            "--max-output",
                            most,
                            from,
                            job->made,
                            to,
                            NULL};
    enum end end = run_child(job, diff);
    if (end == END_READY && access(job->made, R_OK) != 0) {
        snprintf(job->reason, sizeof job->reason, "dfota ended well but made no file");
        return END_FAILED;
    }
    return end == END_READY ? run_child(job, verify) : end;
}

static enum end publish(struct job *job)
{
    struct error err;
    if (blob_adopt(job->jobs->daemon->blobs, job->made, &job->sha256, &job->size_bytes, &err)) {
        stop_point("package-published");
        return END_READY;
    }
    snprintf(job->reason, sizeof job->reason, "%.300s", err.text);
    return err.code == ERROR_NO_SPACE || err.code == ERROR_UNAVAILABLE ? END_LATER : END_CRASHED;
}

/* Makes the package and publishes its blob; storage is told by the caller. */
static enum end make(struct job *job)
{
    struct daemon *daemon = job->jobs->daemon;
    char from[PATH_MAX], to[PATH_MAX];
    struct error err;
    blob_path(daemon->blobs, &job->package.key.from, from, sizeof from);
    blob_path(daemon->blobs, &job->package.key.to, to, sizeof to);
    if (!blobs_check_space(daemon->blobs, 1 << 20, &err) ||
        !blob_workdir(daemon->blobs, job->workdir, sizeof job->workdir, &err)) {
        snprintf(job->reason, sizeof job->reason, "%.300s", err.text);
        return END_LATER;
    }
    snprintf(job->made, sizeof job->made, "%s/package", job->workdir);
    enum end end = diff_and_verify(job, from, to);
    if (end == END_READY) {
        stop_point("package-written");
        end = publish(job);
    }
    blob_workdir_remove(job->workdir);
    return end;
}

static bool store(struct job *job, enum end end, struct error *err)
{
    static bool (*const steps[])(void *, struct db *, struct error *) = {
        [END_READY] = set_ready,   [END_FAILED] = set_failed, [END_CRASHED] = count_crash,
        [END_PUT_BACK] = put_back, [END_LATER] = put_last,
    };
    return writer_call(job->jobs->daemon->writer, steps[end], job, err);
}

static void tell(const struct job *job, enum end end, int64_t took_ms)
{
    char from[SHA256_HEX_SIZE], to[SHA256_HEX_SIZE];
    struct log_number size, took;
    sha256_hex(&job->package.key.from, from);
    sha256_hex(&job->package.key.to, to);
    if (end == END_READY)
        log_line(LOG_LEVEL_INFO, "package-ready", "from", from, "to", to, "format", job->package.key.format,
                 "size", log_i64(&size, (long long)job->size_bytes), "took_ms", log_i64(&took, took_ms),
                 NULL);
    else
        log_line(job->failed_for_good ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
                 job->failed_for_good ? "package-failed" : "package-put-back", "from", from, "to", to,
                 "format", job->package.key.format, "reason",
                 end == END_PUT_BACK ? "the server ends" : job->reason, NULL);
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
    struct job job = {.jobs = jobs};
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
    enum end end = make(&job);
    while (!store(&job, end, &err)) { /* a full disk must not leave it `generating` until the next start */
        log_line(LOG_LEVEL_ERROR, "job-not-stored", "error", err.text, NULL);
        unsigned long none = 0;
        if (!await(jobs, &none, true))
            return false;
    }
    tell(&job, end, clock_boot_ms() - begun_ms);
    *ret_later = end == END_LATER;
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

static bool recover(void *cls, struct db *db, struct error *err)
{
    (void)cls;
    int64_t *ids;
    size_t count;
    if (!package_left(db, &ids, &count, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        bool failed;
        struct log_number id;
        ok = package_crashed(db, ids[i], "the server ended while the package was being made", clock_utc_ms(),
                             &failed, err);
        if (ok)
            log_line(LOG_LEVEL_WARN, failed ? "package-failed" : "package-put-back", "package",
                     log_i64(&id, ids[i]), "reason", "the server ended while it was being made", NULL);
    }
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
