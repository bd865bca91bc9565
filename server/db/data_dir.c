/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/db/data_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "server/db/leftovers.h"

#define DATABASE "dfota.db"

/* Makes the name of the directory durable: else a power cut could remove it with all its files. */
static bool make_directory(const char *directory, struct error *err)
{
    char above[PATH_MAX];
    if (mkdir(directory, 0700) != 0)
        return errno == EEXIST || error_errno(err, errno, "cannot make the data directory %s", directory);
    if (snprintf(above, sizeof above, "%s/..", directory) >= (int)sizeof above)
        return error_set(err, ERROR_INVALID, "the path of the data directory is too long");
    _cleanup_(cleanup_close) int fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return error_errno(err, errno, "cannot sync %s", above);
    return true;
}

/* Against a second server: three locks, because each single one can be avoided. */

static bool lock(int fd, const char *directory, struct error *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return error_set(err, ERROR_UNAVAILABLE, "another dfotad works on the data directory %s", directory);
    return error_errno(err, errno, "cannot lock the data directory %s", directory);
}

/* The lock on the directory holds under each of its names, and the directory cannot be
       deleted while a server works in it. Network file systems cannot lock directories
   (EBADF). */
static bool lock_directory(const char *directory, struct data_dir *data, struct error *err)
{
    data->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (data->directory_fd < 0)
        return error_errno(err, errno, "cannot open the data directory %s", directory);
    if (flock(data->directory_fd, LOCK_SH | LOCK_NB) != 0 && errno == EBADF)
        return true;
    return lock(data->directory_fd, directory, err);
}

#define MAKE (O_RDWR | O_CREAT) /* else O_RDONLY: a missing file needs no lock */

/* An older dfotad knows only this lock. */
static bool lock_file(const char *directory, int flags, struct data_dir *data, struct error *err)
{
    data->lock_fd = openat(data->directory_fd, "lock", flags | O_CLOEXEC, 0600);
    if (data->lock_fd < 0 && errno == ENOENT && flags != MAKE)
        return true;
    if (data->lock_fd < 0)
        return error_errno(err, errno, "cannot open %s/lock", directory);
    return lock(data->lock_fd, directory, err);
}

/* The same database can be linked into two directories. The file is made here, because SQLite would make
   it readable for other users. */
static bool lock_database(const char *directory, int flags, struct data_dir *data, struct error *err)
{
    data->database_fd = openat(data->directory_fd, DATABASE, flags | O_CLOEXEC, 0600);
    if (data->database_fd < 0 && errno == ENOENT && flags != MAKE)
        return true;
    if (data->database_fd < 0)
        return error_errno(err, errno, "cannot open %s/" DATABASE, directory);
    return lock(data->database_fd, directory, err);
}

/* Against other users */

static bool is_private(const char *name)
{
    static const char *const names[] = {"lock",  "admin.token", "secret.key", "signing.key",
                                        "blobs", "incoming",    "suffix"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strncmp(name, DATABASE, strlen(DATABASE)) == 0; /* its log files, and copies of it */
}

static bool tighten(int directory_fd, const char *directory, const char *name, struct error *err)
{
    struct stat info;
    if (fstatat(directory_fd, name, &info, 0) != 0 || !(info.st_mode & 077) ||
        fchmodat(directory_fd, name, info.st_mode & 0700, 0) == 0)
        return true;
    error_errno(
        err, errno,
        "other users may read or change %s/%s, and that cannot be ended: give it to the user that dfotad runs as (chown)",
        directory, name);
    err->code = ERROR_UNAVAILABLE;
    return false;
}

static bool make_private(const char *directory, struct error *err)
{
    bool ok = true;
    DIR *folder = opendir(directory);
    if (!folder)
        return error_errno(err, errno, "cannot read %s", directory);
    for (const struct dirent *entry; ok && (entry = readdir(folder));)
        if (is_private(entry->d_name))
            ok = tighten(dirfd(folder), directory, entry->d_name, err);
    closedir(folder);
    return ok;
}

static bool has_database(int directory_fd)
{
    struct stat info;
    return fstatat(directory_fd, DATABASE, &info, 0) == 0 && (!S_ISREG(info.st_mode) || info.st_size > 0);
}

bool data_dir_open(const char *directory, struct data_dir *ret, struct error *err)
{
    return make_directory(directory, err) && lock_directory(directory, ret, err) &&
           lock_file(directory, MAKE, ret, err) &&
           (has_database(ret->directory_fd) || leftovers_refuse(directory, err)) &&
           lock_database(directory, MAKE, ret, err) && make_private(directory, err);
}

bool data_dir_lock(const char *directory, struct data_dir *ret, struct error *err)
{
    return lock_directory(directory, ret, err) && lock_file(directory, O_RDONLY, ret, err) &&
           lock_database(directory, O_RDONLY, ret, err);
}

void data_dir_close(struct data_dir *data)
{
    cleanup_close(&data->database_fd);
    cleanup_close(&data->lock_fd);
    cleanup_close(&data->directory_fd);
    *data = DATA_DIR_CLOSED;
}
