/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "storage/folder.h"

#define READ_CHUNK (128 * 1024)

struct blobs {
    char directory[PATH_MAX / 2];
    uint64_t reserve_bytes;
};

struct blob_writer {
    struct blobs *blobs;
    struct sha256_state *hash;
    uint64_t written;
    int fd;
    char path[PATH_MAX];
};

/* Folders */

static bool make_folder(const char *path, struct error *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return error_errno(err, errno, "cannot make %s", path);
    return true;
}

static bool sync_folder(const char *path, struct error *err)
{
    _cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return error_errno(err, errno, "cannot sync %s", path);
    return true;
}

static bool make_blobs(const char *directory, uint64_t reserve_bytes, struct blobs **ret, struct error *err)
{
    struct blobs *blobs = calloc(1, sizeof *blobs);
    if (!blobs)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    if (snprintf(blobs->directory, sizeof blobs->directory, "%s", directory) >=
        (int)sizeof blobs->directory) {
        free(blobs);
        return error_set(err, ERROR_INVALID, "the path of the data directory is too long");
    }
    blobs->reserve_bytes = reserve_bytes;
    *ret = blobs;
    return true;
}

bool blobs_open_copy(const char *directory, struct blobs **ret, struct error *err)
{
    return make_blobs(directory, 0, ret, err);
}

bool blobs_open(const char *directory, uint64_t reserve_bytes, struct blobs **ret, struct error *err)
{
    _cleanup_(cleanup_free) struct blobs *blobs = NULL;
    char path[PATH_MAX];
    if (!make_blobs(directory, reserve_bytes, &blobs, err))
        return false;
    snprintf(path, sizeof path, "%s/blobs", directory);
    if (!make_folder(path, err))
        return false;
    snprintf(path, sizeof path, "%s/incoming", directory);
    if (!make_folder(path, err) || !sync_folder(directory, err))
        return false;
    folder_empty(path);
    *ret = blobs;
    blobs = NULL;
    return true;
}

void blobs_close(struct blobs *blobs)
{
    free(blobs);
}

bool blobs_space(const struct blobs *blobs, uint64_t *ret_free, uint64_t *ret_reserve, struct error *err)
{
    struct statvfs disk;
    if (statvfs(blobs->directory, &disk) != 0)
        return error_errno(err, errno, "cannot ask for the free space of %s", blobs->directory);
    *ret_free = (uint64_t)disk.f_bavail * disk.f_frsize;
    *ret_reserve = blobs->reserve_bytes;
    return true;
}

bool blobs_check_space(const struct blobs *blobs, uint64_t size_bytes, struct error *err)
{
    uint64_t free_bytes = 0, reserve = 0;
    if (!blobs_space(blobs, &free_bytes, &reserve, err))
        return false;
    if (size_bytes > free_bytes || free_bytes - size_bytes < reserve)
        return error_set(
            err, ERROR_NO_SPACE,
            "not enough space: %llu bytes are free, %llu are to be written and %llu kept in reserve",
            (unsigned long long)free_bytes, (unsigned long long)size_bytes, (unsigned long long)reserve);
    return true;
}

void blobs_folder(const struct blobs *blobs, unsigned first, char *out, size_t out_size)
{
    snprintf(out, out_size, "%s/blobs/%02x", blobs->directory, first);
}

void blob_path(const struct blobs *blobs, const struct sha256 *hash, char *out, size_t out_size)
{
    char hex[SHA256_HEX_SIZE];
    sha256_hex(hash, hex);
    snprintf(out, out_size, "%s/blobs/%.2s/%s", blobs->directory, hex, hex);
}

/* Writing */

