/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/file_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define GLANCE_US 1000

struct file_watch {
    unsigned count;
    char *path[FILE_WATCH_MAX];
    /* The files stay open, so that the inode number of a removed file is not used again. Opened with
       O_PATH, because closing any other descriptor of a database would release the locks that SQLite holds
       on it. */
    int fd[FILE_WATCH_MAX];
    atomic_uint lost; /* 1 + index of the first file that was missing; 0: none was */
    _Atomic int64_t looked_us;
};

bool file_watch_open(struct file_watch **ret, struct error *err)
{
    *ret = calloc(1, sizeof **ret);
    return *ret || error_set(err, ERROR_INTERNAL, "out of memory");
}

bool file_watch_add(struct file_watch *file_watch, const char *path, struct error *err)
{
    if (file_watch->count == FILE_WATCH_MAX)
        return error_set(err, ERROR_INTERNAL, "too many files to watch");
    char *copy = strdup(path);
    if (!copy)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        free(copy);
        return error_errno(err, errno, "cannot open %s", path);
    }
    file_watch->path[file_watch->count] = copy;
    file_watch->fd[file_watch->count++] = fd;
    return true;
}

static bool is_there(const struct file_watch *file_watch, unsigned i)
{
    struct stat held, named;
    return fstat(file_watch->fd[i], &held) == 0 && stat(file_watch->path[i], &named) == 0 &&
           held.st_dev == named.st_dev && held.st_ino == named.st_ino &&
           (S_ISDIR(held.st_mode) || held.st_nlink > 0);
}

bool file_watch_check(struct file_watch *file_watch, struct error *err)
{
    unsigned lost = atomic_load(&file_watch->lost), none = 0;
    for (unsigned i = 0; !lost && i < file_watch->count; i++)
        if (!is_there(file_watch, i))
            lost = i + 1;
    if (!lost)
        return true;
    atomic_compare_exchange_strong(&file_watch->lost, &none, lost);
    return error_set(
        err, ERROR_UNAVAILABLE,
        "%.200s was removed, renamed or replaced while the server was running: nothing more is stored. "
        "Put it back and start the server again",
        file_watch->path[lost - 1]);
}

bool file_watch_glance(struct file_watch *file_watch, struct error *err)
{
    int64_t now_us = clock_boot_us();
    bool is_fresh = now_us - atomic_load(&file_watch->looked_us) < GLANCE_US;
    if (is_fresh && !atomic_load(&file_watch->lost))
        return true;
    atomic_store(&file_watch->looked_us, now_us);
    return file_watch_check(file_watch, err);
}

void file_watch_close(struct file_watch *file_watch)
{
    if (!file_watch)
        return;
    for (unsigned i = 0; i < file_watch->count; i++) {
        close(file_watch->fd[i]);
        free(file_watch->path[i]);
    }
    free(file_watch);
}
