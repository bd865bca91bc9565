/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A small SQL driver interface: connections, prepared statements, typed parameters and results, transactions.

   Each entity has one file with its table of statements; all are prepared when a connection opens, so a
   schema that does not fit stops the start. Statements use $1, $2, … numbered in order of first appearance. A
   connection belongs to one thread at a time. One connection writes (the writer thread's); the others only
   read. */
#ifndef DFOTA_STORAGE_DB_H
#define DFOTA_STORAGE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/sha256.h"
#include "base/slice.h"

struct db;
struct file_watch;

/* The statements of one entity; `number` is its place in the connection's cache (see db_tables in
 * statements.c). */
struct db_table {
    const char *name;
    const char *const *sql;
    unsigned count;
    unsigned number;
};

struct db_value { /* a parameter */
    enum { DB_NULL, DB_INT, DB_TEXT, DB_BYTES } type;
    int64_t number;
    struct slice bytes;
};

struct db_field { /* where a result column goes; a NULL column gives 0, "" or a zero hash, and false in
                     *is_set */
    enum { DB_TO_INT, DB_TO_TEXT, DB_TO_HASH, DB_TO_BYTES } type;
    void *to;
    size_t size;  /* of a text buffer; longer text is cut at a UTF-8 border */
    bool *is_set; /* may be NULL */
};

#define P_INT(value)          ((struct db_value){DB_INT, (int64_t)(value), {NULL, 0}})
#define P_TEXT(value)         ((struct db_value){DB_TEXT, 0, slice_of(value)})
#define P_SLICE(value)        ((struct db_value){DB_TEXT, 0, (value)})
#define P_HASH(value)         ((struct db_value){DB_BYTES, 0, {(const char *)(value)->byte, SHA256_SIZE}})
#define P_BYTES(value)        ((struct db_value){DB_BYTES, 0, (value)})
#define P_NULL                ((struct db_value){DB_NULL, 0, {NULL, 0}})
#define P_INT_OR_NULL(value)  ((value) ? P_INT(value) : P_NULL)
#define P_TEXT_OR_NULL(value) ((value)[0] ? P_TEXT(value) : P_NULL)

#define F_INT(target)          ((struct db_field){DB_TO_INT, (target), 0, NULL})
#define F_INT_SET(target, set) ((struct db_field){DB_TO_INT, (target), 0, (set)})
#define F_TEXT(array)          ((struct db_field){DB_TO_TEXT, (array), sizeof(array), NULL})
#define F_HASH(target)         ((struct db_field){DB_TO_HASH, (target), 0, NULL})
/* A struct slice, the caller's (free); ptr NULL when memory is gone. For one row: another would leave it behind. */
#define F_BYTES(target)         ((struct db_field){DB_TO_BYTES, (target), 0, NULL})
#define F_HASH_SET(target, set) ((struct db_field){DB_TO_HASH, (target), 0, (set)})

#define PARAMS(...)                                                                                          \
    (const struct db_value[]){__VA_ARGS__},                                                                  \
        sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)
#define FIELDS(...)                                                                                          \
    (const struct db_field[]){__VA_ARGS__},                                                                  \
        sizeof((const struct db_field[]){__VA_ARGS__}) / sizeof(struct db_field)
#define NO_PARAMS NULL, 0
#define NO_FIELDS NULL, 0

/* Opens for writing: creates the file, applies missing migrations, checks the file whole (ERROR_CORRUPT says
 * what to do). */
bool db_open_writer(const char *path, struct db **ret, struct error *err);
/* Opens for reading; the file must have been opened by a writer before. */
bool db_open_reader(const char *path, struct db **ret, struct error *err);
/* Opens a file that no server need have opened, such as a backup, perhaps on a read-only disk; writes nothing. */
bool db_open_copy(const char *path, struct db **ret, struct error *err);
/* From now on no transaction begins, and none is called durable, unless these files are where they were: else what is
   committed would be lost. `file_watch` is the caller's. */
void db_watch(struct db *db, struct file_watch *file_watch);
void db_close(struct db *db); /* NULL is fine */

/* ERROR_NO_SPACE when the disk is full, ERROR_CORRUPT for a damaged file, ERROR_UNAVAILABLE when it is
   read-only, locked or gone, else ERROR_INTERNAL. */
bool db_begin(struct db *db, struct error *err);
bool db_commit(struct db *db,
               struct error *err); /* durable when true; when false rolled back, or in files that are gone */
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db); /* false too when a failed statement rolled it back by itself */
bool db_savepoint(struct db *db, struct error *err);
bool db_release(struct db *db, struct error *err);
void db_rollback_savepoint(struct db *db);

/* Runs a statement that gives at most one row that matters. */
bool db_row(struct db *db, const struct db_table *table, unsigned statement, const struct db_value *params,
            size_t param_count, const struct db_field *fields, size_t field_count, bool *ret_found,
            struct error *err) __attribute__((warn_unused_result));
/* Runs a statement without results; ret_changes may be NULL. */
bool db_do(struct db *db, const struct db_table *table, unsigned statement, const struct db_value *params,
           size_t param_count, int64_t *ret_changes, struct error *err) __attribute__((warn_unused_result));
/* Calls each(cls) with the fields filled for every row; it returns false to stop. No other statement of this
   table may be the same one meanwhile. */
bool db_rows(struct db *db, const struct db_table *table, unsigned statement, const struct db_value *params,
             size_t param_count, const struct db_field *fields, size_t field_count, bool (*each)(void *cls),
             void *cls, struct error *err) __attribute__((warn_unused_result));

/* All rows as an array: `fields` point into *row (row_size bytes), which is copied for each. `ret_rows` is
   the address of a pointer to such rows; it is then the caller's (free), NULL when there are none. */
bool db_list(struct db *db, const struct db_table *table, unsigned statement, const struct db_value *params,
             size_t param_count, const struct db_field *fields, size_t field_count, const void *row,
             size_t row_size, void *ret_rows, size_t *ret_count, struct error *err)
    __attribute__((warn_unused_result));
int64_t db_last_id(const struct db *db); /* of the row inserted last */

/* A number that grows whenever this connection changes a row of firmware, images or packages, and again when such a
   change is taken back. While it stays, what was concluded from those tables over this connection still holds. */
uint64_t db_changes(const struct db *db);
/* The same without packages, of which there are many more and which change far more often. */
uint64_t db_image_changes(const struct db *db);

/* Every table of statements (statements.c); tests walk it. */
extern const struct db_table *const db_tables[];
extern const unsigned db_table_count;
/* Migrations of this driver in order, embedded (made from storage/schema/ by the build). */
struct db_migration {
    const char *name;
    const char *sql;
};
extern const struct db_migration db_migrations[];
extern const unsigned db_migration_count;

#endif
