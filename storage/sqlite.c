/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The embedded driver: SQLite in WAL mode, synchronous=FULL. Connections and transactions. */
#include "storage/sqlite.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "storage/wal.h"

#define LONG_LOG_PAGES  1000 /* SQLite's default */
#define BUSY_TIMEOUT_MS 5000 /* another process holds the file, such as a backup by hand */

/* Why I/O failed; 0: not known. After a failed commit only the write-ahead log knows. */
static int last_errno(struct db *db)
{
    sqlite3_file *log = NULL;
    int number = sqlite3_system_errno(db->handle);
    if (!number &&
        sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK && log &&
        log->pMethods)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &number);
    return number;
}

bool sqlite_fail(struct db *db, const char *what, struct error *err)
{
    int code = sqlite3_errcode(db->handle) & 0xFF;
    /* When the disk is full for the files beside the database, SQLite calls that an I/O error. */
    if (code == SQLITE_IOERR || code == SQLITE_CANTOPEN) {
        error_errno(err, last_errno(db), "database: %s: %s", what, sqlite3_errmsg(db->handle));
        if (err->code != ERROR_NO_SPACE)
            err->code = ERROR_UNAVAILABLE;
        return false;
    }
    enum error_code kind = code == SQLITE_FULL                               ? ERROR_NO_SPACE
                           : code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? ERROR_CORRUPT
                           : code == SQLITE_READONLY || code == SQLITE_BUSY || code == SQLITE_PERM
                               ? ERROR_UNAVAILABLE
                               : ERROR_INTERNAL;
    return error_set(err, kind, "database: %s: %s", what, sqlite3_errmsg(db->handle));
}

bool sqlite_exec(struct db *db, const char *sql, struct error *err)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK || sqlite_fail(db, sql, err);
}

bool sqlite_text(struct db *db, const char *sql, char *out, size_t size, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL) != SQLITE_OK)
        return sqlite_fail(db, sql, err);
    int step = sqlite3_step(statement);
    bool ok = step == SQLITE_ROW;
    if (ok)
        snprintf(out, size, "%s", (const char *)sqlite3_column_text(statement, 0));
    else
        sqlite_fail(db, sql, err);
    sqlite3_finalize(statement);
    return ok;
}

/* Changes of the tables that plans depend on */

static unsigned sort_of(const char *table)
{
    static const struct {
        const char *table;
        unsigned sort;
    } sorts[] = {
        {"attempt", DB_TOUCHED_DEVICES},  {"campaign", DB_TOUCHED_CAMPAIGNS}, {"device", DB_TOUCHED_DEVICES},
        {"firmware", DB_TOUCHED_IMAGES},  {"image", DB_TOUCHED_IMAGES},       {"ledger", DB_TOUCHED_LEDGER},
        {"outbox", DB_TOUCHED_WEBHOOKS},  {"package", DB_TOUCHED_PACKAGES},   {"unknown", DB_TOUCHED_UNKNOWN},
        {"webhook", DB_TOUCHED_WEBHOOKS},
    };
    for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++)
        if (strcmp(table, sorts[i].table) == 0)
            return sorts[i].sort;
    return 0;
}

static void count_change(void *cls, int operation, const char *database, const char *table, sqlite3_int64 row)
{
    struct db *db = cls;
    bool images = strcmp(table, "image") == 0 || strcmp(table, "firmware") == 0;
    (void)operation, (void)database, (void)row;
    db->touched |= sort_of(table);
    db->image_changes += images;
    db->changes += images || strcmp(table, "package") == 0 || strcmp(table, "package_release") == 0 ||
                   strcmp(table, "quarantine") == 0;
}

uint64_t db_changes(const struct db *db)
{
    return db->changes;
}

uint64_t db_rows_changed(const struct db *db)
{
    return (uint64_t)sqlite3_total_changes64(db->handle);
}

uint64_t db_image_changes(const struct db *db)
{
    return db->image_changes;
}

unsigned db_take_touched(struct db *db)
{
    unsigned touched = db->touched;
    db->touched = 0;
    return touched;
}

