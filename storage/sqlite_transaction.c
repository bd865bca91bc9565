/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Transactions, savepoints, and what is put off until the end of a transaction. */
#include <stdlib.h>
#include <string.h>

#include "storage/columns.h"
#include "storage/file_watch.h"
#include "storage/sqlite.h"

static const char *const control_sql[CONTROL_COUNT] = {
    [CONTROL_BEGIN] = "BEGIN IMMEDIATE",
    [CONTROL_BEGIN_READ] = "BEGIN",
    [CONTROL_DATA_VERSION] = "PRAGMA data_version",
    [CONTROL_COMMIT] = "COMMIT",
    [CONTROL_ROLLBACK] = "ROLLBACK",
    [CONTROL_SAVEPOINT] = "SAVEPOINT task",
    [CONTROL_RELEASE] = "RELEASE task",
    [CONTROL_ROLLBACK_TO] = "ROLLBACK TO task",
};

bool sqlite_prepare_transactions(struct db *db, struct error *err)
{
    for (unsigned i = 0; i < CONTROL_COUNT; i++)
        if (sqlite3_prepare_v3(db->handle, control_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &db->control[i],
                               NULL) != SQLITE_OK)
            return sqlite_fail(db, control_sql[i], err);
    return true;
}

void sqlite_end_transactions(struct db *db)
{
    for (unsigned i = 0; i < CONTROL_COUNT; i++)
        sqlite3_finalize(db->control[i]);
    for (unsigned i = 0; i < DEFERRED_COUNT; i++)
        free(db->deferred[i].items);
}

static bool run_control(struct db *db, enum sqlite_control which, struct error *err)
{
    bool ok = sqlite3_step(db->control[which]) == SQLITE_DONE || sqlite_fail(db, control_sql[which], err);
    sqlite3_reset(db->control[which]);
    return ok;
}

/* Begins to read, and asks whether another connection has changed the file since. */
static bool look_at_file(struct db *db, struct error *err)
{
    sqlite3_stmt *statement = db->control[CONTROL_DATA_VERSION];
    bool ok =
        sqlite3_step(statement) == SQLITE_ROW || sqlite_fail(db, control_sql[CONTROL_DATA_VERSION], err);
    if (ok)
        kept_set_data_version(db, sqlite3_column_int64(statement, 0));
    sqlite3_reset(statement);
    return ok;
}

/* What is put off */

/* The lists whose tables the statement reads. */
static unsigned lists_of(const char *sql, unsigned entity)
{
    unsigned lists = 0;
    for (unsigned i = 0; i < DEFERRED_COUNT; i++)
        for (const char *const *table = db_deferrals[i]->tables; *table; table++)
            if (entity != db_deferrals[i]->entity && strstr(sql, *table))
                lists |= 1u << i;
    return lists;
}

bool sqlite_is_kept(const char *sql)
{
    return strncmp(sql, KEPT, strlen(KEPT)) == 0;
}

unsigned char sqlite_traits_of(sqlite3_stmt *statement, unsigned table)
{
    if (!statement)
        return 0;
    const char *sql = sqlite3_sql(statement);
    unsigned char traits = sqlite3_stmt_readonly(statement) ? 0 : TRAIT_WRITES;
    if (sqlite_is_kept(sql))
        traits |= TRAIT_KEPT;
    return (unsigned char)(traits | lists_of(sql, table) * TRAIT_READS_FIRST);
}

/* Of these lists, those with items. */
static unsigned lists_waiting(const struct db *db, unsigned lists)
{
    for (unsigned i = 0; i < DEFERRED_COUNT; i++)
        if (db->deferred[i].count == db->deferred[i].done)
            lists &= ~(1u << i);
    return lists;
}

static bool run_lists(struct db *db, unsigned lists, struct error *err)
{
    for (unsigned i = 0; i < DEFERRED_COUNT; i++) {
        const struct db_deferred_list *list = &db->deferred[i];
        if ((lists & 1u << i) && !db_deferrals[i]->run(db, list->items + list->done * db_deferrals[i]->size,
                                                       list->count - list->done, err))
            return false;
    }
    return true;
}

