/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A small SQL driver interface: connections, prepared statements, typed parameters and results,
   transactions.

      Each entity has one file with its table of statements. All statements are prepared when a connection
   opens, so the server does not start with a schema that does not fit. Parameters are $1, $2, … or $name;
   they are numbered in the order of their first appearance. A connection belongs to one thread at a time.
   One connection writes (that of the writer's thread); the others only read. */
#ifndef DFOTA_STORAGE_DB_H
#define DFOTA_STORAGE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/enum_names.h"
#include "base/error.h"
#include "base/sha256.h"
#include "base/slice.h"

struct db;
struct file_watch;

/* The statements of one entity. `number` is the index of this table in db_tables. */
struct db_table {
    const char *name;
    const char *const *sql;
    unsigned count;
    unsigned number;
};

struct db_value { /* a parameter */
    enum { DB_NULL, DB_INT, DB_TEXT, DB_BYTES, DB_SEALED, DB_MAC } type;
    int64_t number;
    struct slice bytes;
};

struct db_field { /* where a result column goes; NULL gives 0, false, "" or a zero hash */
    enum {
        DB_TO_INT,
        DB_TO_INT_OR_UNKNOWN,
        DB_TO_BOOL,
        DB_TO_ENUM,
        DB_TO_TEXT,
        DB_TO_HASH,
        DB_TO_BYTES,
        DB_TO_SEALED,
        DB_TO_SEALED_BYTES
    } type;
    void *to;
    size_t size;                    /* of a text buffer; longer text is cut at a UTF-8 border */
    const struct enum_names *names; /* of an enum; another text is ERROR_CORRUPT */
};

#define P_INT(value)         ((struct db_value){DB_INT, (int64_t)(value), {NULL, 0}})
#define P_TEXT(value)        ((struct db_value){DB_TEXT, 0, slice_of(value)})
#define P_HASH(value)        P_BYTES(((struct slice){(const char *)(value)->byte, SHA256_SIZE}))
#define P_BYTES(value)       ((struct db_value){DB_BYTES, 0, (value)})
#define P_ENUM(value, names) P_TEXT(enum_name(names, value)) /* `names`: a struct enum_names * */
/* A text as sealed bytes, and its keyed hash (storage/seal.h). */
#define P_SEALED(value)       ((struct db_value){DB_SEALED, 0, slice_of(value)})
#define P_SEALED_BYTES(value) ((struct db_value){DB_SEALED, 0, (value)})
#define P_MAC(value)          ((struct db_value){DB_MAC, 0, slice_of(value)})
#define P_NULL                ((struct db_value){DB_NULL, 0, {NULL, 0}})
#define P_INT_OR_NULL(value)  ((value) ? P_INT(value) : P_NULL)
/* For numbers of which 0 is one: NULL is DB_UNKNOWN. */
#define DB_UNKNOWN                   (-1)
#define P_INT_OR_UNKNOWN(value)      ((value) != DB_UNKNOWN ? P_INT(value) : P_NULL)
#define P_TEXT_OR_NULL(value)        ((value)[0] ? P_TEXT(value) : P_NULL)
#define P_SEALED_OR_NULL(value)      ((value)[0] ? P_SEALED(value) : P_NULL)
#define P_HASH_OR_NULL(value)        (sha256_is_zero(value) ? P_NULL : P_HASH(value))
#define P_ENUM_OR_NULL(value, names) ((value) ? P_ENUM(value, names) : P_NULL)

#define F_INT(target)            ((struct db_field){DB_TO_INT, (target), 0, NULL})
#define F_INT_OR_UNKNOWN(target) ((struct db_field){DB_TO_INT_OR_UNKNOWN, (target), 0, NULL})
#define F_BOOL(target)           ((struct db_field){DB_TO_BOOL, (target), 0, NULL})
#define F_ENUM(target, names)    ((struct db_field){DB_TO_ENUM, (target), sizeof *(target), (names)})
#define F_TEXT(array)            ((struct db_field){DB_TO_TEXT, (array), sizeof(array), NULL})
/* The text of P_SEALED(). ERROR_UNAVAILABLE: there is no key; ERROR_CORRUPT: it was sealed with another one. */
#define F_SEALED(array) ((struct db_field){DB_TO_SEALED, (array), sizeof(array), NULL})
#define F_HASH(target)  ((struct db_field){DB_TO_HASH, (target), 0, NULL})
/* A struct slice; its bytes are the caller's (free). ptr is NULL when memory is gone. Only for statements
   that give one row: the bytes of the row before would leak. */
#define F_BYTES(target) ((struct db_field){DB_TO_BYTES, (target), 0, NULL})

/* The same for bytes of P_SEALED_BYTES(); NULL gives ptr NULL. */
#define F_SEALED_BYTES(target) ((struct db_field){DB_TO_SEALED_BYTES, (target), 0, NULL})

/* Two initialisers each: an array and its length. */
#define PARAMS(...)                                                                                          \
    (const struct db_value[]){__VA_ARGS__},                                                                  \
        sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)