bool blob_begin(struct blobs *blobs, struct blob_writer **ret, struct error *err)
{
    struct blob_writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    writer->blobs = blobs;
    snprintf(writer->path, sizeof writer->path, "%s/incoming/upload-XXXXXX", blobs->directory);
    writer->fd = mkostemp(writer->path, O_CLOEXEC);
    if (writer->fd < 0) {
        error_errno(err, errno, "cannot make %s", writer->path);
        free(writer);
        return false;
    }
    writer->hash = sha256_begin();
    *ret = writer;
    return true;
}

bool blob_add(struct blob_writer *writer, const void *bytes, size_t len, struct error *err)
{
    sha256_add(writer->hash, bytes, len);
    writer->written += len;
    for (const char *at = bytes; len;) {
        ssize_t put = write(writer->fd, at, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return error_errno(err, errno, "cannot write %s", writer->path);
        at += put;
        len -= (size_t)put;
    }
    return true;
}

const char *blob_writer_path(const struct blob_writer *writer)
{
    return writer->path;
}

uint64_t blob_written(const struct blob_writer *writer)
{
    return writer->written;
}

/* Makes the name of a blob durable. */
static bool sync_folders(const struct blobs *blobs, const char *folder, struct error *err)
{
    char above[PATH_MAX];
    snprintf(above, sizeof above, "%s/blobs", blobs->directory);
    return sync_folder(above, err) && sync_folder(folder, err);
}

/* The file is whole, but may not be durable yet: its writer may have been killed, or its fsync may have
   failed. */
static bool sync_again(const struct blobs *blobs, int fd, const char *path, const char *folder,
                       struct error *err)
{
    if (fsync(fd) != 0)
        return error_errno(err, errno, "cannot sync %s", path);
    return sync_folders(blobs, folder, err);
}

/* fsync, rename to the name of the hash, fsync of the directory. */
static bool publish(const struct blobs *blobs, int fd, const char *path, const struct sha256 *hash,
                    struct error *err)
{
    char to[PATH_MAX], folder[PATH_MAX];
    _cleanup_(cleanup_close) int there = -1;
    uint64_t size;
    struct error damaged;
    blob_path(blobs, hash, to, sizeof to);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(to, '/') - to), to);
    if (blob_open_checked(blobs, hash, &there, &size, &damaged)) {
        unlink(path);
        return sync_again(blobs, there, to, folder, err);
    }
    if (!make_folder(folder, err))
        return false;
    if (fchmod(fd, 0400) != 0 || fsync(fd) != 0)
        return error_errno(err, errno, "cannot sync %s", path);
    if (rename(path, to) != 0)
        return error_errno(err, errno, "cannot rename %s", path);
    if (sync_folders(blobs, folder, err))
        return true;
    unlink(to); /* after a failed fsync, a second one may succeed although data was lost */
    return false;
}

bool blob_keep(struct blob_writer *writer, struct sha256 *ret_hash, struct error *err)
{
    sha256_end(writer->hash, ret_hash);
    writer->hash = NULL;
    bool ok = publish(writer->blobs, writer->fd, writer->path, ret_hash, err);
    blob_drop(writer); /* after publishing the temporary name is gone */
    return ok;
}

void blob_drop(struct blob_writer *writer)
{
    if (!writer)
        return;
    unlink(writer->path);
    close(writer->fd);
    sha256_free(writer->hash);
    free(writer);
}

/* Reading */

/* A file that the disk cannot read is as damaged as a file with other bytes. */
static bool unreadable(struct error *err, int number, const char *path)
{
    error_errno(err, number, "cannot read %s", path);
    if (number == EIO)
        err->code = ERROR_CORRUPT;
    return false;
}

/* Hashes an open file from its beginning, and moves the offset back to the beginning. */
static bool hash_file(int fd, const char *path, struct sha256 *ret, uint64_t *ret_size, struct error *err)
{
    _cleanup_(cleanup_free) char *chunk = malloc(READ_CHUNK);
    if (!chunk)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    struct sha256_state *hash = sha256_begin();
    uint64_t size = 0;
    ssize_t got;
    while ((got = read(fd, chunk, READ_CHUNK)) > 0 || (got < 0 && errno == EINTR)) {
        if (got < 0)
            continue;
        sha256_add(hash, chunk, (size_t)got);
        size += (uint64_t)got;
    }
    sha256_end(hash, ret);
    if (got < 0 || lseek(fd, 0, SEEK_SET) != 0)
        return unreadable(err, errno, path);
    *ret_size = size;
    return true;
}