/* All or nothing, so that a caller that ignores the error cannot commit a half of it. */
static bool run_or_take_back(struct db *db, unsigned lists, struct error *err)
{
    if (!db_in_transaction(db))
        return run_lists(db, lists, err);
    if (!db_savepoint(db, err))
        return false;
    if (run_lists(db, lists, err) && db_release(db, err))
        return true;
    db_rollback_savepoint(db);
    return false;
}

bool db_run_deferred(struct db *db, unsigned lists, struct error *err)
{
    lists = lists_waiting(db, lists);
    if (db->runs_deferred || !lists)
        return true;
    db->runs_deferred = true;
    bool ok = run_or_take_back(db, lists, err);
    db->runs_deferred = false;
    if (!ok)
        return false;
    /* A rollback to the savepoint takes back what was just worked out for the items before it. So these stay. */
    for (unsigned i = 0; i < DEFERRED_COUNT; i++) {
        struct db_deferred_list *list = &db->deferred[i];
        if (lists & 1u << i)
            list->done = list->count =
                db->savepoints ? db->savepoint[db->savepoints - 1].deferred[i].count : 0;
    }
    return true;
}

static bool put_off(struct db_deferred_list *list, const void *item, size_t size, struct error *err)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        char *items = reallocarray(list->items, capacity, size);
        if (!items)
            return error_set(err, ERROR_INTERNAL, "out of memory");
        list->items = items;
        list->capacity = capacity;
    }
    memcpy(list->items + list->count++ * size, item, size);
    return true;
}

bool db_defer(struct db *db, enum db_deferred which, const void *item, struct error *err)
{
    struct db_deferred_list *list = &db->deferred[which];
    if (db->is_reader || db->runs_deferred)
        return error_set(err, ERROR_INTERNAL,
                         "nothing can be put off by a reader, or while this is worked out");
    if (!put_off(list, item, db_deferrals[which]->size, err))
        return false;
    if (db_in_transaction(db))
        return list->count - list->done < db_deferrals[which]->most || db_run_deferred(db, 1u << which, err);
    bool ok = db_run_deferred(db, 1u << which, err);
    list->count = list->done = 0;
    return ok;
}

const void *db_find_deferred(const struct db *db, enum db_deferred which,
                             bool (*is)(const void *item, const void *key), const void *key)
{
    const struct db_deferred_list *list = &db->deferred[which];
    for (size_t i = list->count; i > list->done; i--) {
        const void *item = list->items + (i - 1) * db_deferrals[which]->size;
        if (is(item, key))
            return item;
    }
    return NULL;
}

/* Begin and end */

static bool is_in_place(const struct db *db, struct error *err)
{
    return !db->file_watch || file_watch_check(db->file_watch, err);
}

static void forget_all(struct db *db)
{
    for (unsigned i = 0; i < DEFERRED_COUNT; i++)
        db->deferred[i].count = db->deferred[i].done = 0;
    db->savepoints = 0;
    db->has_changed = db->has_begun = db->is_whole = false;
}

bool db_begin(struct db *db, struct error *err)
{
    if (!is_in_place(db, err) || !run_control(db, CONTROL_BEGIN, err))
        return false;
    if (db->has_changed) /* SQLite has rolled back the transaction before, and nobody has called db_rollback() */
        kept_all_changed(db);
    forget_all(db);
    db->changes_at_begin = db->changes;
    db->has_begun = true;
    if (look_at_file(db, err))
        return true;
    db_rollback(db);
    return false;
}

bool db_look(struct db *db, struct error *err)
{
    return is_in_place(db, err) && look_at_file(db, err);
}

bool db_begin_whole(struct db *db, struct error *err)
{
    if (!db_begin(db, err))
        return false;
    db->is_whole = true;
    return true;
}

bool db_begin_read(struct db *db, struct error *err)
{
    if (!run_control(db, CONTROL_BEGIN_READ, err))
        return false;
    if (look_at_file(db, err))
        return true;
    db_rollback(db);
    return false;
}

