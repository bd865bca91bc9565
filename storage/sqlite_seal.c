/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The embedded driver: the key of the sealed columns, and the functions mac() and seal() for the migration that
   seals what older servers stored as it was. */
#include <stdlib.h>

#include "storage/sqlite.h"

static struct slice text_of(sqlite3_value *value)
{
    const char *text = (const char *)sqlite3_value_text(value);
    return (struct slice){text ? text : "", (size_t)sqlite3_value_bytes(value)};
}

static void run_mac(sqlite3_context *context, int count, sqlite3_value **values)
{
    char mac[SEAL_MAC_SIZE];
    (void)count;
    seal_mac(sqlite3_user_data(context), text_of(values[0]), mac);
    sqlite3_result_text(context, mac, -1, SQLITE_TRANSIENT);
}

static void run_seal(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct error err;
    (void)count;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL)
        return; /* NULL */
    const struct slice text = text_of(values[0]);
    uint8_t *sealed = malloc(text.len + SEAL_EXTRA);
    if (!sealed)
        sqlite3_result_error_nomem(context);
    else if (seal_close(sqlite3_user_data(context), text, sealed, &err))
        sqlite3_result_blob64(context, sealed, text.len + SEAL_EXTRA, SQLITE_TRANSIENT);
    else
        sqlite3_result_error(context, err.text, -1);
    free(sealed);
}

static void run_check(sqlite3_context *context, int count, sqlite3_value **values)
{
    char check[SEAL_MAC_SIZE];
    (void)count, (void)values;
    seal_check_value(sqlite3_user_data(context), check);
    sqlite3_result_text(context, check, -1, SQLITE_TRANSIENT);
}

static bool add_functions(struct db *db, struct error *err)
{
    return (sqlite3_create_function(db->handle, "mac", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY, db->seal, run_mac,
                                    NULL, NULL) == SQLITE_OK &&
            sqlite3_create_function(db->handle, "seal", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY, db->seal,
                                    run_seal, NULL, NULL) == SQLITE_OK &&
            sqlite3_create_function(db->handle, "seal_check", 0, SQLITE_UTF8 | SQLITE_DIRECTONLY, db->seal,
                                    run_check, NULL, NULL) == SQLITE_OK) ||
           sqlite_fail(db, "functions", err);
}

/* "": the database has no sealed columns yet. */
static bool stored_check(struct db *db, char out[SEAL_MAC_SIZE], struct error *err)
{
    char there[8];
    out[0] = '\0';
    if (!sqlite_text(db, "SELECT count(*) FROM sqlite_master WHERE name = 'secret_key'", there, sizeof there,
                     err))
        return false;
    return there[0] == '0' ||
           sqlite_text(db, "SELECT coalesce(max(check_value), '') FROM secret_key", out, SEAL_MAC_SIZE, err);
}

bool db_check_seal(struct db *db, struct error *err)
{
    char stored[SEAL_MAC_SIZE], ours[SEAL_MAC_SIZE];
    if (!stored_check(db, stored, err))
        return false;
    if (!stored[0])
        return true;
    if (!db->seal)
        return error_set(err, ERROR_UNAVAILABLE,
                         "the file " SEAL_FILE
                         " beside the database is missing: without it the links and the "
                         "secrets in the database cannot be read. Put it back from a backup");
    seal_check_value(db->seal, ours);
    return strcmp(stored, ours) == 0 ||
           error_set(err, ERROR_UNAVAILABLE,
                     "the file " SEAL_FILE " does not belong to this database: put back the " SEAL_FILE
                     " of the same backup");
}

bool sqlite_open_seal(struct db *db, const char *path, struct error *err)
{
    if (!seal_open(path, &db->seal, err) || !db_check_seal(db, err))
        return false;
    return (db->seal || seal_make(path, &db->seal, err)) && add_functions(db, err);
}

#define CLEANING_COPIES 2 /* of the database: a temporary file, and the log */

/* The migration has sealed the rows, but their old bytes are still in free parts of the file and in the log. A full
   disk does not stop the start: the next one tries again. */
bool sqlite_clean_plain(struct db *db, struct error *err)
{
    char left[8];
    if (!sqlite_text(db, "SELECT count(*) FROM secret_key WHERE cleaned = 0", left, sizeof left, err))
        return false;
    if (left[0] == '0')
        return true;
    /* The migration has filled the log: its space is needed now. */
    if (!sqlite_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", err))
        return false;
    if (!sqlite_has_space(db, CLEANING_COPIES) || !sqlite_exec(db, "VACUUM", err))
        return sqlite_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", err);
    return sqlite_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", err) &&
           sqlite_exec(db, "UPDATE secret_key SET cleaned = 1", err);
}
