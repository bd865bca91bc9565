/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The embedded driver: copies of a whole database, and the check of one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "storage/sqlite.h"

#define FAULTS_SHOWN "20"

/* One step copies all pages within one read transaction. In WAL mode that blocks no other connection. */
static bool copy_pages(struct db *from, sqlite3 *to, const char *path, struct error *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from->handle, "main");
    if (backup) {
        sqlite3_backup_step(backup, -1);
        sqlite3_backup_finish(backup);
    }
    struct db target = {.handle = to};
    return sqlite3_errcode(to) == SQLITE_OK || sqlite_fail(&target, path, err);
}

bool db_copy(struct db *db, const char *path, struct error *err)
{
    struct db to = {.handle = NULL};
    /* Made here, because SQLite would make it readable for other users. */
    _cleanup_(cleanup_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, errno, "cannot make %s", path);
    bool ok =
        sqlite3_open_v2(path, &to.handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK;
    if (!to.handle)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    /* Without WAL mode, the copy can be read without files beside it. The server sets WAL mode again. */
    ok = ok ? sqlite_exec(&to, "PRAGMA synchronous=OFF", err) && copy_pages(db, to.handle, path, err) &&
                  sqlite_exec(&to, "PRAGMA journal_mode=DELETE", err)
            : sqlite_fail(&to, path, err);
    sqlite3_close(to.handle);
    return ok;
}

/* Faults */

struct report {
    void (*tell)(void *cls, const char *text);
    void *cls;
};

static int tell_page(void *cls, int count, char **text, char **names)
{
    struct report *report = cls;
    (void)names;
    if (count == 1 && text[0] && strcmp(text[0], "ok") != 0)
        report->tell(report->cls, text[0]);
    return 0;
}

static int tell_reference(void *cls, int count, char **text, char **names)
{
    struct report *report = cls;
    char line[200];
    (void)names;
    if (count < 3)
        return 0;
    snprintf(line, sizeof line, "row %s of the table %s refers to a row of the table %s that is not there",
             text[1] ? text[1] : "?", text[0] ? text[0] : "?", text[2] ? text[2] : "?");
    report->tell(report->cls, line);
    return 0;
}

bool db_check(struct db *db, void (*tell)(void *cls, const char *text), void *cls, struct error *err)
{
    static const char pages[] = "PRAGMA integrity_check(" FAULTS_SHOWN ")";
    static const char references[] = "PRAGMA foreign_key_check";
    struct report report = {tell, cls};
    if (sqlite3_exec(db->handle, pages, tell_page, &report, NULL) != SQLITE_OK)
        return sqlite_fail(db, pages, err);
    return sqlite3_exec(db->handle, references, tell_reference, &report, NULL) == SQLITE_OK ||
           sqlite_fail(db, references, err);
}