#define FIELDS(...)                                                                                          \
    (const struct db_field[]){__VA_ARGS__},                                                                  \
        sizeof((const struct db_field[]){__VA_ARGS__}) / sizeof(struct db_field)
#define NO_PARAMS NULL, 0
#define NO_FIELDS NULL, 0

struct db_query { /* one statement with its parameters, and where its results go */
    const struct db_table *table;
    unsigned statement;
    const struct db_value *params;
    size_t param_count;
    const struct db_field *fields;
    size_t field_count;
};

/* A query of the entity's own file, which has its table under the name `statements` (DB_TABLE in
   entities.h). */
#define QUERY(statement, ...)                                                                                \
    (&(const struct db_query){statements, (statement), __VA_ARGS__})     /* PARAMS(), FIELDS() */
#define COMMAND(statement, ...) QUERY(statement, __VA_ARGS__, NO_FIELDS) /* PARAMS(); no results */

/* Opens for writing: creates the file and the key beside it, checks the whole file (the text of ERROR_CORRUPT says what
   to do), applies missing migrations. Before these, a file with an older schema NNN is copied to PATH.schema-NNN, and
   older such copies are removed. ERROR_UNAVAILABLE: the key is missing, or belongs to another database. */
bool db_open_writer(const char *path, struct db **ret, struct error *err);
/* The schema that the file had before this connection applied migrations; 0: it applied none, or the file is new. */
unsigned db_upgraded_from(const struct db *db);
/* Opens for reading. A writer must have opened the file before. */
bool db_open_reader(const char *path, struct db **ret, struct error *err);
bool db_is_reader(const struct db *db);
/* Opens a file that no server has open, such as a backup, also of an older server. The disk may be read-only.
   Writes nothing. In the file of an older server, a query of a later table or column is ERROR_INTERNAL. */
bool db_open_copy(const char *path, struct db **ret, struct error *err);

/* Makes a consistent copy of the whole database in the new file `path`, readable for this user only. Other
   connections can write meanwhile. The copy is not durable. After an error a part of it may be there. */
bool db_copy(struct db *db, const char *path, struct error *err) __attribute__((warn_unused_result));
/* Checks all pages, indexes and references, and calls `tell` with a sentence for each fault (the first 20 of
   pages and indexes). False: the file cannot be read. */
bool db_check(struct db *db, void (*tell)(void *cls, const char *text), void *cls, struct error *err)
    __attribute__((warn_unused_result));
/* Whether the key beside the file is the one with which its secrets were sealed. ERROR_UNAVAILABLE says what is wrong. */
bool db_check_seal(struct db *db, struct error *err) __attribute__((warn_unused_result));
/* The number of migrations in the file. ERROR_UNAVAILABLE: another or a newer dfotad wrote the file. */
bool db_check_schema(struct db *db, unsigned *ret_number, struct error *err)
    __attribute__((warn_unused_result));
/* From now on a transaction begins, and counts as durable, only while these files are where they were.
   Else what is committed would be lost. `file_watch` is the caller's. */
void db_watch(struct db *db, struct file_watch *file_watch);
void db_close(struct db *db); /* NULL is fine */

/* ERROR_NO_SPACE when the disk is full, ERROR_CORRUPT for a damaged file, ERROR_UNAVAILABLE when the file is
   read-only, locked or gone, else ERROR_INTERNAL. */
bool db_begin(struct db *db, struct error *err);
/* As db_begin(), for a transaction that can be done again. SQLite gets no savepoints, which cost a copy of each page that a
   task changes. So a rollback to a savepoint after a write ends the whole transaction: db_in_transaction() tells. */
bool db_begin_whole(struct db *db, struct error *err);
/* For reading: all statements until db_rollback() see the database as it is at the first one. */
bool db_begin_read(struct db *db, struct error *err);
/* True: the changes are durable. False: they were rolled back, or are in files that are gone. */
bool db_commit(struct db *db, struct error *err);
void db_rollback(struct db *db);
/* After a commit of the writer: the write-ahead log is so long that SQLite begins it anew at the next commit. SQLite can do this
   only when no snapshot of a reader is open. */
bool db_log_is_long(const struct db *db);
bool db_in_transaction(const struct db *db); /* also false after a statement failed and SQLite rolled back */
/* Inside of a transaction. SQLite gets the savepoint with the first statement that writes after this call. */
bool db_savepoint(struct db *db, struct error *err);
bool db_release(struct db *db, struct error *err);
void db_rollback_savepoint(struct db *db);

