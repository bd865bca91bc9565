/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The embedded driver: copies of a whole database, and the check of one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

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

/* Answers that are kept for repeated calls have secrets, such as a new admin token, and nobody repeats a call after a
   restore. The bytes are overwritten. */
static bool drop_answers(struct db *copy, struct error *err)
{
    char count[8];
    if (!sqlite_text(copy, "SELECT count(*) FROM sqlite_schema WHERE name = 'idempotency'", count,
                     sizeof count, err))
        return false;
    return count[0] == '0' ||
           sqlite_exec(
               copy,
               "PRAGMA secure_delete=ON; UPDATE idempotency SET answer_bytes = 0, answer_sealed = NULL "
               "WHERE answer_sealed IS NOT NULL",
               err);
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
                  sqlite_exec(&to, "PRAGMA journal_mode=DELETE", err) && drop_answers(&to, err)
            : sqlite_fail(&to, path, err);
    sqlite3_close(to.handle);
    return ok;
}

/* Before an upgrade */

#define OLD_SUFFIX     ".schema-"
#define UPGRADE_COPIES 3 /* of the database: the copy, the log of the migrations, and what they add */
#define SPARE_BYTES    (1 << 20)

static bool sync_path(const char *path, struct error *err)
{
    _cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    return (fd >= 0 && fsync(fd) == 0) || error_errno(err, errno, "cannot sync %s", path);
}

/* One copy is kept. */
static void remove_others(const char *folder, const char *prefix, const char *kept)
{
    char path[PATH_MAX];
    DIR *entries = opendir(folder);
    if (!entries)
        return;
    for (const struct dirent *entry; (entry = readdir(entries));)
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && strcmp(entry->d_name, kept) != 0 &&
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) < (int)sizeof path)
            unlink(path);
    closedir(entries);
}

bool sqlite_has_space(struct db *db, unsigned copies)
{
    struct statvfs disk;
    struct error err;
    char bytes[32];
    if (statvfs(sqlite3_db_filename(db->handle, "main"), &disk) != 0 ||
        !sqlite_text(db, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", bytes,
                     sizeof bytes, &err))
        return false;
    return (uint64_t)disk.f_bavail * disk.f_frsize >= copies * strtoull(bytes, NULL, 10) + SPARE_BYTES;
}

static bool make_old(struct db *db, const char *folder, const char *kept, struct error *err)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, kept) >= (int)sizeof path ||
        snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh)
        return error_set(err, ERROR_INVALID, "the path of the database is too long");
    unlink(fresh); /* of an upgrade that was cut off */
    unlink(path);  /* the database itself still has this schema, and may have changed since */
    if (!sqlite_has_space(db, UPGRADE_COPIES))
        error_set(err, ERROR_NO_SPACE, "the disk has less free space than %d times the database and 1 MiB",
                  UPGRADE_COPIES);
    else if (db_copy(db, fresh, err) && sync_path(fresh, err) &&
             (rename(fresh, path) == 0 || error_errno(err, errno, "cannot rename %s", fresh)))
        return sync_path(folder, err);
    unlink(fresh);
    struct error why = *err;
    return error_set(err, why.code,
                     "the database is of an older dfotad, and cannot be copied before the upgrade: %.250s. "
                     "Nothing was changed: the older dfotad can go on",
                     why.text);
}

bool sqlite_keep_old(struct db *db, unsigned schema, struct error *err)
{
    char folder[PATH_MAX], kept[NAME_MAX], prefix[NAME_MAX];
    const char *path = sqlite3_db_filename(db->handle, "main"), *name = strrchr(path, '/');
    if (!name || name - path >= (int)sizeof folder)
        return error_set(err, ERROR_INVALID, "the path of the database is too long");
    memcpy(folder, path, (size_t)(name - path));
    folder[name - path] = '\0';
    snprintf(prefix, sizeof prefix, "%s" OLD_SUFFIX, name + 1);
    if (snprintf(kept, sizeof kept, "%s%03u", prefix, schema) >= (int)sizeof kept ||
        !make_old(db, folder, kept, err))
        return false;
    remove_others(folder, prefix, kept);
    return true;
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
