/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The embedded driver: which schema a file has, and the migrations to the present one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "storage/sqlite.h"

static bool apply_migration(struct db *db, unsigned number, const struct db_migration *migration,
                            struct error *err)
{
    char record[160];
    snprintf(record, sizeof record,
             "INSERT INTO migration (number, name, applied_ms) VALUES (%u, '%s', %lld)", number,
             migration->name, (long long)clock_utc_ms());
    return sqlite_exec(db, migration->sql, err) && sqlite_exec(db, record, err);
}

/* All or nothing: an upgrade that is cut off leaves the schema of the older dfotad, which can go on. */
static bool apply_all(struct db *db, unsigned done, struct error *err)
{
    /* Some builds of SQLite do not let a migration change the text of a table else. */
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    if (!db_begin(db, err))
        return false;
    for (unsigned number = done + 1; number <= db_migration_count; number++)
        if (!apply_migration(db, number, &db_migrations[number - 1], err)) {
            db_rollback(db);
            return false;
        }
    return db_commit(db, err);
}

/* A database of another branch may have as many migrations, but others. */
static bool check_migrations(struct db *db, unsigned done, struct error *err)
{
    char sql[120], name[64];
    for (unsigned number = 1; number <= done && number <= db_migration_count; number++) {
        const char *ours = db_migrations[number - 1].name;
        snprintf(sql, sizeof sql,
                 "SELECT coalesce((SELECT name FROM migration WHERE number = %u), 'nothing')", number);
        if (!sqlite_text(db, sql, name, sizeof name, err))
            return false;
        if (strcmp(name, ours) != 0)
            return error_set(
                err, ERROR_UNAVAILABLE,
                "the database was written by another dfotad: its migration %u is %s, here it is %s; "
                "install the version that wrote it",
                number, name, ours);
    }
    return true;
}

static bool read_schema(struct db *db, unsigned *ret, struct error *err)
{
    char text[32];
    if (!sqlite_text(db, "SELECT coalesce(max(number), 0) FROM migration", text, sizeof text, err))
        return false;
    *ret = (unsigned)strtoul(text, NULL, 10);
    return true;
}

bool db_check_schema(struct db *db, unsigned *ret_number, struct error *err)
{
    if (!read_schema(db, ret_number, err) || !check_migrations(db, *ret_number, err))
        return false;
    return *ret_number <= db_migration_count ||
           error_set(
               err, ERROR_UNAVAILABLE,
               "the database was written by a newer dfotad (schema %u, this one knows %u): install that version",
               *ret_number, db_migration_count);
}

bool sqlite_migrate(struct db *db, struct error *err)
{
    unsigned done;
    if (!sqlite_exec(db,
                     "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                     "applied_ms INTEGER NOT NULL) STRICT",
                     err) ||
        !db_check_schema(db, &done, err))
        return false;
    if (done == db_migration_count)
        return true;
    if (done > 0 && !sqlite_keep_old(db, done, err))
        return false;
    db->upgraded_from = done;
    return apply_all(db, done, err);
}

unsigned db_upgraded_from(const struct db *db)
{
    return db->upgraded_from;
}
