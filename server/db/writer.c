/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/db/writer.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"
#include "server/core/log.h"
#include "server/core/metrics.h"
#include "server/db/changes.h"

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define BATCH_MAX                                                                                            \
    256 /* measured: more brings no more per commit, only a longer wait for the first of them                \
         */

/* An answer in memory may differ for so long from what another process has committed. After half of this time the file is
   looked at again. No other process can commit from the begin of a transaction of the writer until its commit. */
#define LOOK_US      5000
#define ALL_THE_TIME INT64_MAX

struct writer {
    struct db *db;
    struct writer_flush flush;
    struct writer_task flush_task;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct writer_task *first, **last;
    unsigned waiting;
    bool stopping, flush_wanted;
    _Atomic bool look_wanted;
    _Atomic int64_t turned_ms; /* monotonic clock */
    _Atomic uint64_t commits;
    _Atomic int64_t
        looked_us; /* boot clock: when the file was last looked at, after which everything was noted; 0: never */
    struct changes changes;
    uint64_t kept_version; /* of db, as far as its changes are noted; writer's thread */
    _Atomic bool log_is_long;
};

struct batch {
    struct writer_task *task[BATCH_MAX];
    struct error error[BATCH_MAX];
    bool failed[BATCH_MAX];
    unsigned count;
};

/* The commit failed, or the database rolled the transaction back itself: no change of any task is stored. */
static void fail_all(struct batch *batch, const struct error *err)
{
    for (unsigned i = 0; i < batch->count; i++)
        if (!batch->failed[i]) {
            batch->failed[i] = true;
            batch->error[i] = *err;
        }
    metric_count(METRIC_COMMIT_FAILED, 1);
}

/* The next commit may change what answers depend on. */
static void note(struct writer *writer, int64_t device_id)
{
    changes_note(&writer->changes, device_id, atomic_load(&writer->commits) + 1);
}

/* What is put off until the end of a transaction is counts and rows of the ledger: no answer depends on these. */
static void note_task(struct writer *writer, const struct writer_task *task, uint64_t rows_before)
{
    if (db_rows_changed(writer->db) != rows_before && task->device_id != WRITER_NO_DEVICE)
        note(writer, task->device_id);
}

/* Rows that many devices share have changed, or another process has changed any row. */
static void note_shared(struct writer *writer)
{
    uint64_t kept_version = db_kept_version(writer->db);
    if (kept_version != writer->kept_version)
        note(writer, 0);
    writer->kept_version = kept_version;
}

/* What the task has put off is worked out before its end, so that a failure is that of the task. Tasks that can run again
   leave this to the commit. */
static void run_task(struct writer *writer, struct batch *batch, unsigned i, bool is_whole)
{
    struct error *err = &batch->error[i];
    struct writer_task *task = batch->task[i];
    uint64_t rows = db_rows_changed(writer->db);
    bool ok = db_savepoint(writer->db, err) && task->run(task, writer->db, err) &&
              (is_whole || db_run_deferred(writer->db, DEFERRED_ALL, err)) && db_release(writer->db, err);
    batch->failed[i] = !ok;
    note_task(writer, task, rows);
    if (!ok)
        db_rollback_savepoint(writer->db);
}

static bool is_repeatable(const struct batch *batch)
{
    for (unsigned i = 0; i < batch->count; i++)
        if (!batch->task[i]->repeatable)
            return false;
    return true;
}

/* In a transaction that has begun. False: nothing is stored, because the commit failed, or a task in a transaction without
   savepoints. */
static bool commit_tasks(struct writer *writer, struct batch *batch, bool is_whole, struct error *err)
{
    int64_t began_us = clock_boot_us();
    for (unsigned i = 0; i < batch->count; i++) {
        run_task(writer, batch, i, is_whole);
        if (!db_in_transaction(writer->db)) {
            *err = batch->error[i];
            db_rollback(writer->db);
            return false;
        }
    }
    note_shared(writer);
    atomic_store(&writer->looked_us, clock_boot_us());
    if (!db_commit(writer->db, err))
        return false;
    metric_count(METRIC_COMMITTED, batch->count);
    metric_time(METRIC_COMMIT_TIME, clock_boot_us() - began_us);
    return true;
}

static bool begin(struct writer *writer, bool is_whole, struct error *err)
{
    if (is_whole ? !db_begin_whole(writer->db, err) : !db_begin(writer->db, err))
        return false;
    note_shared(writer);
    atomic_store(&writer->looked_us, ALL_THE_TIME);
    return true;
}