/* What follows from the changes of a transaction can be worked out once, before the commit, and not after each change.
   An entity puts an item off with db_defer(), and `run` gets all items of the transaction. No caller sees the difference: a
   statement that reads one of these tables runs what was put off first, and the items of a savepoint that is rolled
   back are forgotten. `run` may get an item again. Outside of a transaction it runs at once. */
struct db_deferral {
    unsigned entity;           /* its number in db_tables; its own statements do not run what was put off */
    const char *const *tables; /* that `run` changes; the last one is NULL */
    size_t size;               /* of an item */
    size_t most;               /* items that wait: then they are run */
    bool (*run)(struct db *db, void *items, size_t count, struct error *err);
};
enum db_deferred { DEFERRED_FLEET, DEFERRED_LEDGER, DEFERRED_BUDGETS, DEFERRED_COUNT };
extern const struct db_deferral *const db_deferrals[DEFERRED_COUNT]; /* storage/statements.c */
bool db_defer(struct db *db, enum db_deferred which, const void *item, struct error *err)
    __attribute__((warn_unused_result));
/* Returns the last waiting item for which `is` returns true, or NULL. The item is valid until the next call of db_defer() or
   db_run_deferred(). */
const void *db_find_deferred(const struct db *db, enum db_deferred which,
                             bool (*is)(const void *item, const void *key), const void *key);
/* Runs what was put off now, of these lists: 1 << DEFERRED_…. After an error nothing of it is stored. */
#define DEFERRED_ALL ((1u << DEFERRED_COUNT) - 1)
bool db_run_deferred(struct db *db, unsigned lists, struct error *err) __attribute__((warn_unused_result));

/* Called for each row of a result; returns false to stop. */
typedef bool db_each(void *cls);

/* Runs a query that gives at most one row. */
bool db_row(struct db *db, const struct db_query *query, bool *ret_found, struct error *err)
    __attribute__((warn_unused_result));
/* Runs a query without results. ret_changes may be NULL. */
bool db_do(struct db *db, const struct db_query *query, int64_t *ret_changes, struct error *err)
    __attribute__((warn_unused_result));
/* Fills the fields and calls each(cls) for every row. `each` must not run the same statement. */
bool db_rows(struct db *db, const struct db_query *query, db_each *each, void *cls, struct error *err)
    __attribute__((warn_unused_result));
/* All rows as an array. The fields of the query point into *row (row_size bytes), which is copied for each
   row. `ret_rows` is the address of a pointer to such rows; the array is the caller's (free), NULL when
   there are no rows. */
bool db_list(struct db *db, const struct db_query *query, const void *row, size_t row_size, void *ret_rows,
             size_t *ret_count, struct error *err) __attribute__((warn_unused_result));
int64_t db_last_id(const struct db *db); /* of the row inserted last */

/* Whether two rows would be stored alike: `a` and `b` are their parameters. */
bool db_values_equal(const struct db_value *a, const struct db_value *b, size_t count);

/* A number that grows when this connection changes or rolls back a row of firmware, images or packages.
   While it stays the same, what was concluded from these tables over this connection still holds. */
uint64_t db_changes(const struct db *db);
/* The same without packages. There are many more packages, and they change far more often. */
uint64_t db_image_changes(const struct db *db);
/* A number that grows when rows that are kept in memory (KEPT) may have changed: over this connection, or over another one, as
   far as the last db_begin() or db_look() has seen. */
uint64_t db_kept_version(const struct db *db);
/* Outside of a transaction: looks whether another connection has changed the file, and whether the file is in its place. */
bool db_look(struct db *db, struct error *err) __attribute__((warn_unused_result));
/* The rows that this connection has changed since it was opened, with those that were rolled back. */
uint64_t db_rows_changed(const struct db *db);

/* Sorts of rows that a console shows. */
enum {
    DB_TOUCHED_LEDGER = 1,
    DB_TOUCHED_IMAGES = 2, /* and firmwares */
    DB_TOUCHED_PACKAGES = 4,
    DB_TOUCHED_DEVICES = 8, /* and attempts */
    DB_TOUCHED_CAMPAIGNS = 16,
    DB_TOUCHED_UNKNOWN = 32, /* what devices sent and the server refused */
    DB_TOUCHED_WEBHOOKS = 64 /* and their events */
};
/* What this connection has touched since the last call, also what was rolled back. */
unsigned db_take_touched(struct db *db);

/* Every table of statements (statements.c). Tests walk through it. */
extern const struct db_table *const db_tables[];
extern const unsigned db_table_count;
/* Migrations of this driver in order, embedded (the build makes them from storage/schema/). */
struct db_migration {
    const char *name;
    const char *sql;
};
extern const struct db_migration db_migrations[];
extern const unsigned db_migration_count;

#endif