/* Open and close */

/* Compares the indexes with their tables too: the server uses indexes to decide which files it removes
   from the disk. Measured: 1.4 s for 200,000 devices and a million attempts. */
static bool check_whole(struct db *db, struct error *err)
{
    char text[200];
    if (!sqlite_text(db, "PRAGMA integrity_check(1)", text, sizeof text, err))
        return false;
    const char *line = strchr(text, '\n'); /* the first line is a heading */
    return strcmp(text, "ok") == 0 || error_set(err, ERROR_CORRUPT, "%s", line ? line + 1 : text);
}

static bool prepare_one(struct db *db, unsigned table, unsigned number, bool lenient, struct error *err)
{
    struct sqlite_statement *statement = &db->prepared[table][number];
    const char *sql = db_tables[table]->sql[number];
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement->handle, NULL) !=
            SQLITE_OK &&
        !(lenient && (sqlite3_errcode(db->handle) & 0xFF) == SQLITE_ERROR))
        return sqlite_fail(db, sql, err);
    statement->traits = sqlite_traits_of(statement->handle, table);
    if ((statement->traits & TRAIT_KEPT) && statement->traits >= TRAIT_READS_FIRST)
        return error_set(err, ERROR_INTERNAL, "a statement is kept that reads what may be put off: %.200s",
                         sql);
    return kept_end_statement(db, statement, err);
}

static bool allocate_statements(struct db *db, struct error *err)
{
    db->prepared = calloc(db_table_count, sizeof *db->prepared);
    bool ok = db->prepared;
    for (unsigned t = 0; ok && t < db_table_count; t++) {
        db->prepared[t] = calloc(db_tables[t]->count, sizeof *db->prepared[t]);
        ok = db->prepared[t];
    }
    return ok || error_set(err, ERROR_INTERNAL, "out of memory");
}

/* A copy of an older server lacks tables and columns: `lenient` leaves out the statements that need them. Statements that
   are kept come first: the others are asked whether they change what these read. */
static bool prepare_all(struct db *db, bool lenient, struct error *err)
{
    if (!allocate_statements(db, err) || !kept_begin(db, err))
        return false;
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned t = 0; t < db_table_count; t++)
            for (unsigned s = 0; s < db_tables[t]->count; s++) {
                bool is_kept = sqlite_is_kept(db_tables[t]->sql[s]);
                kept_begin_statement(db, is_kept);
                if (is_kept == (pass == 0) && !prepare_one(db, t, s, lenient, err))
                    return false;
            }
    kept_end(db);
    return true;
}

/* Before SQLite starts. Each savepoint keeps the pages that it changes, to undo them. SQLite writes them into a file from 64 KB
   on: for the batches of the writer a third of its processor time. -1: never. And SQLite counts its memory, under a lock that
   all threads share. dfotad does not read these counts. */
static void configure_sqlite(void)
{
    sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static bool open_file(const char *path, int flags, struct db **ret, struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_sqlite);
    struct db *db = calloc(1, sizeof *db);
    if (!db) {
        error_set(err, ERROR_INTERNAL, "out of memory");
        return false;
    }
    if (sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        if (db->handle)
            sqlite_fail(db, path, err);
        else
            error_set(err, ERROR_INTERNAL, "out of memory");
        db_close(db);
        return false;
    }
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    if (!sqlite_prepare_transactions(db, err)) {
        db_close(db);
        return false;
    }
    *ret = db;
    return true;
}

static bool explain_damage(const char *path, struct error *err)
{
    struct error damage = *err;
    return error_set(
        err, ERROR_CORRUPT,
        "the database %s is damaged: %.140s. It was not changed: put a backup in its place, or "
        "save what can be read with: sqlite3 FILE .dump | sed 's/^ROLLBACK.*/COMMIT;/' | sqlite3 NEW",
        path, damage.text);
}

/* When a connection closes, SQLite moves the write-ahead log into the file. That must not happen before
   both are known to be whole. */