static void commit_batch(struct writer *writer, struct batch *batch)
{
    struct error err;
    bool is_whole = is_repeatable(batch);
    while (begin(writer, is_whole, &err)) {
        if (commit_tasks(writer, batch, is_whole, &err))
            return;
        atomic_store(&writer->looked_us, 0); /* it was rolled back: others can commit */
        if (!is_whole)
            break;
        is_whole = false;
    }
    fail_all(batch, &err);
}

/* What was noted counts from now on. */
static void end_changes(struct writer *writer)
{
    note_shared(writer);
    atomic_fetch_add(&writer->commits, 1);
}

static void look(struct writer *writer)
{
    struct error unwanted;
    int64_t began_us = clock_boot_us();
    bool has_looked = db_look(writer->db, &unwanted);
    end_changes(writer);
    atomic_store(&writer->looked_us, has_looked ? began_us : 0);
}

static void tell_commit(struct writer *writer)
{
    unsigned touched = db_take_touched(writer->db);
    if (touched && writer->flush.committed)
        writer->flush.committed(writer->flush.cls, touched);
}

static void run_batch(struct writer *writer, struct batch *batch)
{
    commit_batch(writer, batch);
    atomic_store(&writer->log_is_long, db_log_is_long(writer->db));
    end_changes(writer);
    tell_commit(writer);
    for (unsigned i = 0; i < batch->count; i++)
        batch->task[i]->done(batch->task[i], batch->failed[i] ? &batch->error[i] : NULL);
}

static bool run_flush(struct writer_task *task, struct db *db, struct error *err)
{
    const struct writer *writer = container_of(task, struct writer, flush_task);
    return writer->flush.run(writer->flush.cls, db, err);
}

static void end_flush(struct writer_task *task, const struct error *err)
{
    const struct writer *writer = container_of(task, struct writer, flush_task);
    if (err)
        log_line(LOG_LEVEL_WARN, "flush-failed", "error", err->text, NULL);
    writer->flush.flushed(writer->flush.cls, !err);
}

/* True: one more task may join the transaction of this batch. */
static bool has_room(const struct batch *batch, const struct writer_task *task)
{
    return batch->count == 0 || (batch->count < BATCH_MAX && !batch->task[0]->alone && !task->alone);
}

/* Takes the waiting tasks, at most one batch. NULL: it is time to flush or to stop. */
static void take_batch(struct writer *writer, int64_t flush_at_ms, struct batch *batch)
{
    batch->count = 0;
    pthread_mutex_lock(&writer->mutex);
    for (int64_t left_ms; !writer->first && !writer->stopping && !writer->flush_wanted &&
                          !atomic_load(&writer->look_wanted) &&
                          (left_ms = flush_at_ms - clock_boot_ms()) > 0;)
        thread_wait_until(&writer->changed, &writer->mutex, clock_monotonic_ms() + left_ms);
    while (writer->first && has_room(batch, writer->first)) {
        struct writer_task *task = writer->first;
        writer->first = task->next;
        writer->waiting--;
        batch->failed[batch->count] = false;
        batch->task[batch->count++] = task;
    }
    if (!writer->first)
        writer->last = &writer->first;
    pthread_mutex_unlock(&writer->mutex);
}

static void *work(void *cls)
{
    struct writer *writer = cls;
    struct batch *batch = malloc(sizeof *batch);
    if (!batch)
        abort(); /* at start only: later, nothing could be stored */
    int64_t flush_at_ms = clock_boot_ms() + writer->flush.every_ms;
    for (bool ended = false; !ended;) {
        atomic_store(&writer->turned_ms, clock_monotonic_ms());
        take_batch(writer, flush_at_ms, batch);
        bool look_wanted = atomic_exchange(&writer->look_wanted, false);
        if (batch->count)
            run_batch(writer, batch);
        else if (look_wanted)
            look(writer);
        pthread_mutex_lock(&writer->mutex);
        ended = writer->stopping && !writer->first;
        bool flush_wanted = writer->flush_wanted;
        writer->flush_wanted = false;
        pthread_mutex_unlock(&writer->mutex);
        if (ended || flush_wanted || clock_boot_ms() >= flush_at_ms) {
            batch->count = writer->flush.run ? 1 : 0;
            batch->task[0] = &writer->flush_task;
            batch->failed[0] = false;
            run_batch(writer, batch);
            flush_at_ms = clock_boot_ms() + writer->flush.every_ms;
        }
    }
    free(batch);
    return NULL;
}