bool blob_hash_file(const char *path, int *ret_fd, struct sha256 *ret, uint64_t *ret_size, struct error *err)
{
    _cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_errno(err, errno, "cannot open %s", path);
    if (!hash_file(fd, path, ret, ret_size, err))
        return false;
    *ret_fd = fd;
    fd = -1;
    return true;
}

bool blob_adopt(struct blobs *blobs, const char *path, struct sha256 *ret_hash, uint64_t *ret_size,
                struct error *err)
{
    _cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_errno(err, errno, "cannot open %s", path);
    return hash_file(fd, path, ret_hash, ret_size, err) && publish(blobs, fd, path, ret_hash, err);
}

bool blob_workdir(struct blobs *blobs, char *out, size_t out_size, struct error *err)
{
    if (snprintf(out, out_size, "%s/incoming/job-XXXXXX", blobs->directory) >= (int)out_size)
        return error_set(err, ERROR_INTERNAL, "the path of the data directory is too long");
    if (!mkdtemp(out))
        return error_errno(err, errno, "cannot make %s", out);
    return true;
}

void blob_workdir_remove(const char *path)
{
    folder_remove(path);
}

bool blob_open_checked(const struct blobs *blobs, const struct sha256 *hash, int *ret_fd, uint64_t *ret_size,
                       struct error *err)
{
    char path[PATH_MAX];
    struct sha256 real;
    blob_path(blobs, hash, path, sizeof path);
    _cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return error_set(err, ERROR_CORRUPT, "the file %s is gone", path);
    if (fd < 0)
        return error_errno(err, errno, "cannot open %s", path);
    if (!hash_file(fd, path, &real, ret_size, err))
        return false;
    if (!sha256_equal(&real, hash))
        return error_set(err, ERROR_CORRUPT, "the file %s is damaged: its bytes do not have its SHA-256",
                         path);
    *ret_fd = fd;
    fd = -1;
    return true;
}

bool blob_load(const struct blobs *blobs, const struct sha256 *hash, void **ret, uint64_t *ret_size,
               struct error *err)
{
    char path[PATH_MAX];
    struct stat info;
    struct sha256 real;
    blob_path(blobs, hash, path, sizeof path);
    _cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return error_set(err, ERROR_CORRUPT, "the file %s is gone", path);
    if (fd < 0 || fstat(fd, &info) != 0)
        return error_errno(err, errno, "cannot open %s", path);
    size_t size = (size_t)info.st_size, at = 0;
    _cleanup_(cleanup_free) char *bytes = malloc(size ? size : 1);
    if (!bytes)
        return error_set(err, ERROR_UNAVAILABLE, "no memory for a package of %zu bytes", size);
    while (at < size) {
        ssize_t got = read(fd, bytes + at, size - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return unreadable(err, errno, path);
        if (got == 0)
            break;
        at += (size_t)got;
    }
    sha256_of(bytes, at, &real);
    if (at != size || !sha256_equal(&real, hash))
        return error_set(err, ERROR_CORRUPT, "the file %s is damaged: its bytes do not have its SHA-256",
                         path);
    *ret = bytes;
    *ret_size = size;
    bytes = NULL;
    return true;
}

bool blob_remove(const struct blobs *blobs, const struct sha256 *hash, struct error *err)
{
    char path[PATH_MAX];
    blob_path(blobs, hash, path, sizeof path);
    if (unlink(path) != 0 && errno != ENOENT)
        return error_errno(err, errno, "cannot remove %s", path);
    return true;
}
