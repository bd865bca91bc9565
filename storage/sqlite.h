/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Inside the SQLite driver only: what a connection is. */
#ifndef DFOTA_STORAGE_SQLITE_H
#define DFOTA_STORAGE_SQLITE_H

#include <sqlite3.h>
#include "storage/db.h"
#include "storage/seal.h"

#define SAVEPOINTS_MAX 4 /* one in another */

enum sqlite_control {
    CONTROL_BEGIN,
    CONTROL_BEGIN_READ,
    CONTROL_DATA_VERSION,
    CONTROL_COMMIT,
    CONTROL_ROLLBACK,
    CONTROL_SAVEPOINT,
    CONTROL_RELEASE,
    CONTROL_ROLLBACK_TO,
    CONTROL_COUNT
};

/* Traits of a statement. */
#define TRAIT_WRITES 1
#define TRAIT_KEPT   2
#define TRAIT_READS_FIRST                                                                                    \
    4 /* and the bits above: reads a table whose changes may be in this list: see db_defer() */

_Static_assert(TRAIT_READS_FIRST << DEFERRED_COUNT <= 1 << 8, "traits are an unsigned char");

struct sqlite_statement {
    sqlite3_stmt *handle; /* NULL: the file is of an older server */
    unsigned char traits;
    uint16_t *columns; /* that concern kept rows (sqlite_kept.c); NULL: none */
};

struct db_deferred_list {
    char *items;
    size_t count, capacity;
    size_t done; /* of these, the first that were run since they were put off */
};

struct db_savepoint {
    struct {
        size_t count, done;
    } deferred[DEFERRED_COUNT]; /* of the lists, when the savepoint began */
    bool is_set; /* a statement has written since: SQLite has it, in a transaction with savepoints */
};

struct db {
    sqlite3 *handle;
    struct file_watch *file_watch;      /* NULL: not watched; the caller's */
    struct seal *seal;                  /* NULL: there is no secret.key beside the file */
    struct sqlite_statement **prepared; /* [table][statement] */
    struct kept *kept;
    bool has_begun;   /* db_begin() was called, and the transaction was not ended by us */
    bool has_changed; /* a statement that writes ran since then */
    sqlite3_stmt *control[CONTROL_COUNT];
    struct db_deferred_list deferred[DEFERRED_COUNT];
    bool runs_deferred;
    bool is_whole; /* see db_begin_whole() */
    struct db_savepoint savepoint[SAVEPOINTS_MAX];
    unsigned savepoints;
    uint64_t changes;       /* see db_changes() */
    uint64_t image_changes; /* see db_image_changes() */
    uint64_t changes_at_begin;
    unsigned touched;       /* see db_take_touched() */
    unsigned upgraded_from; /* see db_upgraded_from() */
    bool is_reader;
    bool log_is_long; /* see db_log_is_long() */
};

/* Fills *err from SQLite's last error, with `what` in the text: a statement or a path. Returns false. */
bool sqlite_fail(struct db *db, const char *what, struct error *err);

bool sqlite_exec(struct db *db, const char *sql, struct error *err);
/* The first column of the first row, cut at `size`. Without a row it is an error. */
bool sqlite_text(struct db *db, const char *sql, char *out, size_t size, struct error *err);

/* Transactions (sqlite_transaction.c): their statements are prepared once. */
bool sqlite_prepare_transactions(struct db *db, struct error *err);
void sqlite_end_transactions(struct db *db);
bool sqlite_is_kept(const char *sql);
unsigned char sqlite_traits_of(sqlite3_stmt *statement, unsigned table);
/* Before the statement runs: works out what was put off if the statement reads that, and sets the savepoints in SQLite if
   it writes. */
bool sqlite_before(struct db *db, const struct sqlite_statement *statement, struct error *err);

/* db_rows() without what is kept. */
bool sqlite_rows(struct db *db, const struct sqlite_statement *statement, const struct db_query *query,
                 db_each *each, void *cls, struct error *err);

/* Kept rows (sqlite_kept.c). Statements are prepared between kept_begin() and kept_end(), those that are kept first. */
bool kept_begin(struct db *db, struct error *err);
void kept_begin_statement(struct db *db, bool is_kept);
bool kept_end_statement(struct db *db, struct sqlite_statement *statement, struct error *err);
void kept_end(struct db *db);
void kept_free(struct db *db);
bool kept_rows(struct db *db, const struct sqlite_statement *statement, const struct db_query *query,
               db_each *each, void *cls, struct error *err);
/* Before a statement that writes: rows that it may change are not taken from memory any more. */
void kept_changed(struct db *db, const struct sqlite_statement *statement);
void kept_all_changed(struct db *db);
/* At the begin of a transaction: another number when another connection has changed the file. */
void kept_set_data_version(struct db *db, int64_t data_version);
/* How often rows were taken from memory. */
uint64_t kept_hits(const struct db *db);

/* Applies the missing migrations in one transaction, after sqlite_keep_old(). Refuses the file of another or a newer
   dfotad. */
bool sqlite_migrate(struct db *db, struct error *err);

/* Opens the key of the database, or makes one for a database without sealed columns, and gives the migrations the
   functions mac(), seal() and seal_check(). ERROR_UNAVAILABLE: the key is missing, or belongs to another database. */
bool sqlite_open_seal(struct db *db, const char *path, struct error *err);
/* After a migration has sealed rows: rewrites the file, so that it has no old bytes of secrets. */
bool sqlite_clean_plain(struct db *db, struct error *err);
/* Whether the disk has room for so many copies of the database, and some more. */
bool sqlite_has_space(struct db *db, unsigned copies);
/* Copies the database to FILE.schema-NNN, durably, and removes such copies of other schemas. */
bool sqlite_keep_old(struct db *db, unsigned schema, struct error *err);

#endif