bool db_commit(struct db *db, struct error *err)
{
    bool ok = db_run_deferred(db, DEFERRED_ALL, err);
    if (ok && run_control(db, CONTROL_COMMIT, err)) {
        forget_all(db);
        return is_in_place(db,
                           err); /* after the commit, so that a file removed before the commit is noticed */
    }
    db_rollback(db);
    return false;
}

/* SQLite does not call the hook for a rollback. So each rollback of a transaction with changes counts as a
   change. */
static void count_rollback(struct db *db)
{
    if (db->has_changed)
        kept_all_changed(db);
    if (db->changes == db->changes_at_begin)
        return;
    db->changes++;
    db->image_changes++;
}

void db_rollback(struct db *db)
{
    struct error unwanted;
    count_rollback(db);
    forget_all(db);
    if (db_in_transaction(db))
        (void)!run_control(db, CONTROL_ROLLBACK, &unwanted);
}

bool db_in_transaction(const struct db *db)
{
    return !sqlite3_get_autocommit(db->handle);
}

/* After some errors SQLite rolls back by itself. Then the next statement would begin a transaction of its own. */
static bool is_still_open(const struct db *db, struct error *err)
{
    return !db->has_begun || db_in_transaction(db) ||
           error_set(err, ERROR_UNAVAILABLE, "database: the transaction was rolled back after an error");
}

/* Savepoints */

static bool set_savepoints(struct db *db, struct error *err)
{
    for (unsigned i = 0; i < db->savepoints; i++) {
        if (db->savepoint[i].is_set)
            continue;
        if (!db->is_whole && !run_control(db, CONTROL_SAVEPOINT, err))
            return false;
        db->savepoint[i].is_set = true;
    }
    return true;
}

bool sqlite_before(struct db *db, const struct sqlite_statement *statement, struct error *err)
{
    if (!is_still_open(db, err) ||
        !db_run_deferred(db, statement->traits / TRAIT_READS_FIRST & DEFERRED_ALL, err))
        return false;
    if (!(statement->traits & TRAIT_WRITES) || db->is_reader) /* SQLite refuses what a reader writes */
        return true;
    db->has_changed = true;
    kept_changed(db, statement);
    return set_savepoints(db, err);
}

bool db_savepoint(struct db *db, struct error *err)
{
    if (!db_in_transaction(db) || db->savepoints == SAVEPOINTS_MAX)
        return error_set(err, ERROR_INTERNAL, "a savepoint outside of a transaction, or one too many");
    struct db_savepoint *savepoint = &db->savepoint[db->savepoints++];
    for (unsigned i = 0; i < DEFERRED_COUNT; i++) {
        savepoint->deferred[i].count = db->deferred[i].count;
        savepoint->deferred[i].done = db->deferred[i].done;
    }
    savepoint->is_set = false;
    return true;
}

bool db_release(struct db *db, struct error *err)
{
    return is_still_open(db, err) && (db->savepoints == 0 || !db->savepoint[--db->savepoints].is_set ||
                                      db->is_whole || run_control(db, CONTROL_RELEASE, err));
}

void db_rollback_savepoint(struct db *db)
{
    struct error unwanted;
    if (db->savepoints == 0)
        return;
    const struct db_savepoint *savepoint = &db->savepoint[--db->savepoints];
    for (unsigned i = 0; i < DEFERRED_COUNT; i++) {
        db->deferred[i].count = savepoint->deferred[i].count;
        db->deferred[i].done = savepoint->deferred[i].done;
    }
    if (!savepoint->is_set) /* nothing was written since */
        return;
    count_rollback(db);
    if (!db_in_transaction(db))
        return;
    if (db->is_whole)
        (void)!run_control(db, CONTROL_ROLLBACK, &unwanted);
    else if (run_control(db, CONTROL_ROLLBACK_TO, &unwanted))
        (void)!run_control(db, CONTROL_RELEASE, &unwanted);
}