bool writer_start(struct db *db, const struct writer_flush *flush, struct writer **ret, struct error *err)
{
    struct writer *writer = calloc(1, sizeof *writer);
    if (!writer) {
        db_close(db);
        return error_set(err, ERROR_INTERNAL, "out of memory");
    }
    writer->db = db;
    writer->flush.every_ms = MINUTE_MS;
    if (flush)
        writer->flush = *flush;
    writer->flush_task =
        (struct writer_task){.run = run_flush, .done = end_flush, .device_id = WRITER_NO_DEVICE};
    writer->last = &writer->first;
    atomic_store(&writer->turned_ms, clock_monotonic_ms());
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_cond_init(&writer->changed, NULL);
    if (!thread_start("writer", work, writer, &writer->thread, err)) {
        db_close(db);
        free(writer);
        return false;
    }
    *ret = writer;
    return true;
}

void writer_add(struct writer *writer, struct writer_task *task)
{
    pthread_mutex_lock(&writer->mutex);
    task->next = NULL;
    *writer->last = task;
    writer->last = &task->next;
    writer->waiting++;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
}

unsigned writer_waiting(struct writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    unsigned waiting = writer->waiting;
    pthread_mutex_unlock(&writer->mutex);
    return waiting;
}

/* A task whose caller waits. */
struct call {
    struct writer_task task;
    writer_function *run;
    void *cls;
    void (*after)(void *cls, bool committed); /* writer's thread; may be NULL */
    struct error *err;
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    bool is_over, ok;
};

static bool run_call(struct writer_task *task, struct db *db, struct error *err)
{
    struct call *call = (struct call *)task;
    return call->run(call->cls, db, err);
}

static void end_call(struct writer_task *task, const struct error *err)
{
    struct call *call = (struct call *)task;
    if (call->after)
        call->after(call->cls, !err);
    pthread_mutex_lock(&call->mutex);
    call->ok = !err;
    if (err)
        *call->err = *err;
    call->is_over = true;
    pthread_cond_signal(&call->ended);
    pthread_mutex_unlock(&call->mutex);
}

static bool run_and_wait(struct writer *writer, struct call *call)
{
    call->task.run = run_call;
    call->task.done = end_call;
    pthread_mutex_init(&call->mutex, NULL);
    pthread_cond_init(&call->ended, NULL);
    writer_add(writer, &call->task);
    pthread_mutex_lock(&call->mutex);
    while (!call->is_over)
        pthread_cond_wait(&call->ended, &call->mutex);
    pthread_mutex_unlock(&call->mutex);
    pthread_cond_destroy(&call->ended);
    pthread_mutex_destroy(&call->mutex);
    return call->ok;
}

bool writer_call(struct writer *writer, writer_function *run, void *cls, struct error *err)
{
    struct call call = {.run = run, .cls = cls, .err = err};
    return run_and_wait(writer, &call);
}

bool writer_call_alone(struct writer *writer, writer_function *run, void *cls, struct error *err)
{
    struct call call = {.task.alone = true, .run = run, .cls = cls, .err = err};
    return run_and_wait(writer, &call);
}

void writer_flush_soon(struct writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    writer->flush_wanted = true;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
}

bool writer_flush_now(struct writer *writer, struct error *err)
{
    struct call call = {.task.alone =
                            true, /* what was added after flush.run() must not be dropped with the rest */
                        .task.device_id = WRITER_NO_DEVICE,
                        .run = writer->flush.run,
                        .cls = writer->flush.cls,
                        .after = writer->flush.flushed,
                        .err = err};
    return !writer->flush.run || run_and_wait(writer, &call);
}

int64_t writer_turned_ms(struct writer *writer)
{
    return atomic_load(&writer->turned_ms);
}

uint64_t writer_commits(struct writer *writer)
{
    return atomic_load(&writer->commits);
}

static void look_soon(struct writer *writer)
{
    if (atomic_exchange(&writer->look_wanted, true))
        return;
    pthread_mutex_lock(&writer->mutex);
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
}

bool writer_is_unchanged(struct writer *writer, int64_t device_id, uint64_t commits)
{
    int64_t age_us =
        clock_boot_us() - atomic_load(&writer->looked_us); /* first: what it saw is noted before */
    if (!changes_none_since(&writer->changes, device_id, commits))
        return false;
    if (age_us > LOOK_US / 2)
        look_soon(writer);
    return age_us < LOOK_US;
}

bool writer_log_is_long(struct writer *writer)
{
    return atomic_load(&writer->log_is_long);
}

void writer_stop(struct writer *writer)
{
    if (!writer)
        return;
    pthread_mutex_lock(&writer->mutex);
    writer->stopping = true;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
    thread_join(writer->thread);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->mutex);
    db_close(writer->db);
    free(writer);
}
