/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The writer: one thread, one connection, group commit.

   Whoever wants to change something adds a task. Tasks that wait together share one transaction, each in a
   savepoint of its own: one that fails takes back only its own changes. After the commit is durable each is
   told. */
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

struct writer_task { /* part of a struct of the caller, which lives until done() */
    writer_task_function *run;
    writer_task_done *done;
    struct writer_task *next; /* the writer's */
    bool alone;               /* in a transaction of its own */
};

/* Takes over `db`. `flush` (may be NULL) runs in the writer's thread in a transaction of its own about once
   in flush_every_ms and once more at the end: for counts that need not be durable at once. When its
   transaction is not committed it is called again later, so it must forget only on flushed(…, true). */
struct writer_flush {
    writer_function *run;
    void (*flushed)(void *cls, bool committed);
    void *cls;
    int64_t every_ms;
};

bool writer_start(struct db *db, const struct writer_flush *flush, struct writer **ret, struct error *err);
void writer_add(struct writer *writer, struct writer_task *task); /* any thread but not after writer_stop */
/* Adds a task and waits for it: for workers and jobs, never for a loop's thread or the writer's own. */
bool writer_call(struct writer *writer, writer_function *run, void *cls, struct error *err)
    __attribute__((warn_unused_result));
/* The same in a transaction of its own: for what also changes files, which no rollback brings back. It sees only what
   is durable. */
bool writer_call_alone(struct writer *writer, writer_function *run, void *cls, struct error *err)
    __attribute__((warn_unused_result));
/* What `flush` holds back is stored when this returns true, so that whoever reads next sees it. As
 * writer_call(). */
bool writer_flush_now(struct writer *writer, struct error *err) __attribute__((warn_unused_result));
void writer_stop(
    struct writer *writer); /* runs what is queued, flushes, closes the connection; NULL is fine */

#endif
