/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/backup/restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "server/backup/check.h"
#include "server/backup/copy.h"
#include "server/db/data_dir.h"
#include "storage/blob.h"
#include "storage/folder.h"
#include "storage/seal.h"

#define CHUNK (128 * 1024)

struct restore {
    struct copy copy;
    struct checked checked;
    char target[PATH_MAX / 2];    /* the data directory */
    char work[PATH_MAX / 2 + 16]; /* a folder in it, until all is there */
    struct stat owner;            /* of the data directory */
    bool made_target;
    struct blobs *blobs; /* of the backup */
    size_t missing;      /* blobs that are not in the backup */
};

/* The data directory */

static bool is_allowed(const char *name, bool was_cut)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lock") == 0 ||
           strcmp(name, "lost+found") == 0 || strcmp(name, DATA_DIR_RESTORING) == 0 ||
           (was_cut &&
            (strcmp(name, "blobs") == 0 || strcmp(name, SEAL_FILE) == 0 || strcmp(name, "signing.key") == 0));
}

static bool check_empty(const struct restore *restore, struct error *err)
{
    DIR *folder = opendir(restore->target);
    if (!folder)
        return error_errno(err, errno, "cannot read %s", restore->target);
    bool ok = true, was_cut = access(restore->work, F_OK) == 0;
    for (const struct dirent *entry; ok && (entry = readdir(folder));)
        ok = is_allowed(entry->d_name, was_cut) ||
             error_set(
                 err, ERROR_INVALID,
                 "the data directory %.200s is not empty: it has %.80s. Restore into an empty one, or move "
                 "all files away",
                 restore->target, entry->d_name);
    closedir(folder);
    return ok;
}

/* With the lock, no server can begin in the directory meanwhile. */
static bool open_target(struct restore *restore, struct data_dir *locks, struct error *err)
{
    restore->made_target = mkdir(restore->target, 0700) == 0;
    if (!restore->made_target && errno != EEXIST)
        return error_errno(err, errno, "cannot make the data directory %s", restore->target);
    if (!data_dir_lock(restore->target, locks, err) || !check_empty(restore, err))
        return false;
    if (stat(restore->target, &restore->owner) != 0)
        return error_errno(err, errno, "cannot open %s", restore->target);
    return true;
}

/* Nothing of it was used by a server: the database comes last. */
static void remove_partial(const struct restore *restore)
{
    char blobs[PATH_MAX], key[PATH_MAX];
    snprintf(blobs, sizeof blobs, "%s/blobs", restore->target);
    snprintf(key, sizeof key, "%s/signing.key", restore->target);
    if (access(restore->work, F_OK) == 0) {
        folder_remove(blobs);
        unlink(key);
    }
    folder_remove(restore->work);
}

/* Root restores for the user of the server. */
static bool give(const struct restore *restore, int fd)
{
    return geteuid() != 0 || fchown(fd, restore->owner.st_uid, restore->owner.st_gid) == 0;
}

static bool make_folder(const struct restore *restore, const char *path, struct error *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return error_errno(err, errno, "cannot make %s", path);
    _cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return (fd >= 0 && give(restore, fd)) || error_errno(err, errno, "cannot own %s", path);
}

/* Its files */