static bool keep_log_apart(struct db *db, bool apart, struct error *err)
{
    return sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, apart, NULL) == SQLITE_OK ||
           sqlite_fail(db, "checkpoint on close", err);
}

static bool set_up(struct db *db, const char *path, struct error *err)
{
    char mode[16] = "";
    return keep_log_apart(db, true, err) &&
           sqlite_text(db, "PRAGMA journal_mode=WAL", mode, sizeof mode, err) &&
           (strcmp(mode, "wal") == 0 ||
            error_set(err, ERROR_UNAVAILABLE, "database: this file system does not support WAL mode (got %s)",
                      mode)) &&
           sqlite_exec(db, "PRAGMA synchronous=FULL", err) &&
           sqlite_exec(db, "PRAGMA foreign_keys=ON", err) && check_whole(db, err) &&
           keep_log_apart(db, false, err) && sqlite_open_seal(db, path, err) && sqlite_migrate(db, err) &&
           sqlite_clean_plain(db, err) && prepare_all(db, false, err);
}

/* After each commit, with the pages of the write-ahead log. Does what SQLite does without this hook. */
static int end_commit(void *cls, sqlite3 *handle, const char *name, int pages)
{
    struct db *db = cls;
    db->log_is_long = pages >= LONG_LOG_PAGES;
    if (db->log_is_long)
        sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK;
}

bool db_log_is_long(const struct db *db)
{
    return db->log_is_long;
}

bool db_open_writer(const char *path, struct db **ret, struct error *err)
{
    struct db *db = NULL;
    if (wal_check(path, err) && open_file(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db, err) &&
        set_up(db, path, err)) {
        sqlite3_update_hook(db->handle, count_change, db);
        sqlite3_wal_hook(db->handle, end_commit, db);
        *ret = db;
        return true;
    }
    db_close(db);
    return err->code == ERROR_CORRUPT ? explain_damage(path, err) : false;
}

bool db_open_reader(const char *path, struct db **ret, struct error *err)
{
    struct db *db;
    if (!open_file(path, SQLITE_OPEN_READWRITE, &db, err))
        return false;
    if (!sqlite_exec(db, "PRAGMA query_only=ON", err) || !seal_open(path, &db->seal, err) ||
        !prepare_all(db, false, err)) {
        db_close(db);
        return false;
    }
    db->is_reader = true;
    *ret = db;
    return true;
}

bool db_is_reader(const struct db *db)
{
    return db->is_reader;
}

/* Without a log beside it, no process has the file open. Then it can be read without creating other files. */
static bool has_log(const char *path)
{
    char log[PATH_MAX];
    struct stat info;
    return snprintf(log, sizeof log, "%s-wal", path) < (int)sizeof log && stat(log, &info) == 0;
}

bool db_open_copy(const char *path, struct db **ret, struct error *err)
{
    char encoded[3 * PATH_MAX], uri[sizeof encoded + 32];
    struct db *db = NULL;
    if (!slice_percent_encode(slice_of(path), encoded, sizeof encoded))
        return error_set(err, ERROR_INVALID, "the path of the database is too long");
    snprintf(uri, sizeof uri, "file:%s?%s", encoded, has_log(path) ? "mode=ro" : "mode=ro&immutable=1");
    if (!open_file(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, &db, err))
        return false;
    if (!seal_open(path, &db->seal, err) || !prepare_all(db, true, err)) {
        db_close(db);
        return false;
    }
    *ret = db;
    return true;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    for (unsigned t = 0; db->prepared && t < db_table_count; t++) {
        for (unsigned s = 0; db->prepared[t] && s < db_tables[t]->count; s++) {
            sqlite3_finalize(db->prepared[t][s].handle);
            free(db->prepared[t][s].columns);
        }
        free(db->prepared[t]);
    }
    free(db->prepared);
    kept_free(db);
    sqlite_end_transactions(db);
    sqlite3_close(db->handle);
    seal_free(db->seal);
    free(db);
}

void db_watch(struct db *db, struct file_watch *file_watch)
{
    db->file_watch = file_watch;
}
