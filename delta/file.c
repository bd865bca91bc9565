/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"

#define READ_PIECE 65536

static bool read_all(int fd, const char *path, size_t max_bytes, struct buffer *into, struct error *err)
{
    for (;;) {
        /* One byte more than the file size was reserved, so the end of the file is found without growing
           the buffer. */
        if (into->len == into->capacity && !buffer_reserve(into, READ_PIECE, err))
            return false;
        ssize_t got = read(fd, into->ptr + into->len, into->capacity - into->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "cannot read %s", path);
        if (got == 0)
            return true;
        into->len += (size_t)got;
        if (into->len > max_bytes)
            return error_set(err, ERROR_TOO_LARGE, "%s is larger than the limit of %zu bytes", path,
                             max_bytes);
    }
}

bool file_load(const char *path, size_t max_bytes, struct buffer *ret, struct error *err)
{
    _cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "cannot open %s", path);
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_errno(err, errno, "cannot read %s", path);
    size_t expected = S_ISREG(status.st_mode) ? (size_t)status.st_size : 0;
    if (expected > max_bytes)
        return error_set(err, ERROR_TOO_LARGE, "%s has %zu bytes; the limit is %zu", path, expected,
                         max_bytes);
    _cleanup_(buffer_free) struct buffer content = {0};
    if (!buffer_reserve(&content, expected + 1, err) || !read_all(fd, path, max_bytes, &content, err))
        return false;
    *ret = content;
    content = (struct buffer){0};
    return true;
}

static bool write_all(int fd, struct bytes content)
{
    while (content.len > 0) {
        ssize_t written = write(fd, content.ptr, content.len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        content.ptr += written;
        content.len -= (size_t)written;
    }
    return true;
}

/* The directory of `path`. NULL: no memory. */
static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int open_parent(const char *path)
{
    _cleanup_(cleanup_free) char *parent = parent_of(path);
    return parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

static bool fill(int fd, struct bytes content)
{
    mode_t mask = umask(0);
    umask(mask);
    return fchmod(fd, 0666 & ~mask) == 0 && write_all(fd, content) && fsync(fd) == 0;
}

/* The directory is opened first, so that this error is found before a file exists. */
static bool store(const char *path, struct bytes content, struct error *err)
{
    struct stat status;
    if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return error_set(err, ERROR_INTERNAL, "cannot write %s: it exists and is not a regular file", path);
    _cleanup_(cleanup_close) int directory = open_parent(path);
    if (directory < 0)
        return error_errno(err, errno, "cannot write %s: its directory", path);
    _cleanup_(cleanup_free) char *name = NULL;
    if (asprintf(&name, "%s.XXXXXX", path) < 0) {
        name = NULL;
        return error_set(err, ERROR_INTERNAL, "out of memory");
    }
    _cleanup_(cleanup_close) int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "cannot write %s", path);
    if (!fill(fd, content) || rename(name, path) != 0) {
        error_errno(err, errno, "cannot write %s", path);
        unlink(name);
        return false;
    }
    if (fsync(directory) != 0 && errno != EINVAL) /* EINVAL: this file system cannot sync directories */
        return error_errno(err, errno, "%s is in place, but its directory cannot be synced", path);
    return true;
}

bool file_store(const char *path, struct bytes content, struct error *err)
{
    static const int termination[] = {SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGTERM, SIGXCPU};
    sigset_t wait, before;
    sigemptyset(&wait);
    for (size_t i = 0; i < sizeof termination / sizeof termination[0]; i++)
        sigaddset(&wait, termination[i]);
    sigprocmask(SIG_BLOCK, &wait, &before);
    /* With SIGXFSZ ignored, a write over the file size limit fails, and the temporary file is removed. */
    struct sigaction ignore = {.sa_handler = SIG_IGN}, size_before;
    sigaction(SIGXFSZ, &ignore, &size_before);
    bool ok = store(path, content, err);
    sigaction(SIGXFSZ, &size_before, NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return ok;
}