static bool put(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t written = write(fd, bytes, len);
        if (written < 0 && errno != EINTR)
            return false;
        bytes += written > 0 ? written : 0;
        len -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

/* Copies from an open file, and hashes what is written. */
static bool copy_file(const struct restore *restore, int from, const char *path, mode_t mode,
                      struct sha256 *ret, struct error *err)
{
    _cleanup_(cleanup_free) char *chunk = malloc(CHUNK);
    _cleanup_(cleanup_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (!chunk)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    if (fd < 0 || !give(restore, fd))
        return error_errno(err, errno, "cannot make %s", path);
    struct sha256_state *hash = sha256_begin();
    ssize_t got = 1;
    bool ok = true;
    while (ok && ((got = read(from, chunk, CHUNK)) > 0 || (got < 0 && errno == EINTR))) {
        sha256_add(hash, chunk, got > 0 ? (size_t)got : 0);
        ok = got < 0 || put(fd, chunk, (size_t)got);
    }
    int number = errno;
    sha256_end(hash, ret);
    if (!ok)
        return error_errno(err, number, "cannot write %s", path);
    return got == 0 || error_errno(err, number, "cannot read the bytes for %s", path);
}

static bool is_missing(const struct copy *copy, const struct sha256 *hash)
{
    for (size_t i = 0; i < copy->missing_count; i++)
        if (sha256_equal(&copy->missing[i], hash))
            return true;
    return false;
}

static bool restore_blob(struct restore *restore, const struct blob_row *row, struct error *err)
{
    char hex[SHA256_HEX_SIZE], folder[PATH_MAX], path[PATH_MAX];
    _cleanup_(cleanup_close) int fd = -1;
    struct sha256 written;
    uint64_t size;
    if (!blob_open_checked(restore->blobs, &row->sha256, &fd, &size, err)) {
        restore->missing += is_missing(&restore->copy, &row->sha256);
        return is_missing(&restore->copy, &row->sha256);
    }
    sha256_hex(&row->sha256, hex);
    snprintf(folder, sizeof folder, "%s/blobs/%.2s", restore->work, hex);
    snprintf(path, sizeof path, "%s/blobs/%.2s/%s", restore->work, hex, hex);
    if (!make_folder(restore, folder, err) || !copy_file(restore, fd, path, 0400, &written, err))
        return false;
    return sha256_equal(&written, &row->sha256) ||
           error_set(err, ERROR_CORRUPT, "the bytes for %s changed while they were copied", path);
}

static bool restore_file(struct restore *restore, const char *name, const char *as, struct error *err)
{
    char from[PATH_MAX], to[PATH_MAX];
    _cleanup_(cleanup_close) int fd = -1;
    struct sha256 hash, written;
    uint64_t size;
    copy_path(&restore->copy, name, from, sizeof from);
    snprintf(to, sizeof to, "%s/%s", restore->work, as);
    if (!blob_hash_file(from, &fd, &hash, &size, err) || !copy_file(restore, fd, to, 0600, &written, err))
        return false;
    return sha256_equal(&written, &hash) ||
           error_set(err, ERROR_CORRUPT, "the bytes for %s changed while they were copied", to);
}

/* A backup of an older server has none: then the next start makes one. */
static bool restore_signing_key(struct restore *restore, struct error *err)
{
    char path[PATH_MAX];
    copy_path(&restore->copy, "signing.key", path, sizeof path);
    return access(path, F_OK) != 0 || restore_file(restore, "signing.key", "signing.key", err);
}

static bool fill(struct restore *restore, struct error *err)
{
    char path[PATH_MAX];
    remove_partial(restore); /* of a restore that was cut off */
    snprintf(path, sizeof path, "%s/blobs", restore->work);
    if (!make_folder(restore, restore->work, err) || !make_folder(restore, path, err) ||
        !restore_file(restore, "dfota.db", "database", err) ||
        (restore->copy.has_key && !restore_file(restore, SEAL_FILE, SEAL_FILE, err)) ||
        !restore_signing_key(restore, err))
        return false;
    for (size_t i = 0; i < restore->checked.blob_count; i++)
        if (!restore_blob(restore, &restore->checked.blobs[i], err))
            return false;
    return true;
}

static bool publish_file(const struct restore *restore, const char *name, const char *as, struct error *err)
{
    char from[PATH_MAX], to[PATH_MAX];
    snprintf(from, sizeof from, "%s/%s", restore->work, name);
    snprintf(to, sizeof to, "%s/%s", restore->target, as);
    return rename(from, to) == 0 || error_errno(err, errno, "cannot rename %s", from);
}

/* All files are durable before the first gets its name; the database gets its name last. */
static bool publish(const struct restore *restore, int fd, struct error *err)
{
    char from[PATH_MAX], to[PATH_MAX];
    if (syncfs(fd) != 0)
        return error_errno(err, errno, "cannot sync %s", restore->target);
    snprintf(from, sizeof from, "%s/blobs", restore->work);
    snprintf(to, sizeof to, "%s/blobs", restore->target);
    if (rename(from, to) != 0 || fsync(fd) != 0)
        return error_errno(err, errno, "cannot rename %s", from);
    snprintf(from, sizeof from, "%s/signing.key", restore->work);
    snprintf(to, sizeof to, "%s/signing.key", restore->target);
    if (rename(from, to) != 0 && errno != ENOENT)
        return error_errno(err, errno, "cannot rename %s", from);
    if ((restore->copy.has_key && !publish_file(restore, SEAL_FILE, SEAL_FILE, err)) ||
        !publish_file(restore, "database", "dfota.db", err))
        return false;
    rmdir(restore->work);
    return fsync(fd) == 0 || error_errno(err, errno, "cannot sync %s", restore->target);
}

/* Before anything is written: all files of the copy, and the database in it. */
static bool check(struct restore *restore, struct error *err)
{
    struct findings findings = {.prints = false};
    char path[PATH_MAX];
    copy_path(&restore->copy, "dfota.db", path, sizeof path);
    if (copy_read(&restore->copy, &findings) &&
        check_database(path, &restore->copy.head, &restore->checked, &findings, err))
        return blobs_open_copy(restore->copy.store, &restore->blobs, err);
    if (findings.faults)
        *err = findings.first;
    return false;
}

static void print_done(const struct restore *restore)
{
    const struct copy *copy = &restore->copy;
    char path[PATH_MAX];
    printf("restored the backup %s, made by dfotad %s, into %s: the database and %zu files\n", copy->name,
           copy->version, restore->target, restore->checked.blob_count - restore->missing);
    if (restore->missing)
        printf(
            "%zu %s missing: damaged files are not in a backup. Packages are made again; upload missing "
            "images again, dfotad --fsck names them\n",
            restore->missing, restore->missing == 1 ? "file is" : "files are");
    copy_path(copy, "dfota.conf", path, sizeof path);
    if (copy->has_configuration)
        printf("compare the configuration of that server with yours: %s\n", path);
    puts("the admin tokens are those of that server");
}

static bool work(struct restore *restore, struct error *err)
{
    struct data_dir locks = DATA_DIR_CLOSED;
    bool ok = open_target(restore, &locks, err);
    if (ok) {
        ok = fill(restore, err) && publish(restore, locks.directory_fd, err);
        if (!ok)
            remove_partial(restore);
    }
    if (!ok && restore->made_target)
        rmdir(restore->target);
    data_dir_close(&locks);
    return ok;
}

bool restore_run(const char *data_dir, const char *backup, struct error *err)
{
    struct restore restore = {.missing = 0};
    if (snprintf(restore.target, sizeof restore.target, "%s", data_dir) >= (int)sizeof restore.target)
        return error_set(err, ERROR_INVALID, "the path of the data directory is too long");
    snprintf(restore.work, sizeof restore.work, "%s/" DATA_DIR_RESTORING, data_dir);
    umask(077);
    bool ok = copy_find(backup, &restore.copy, NULL, err) && check(&restore, err) && work(&restore, err);
    if (ok)
        print_done(&restore);
    blobs_close(restore.blobs);
    checked_free(&restore.checked);
    copy_free(&restore.copy);
    return ok;
}
