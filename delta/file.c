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
        /* One byte more than the size at hand, so that the end is seen without growing. */
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

/* The directory that `path` is in, or NULL without memory. */
static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static bool sync_directory(const char *path)
{
    _cleanup_(cleanup_free) char *parent = parent_of(path);
    if (!parent)
        return false;
    _cleanup_(cleanup_close) int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0;
}

static bool fill(int fd, struct bytes content)
{
    mode_t mask = umask(0);
    umask(mask);
    return fchmod(fd, 0666 & ~mask) == 0 && write_all(fd, content) && fsync(fd) == 0;
}

static bool store(const char *path, struct bytes content, struct error *err)
{
    struct stat status;
    if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return error_set(err, ERROR_INTERNAL, "cannot write %s: it exists and is not a regular file", path);
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
    if (!sync_directory(path))
        return error_errno(err, errno, "%s is written but its directory cannot be synced", path);
    return true;
}

bool file_store(const char *path, struct bytes content, struct error *err)
{
    sigset_t termination, before;
    sigemptyset(&termination);
    sigaddset(&termination, SIGHUP);
    sigaddset(&termination, SIGINT);
    sigaddset(&termination, SIGTERM);
    sigaddset(&termination, SIGXCPU);
    sigprocmask(SIG_BLOCK, &termination, &before);
    bool ok = store(path, content, err);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return ok;
}
