/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The writer: one thread, one connection, group commit.

   Each change is a task. Tasks that wait together share one transaction, and a task that fails rolls back only its own
   changes: each has a savepoint. When all of them can run again, they run without savepoints first, and again with savepoints
   when one has failed. Each task is told when the commit is durable. */
#ifndef DFOTA_SERVER_DB_WRITER_H
#define DFOTA_SERVER_DB_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "storage/db.h"

struct writer;

/* Runs in the writer's thread, in a transaction of the writer. False: its changes are rolled back. */
typedef bool writer_function(void *cls, struct db *db, struct error *err);

struct writer_task;

/* Writer's thread, in the transaction. False: the task's changes are rolled back. */
typedef bool writer_task_function(struct writer_task *task, struct db *db, struct error *err);
/* Writer's thread, after the commit. err NULL: the changes are durable. */
typedef void writer_task_done(struct writer_task *task, const struct error *err);

struct writer_task { /* part of a struct of the caller that lives until done() */
    writer_task_function *run;
    writer_task_done *done;
    struct writer_task *next; /* for the writer */
    bool alone;               /* in a transaction of its own */
    /* run() may be called again after its changes were rolled back. What it keeps in memory must be right then too. */
    bool repeatable;
    /* run() may set this: of the rows of devices, the task changes only those of this device. WRITER_NO_DEVICE: only counts and
       times that no answer depends on. 0: it may change rows of any device. */
    int64_t device_id;
};

#define WRITER_NO_DEVICE (-1)

/* For counts that need not be durable at once. `run` has a transaction of its own, about once in every_ms
   and once more at the end. Without a commit it is called again later: it may forget its counts only in
   flushed(…, true). Writer's thread. */
struct writer_flush {
    writer_function *run;
    void (*flushed)(void *cls, bool committed);
    void *cls;
    int64_t every_ms;
    /* May be NULL. After each commit that touched a row of these sorts (DB_TOUCHED_…); must be quick. Writer's thread. */
    void (*committed)(void *cls, unsigned touched);
};

unsigned writer_waiting(struct writer *writer); /* tasks that are not begun; any thread */
/* Takes over `db`. `flush` may be NULL. */
bool writer_start(struct db *db, const struct writer_flush *flush, struct writer **ret, struct error *err);
void writer_add(struct writer *writer, struct writer_task *task); /* any thread, not after writer_stop() */
/* Adds a task and waits for it. For workers and jobs, never for a loop's thread or the writer's thread. */
bool writer_call(struct writer *writer, writer_function *run, void *cls, struct error *err)
    __attribute__((warn_unused_result));
/* As writer_call(), in a transaction of its own that sees only durable rows. For tasks that also change
   files: a rollback does not bring a file back. */
bool writer_call_alone(struct writer *writer, writer_function *run, void *cls, struct error *err)
    __attribute__((warn_unused_result));
/* Flushes soon, and not only after every_ms: there is little room for more counts. Any thread. */
void writer_flush_soon(struct writer *writer);
/* When this returns true, the counts of `flush` are stored and the next reader sees them. Threads as for
   writer_call(). */
bool writer_flush_now(struct writer *writer, struct error *err) __attribute__((warn_unused_result));
/* When the writer began its last turn, monotonic clock. It turns at least once in every_ms of its flush, except when a
   transaction takes longer. Any thread. */
int64_t writer_turned_ms(struct writer *writer);
/* Has grown before a task is told of its commit. Any thread. */
uint64_t writer_commits(struct writer *writer);
/* True: an answer for this device that was decided at this number of commits is still right, because no commit since then has
   changed anything that the answer may depend on. A commit of another process is noticed at most 5 ms later. When the writer
   has not looked for such commits in these 5 ms, this returns false, and the writer looks soon. Any thread. */
bool writer_is_unchanged(struct writer *writer, int64_t device_id, uint64_t commits);
/* See db_log_is_long(). Any thread. */
bool writer_log_is_long(struct writer *writer);
void writer_stop(
    struct writer *writer); /* runs the queued tasks, flushes, closes the connection; NULL is fine */

#endif
