/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A database as it was before a migration. */
#ifndef DFOTA_TESTS_UNIT_STORAGE_TEST_STORAGE_OLD_H
#define DFOTA_TESTS_UNIT_STORAGE_TEST_STORAGE_OLD_H

#include <sqlite3.h>
#include <string.h>

#include "tests/unit/storage/test-storage.h"

static void old_run(sqlite3 *handle, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(handle, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

/* A new file with all migrations before `name`. The caller closes it. */
static sqlite3 *old_make(const char *file, const char *name)
{
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(file, &handle), SQLITE_OK);
    old_run(handle,
            "PRAGMA foreign_keys=ON; CREATE TABLE migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
            "applied_ms INTEGER NOT NULL) STRICT");
    for (unsigned i = 0; i < db_migration_count && strcmp(db_migrations[i].name, name) != 0; i++) {
        char record[100];
        snprintf(record, sizeof record, "INSERT INTO migration VALUES (%u, '%s', 1)", i + 1,
                 db_migrations[i].name);
        old_run(handle, db_migrations[i].sql);
        old_run(handle, record);
    }
    return handle;
}

#endif
