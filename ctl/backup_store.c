/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/backup_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"

#define LOCK    ".lock"
#define PARTIAL ".partial"

static bool fail_file(struct failure *fail, const char *what, const char *path)
{
    return failure_set(fail, EXIT_USAGE, "cannot %s %s: %s", what, path, strerror(errno));
}

/* Some network file systems cannot sync a folder (EINVAL): they make names durable themselves. */
static bool sync_folder(const char *path, struct failure *fail)
{
    _cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return (fd >= 0 && (fsync(fd) == 0 || errno == EINVAL)) || fail_file(fail, "sync", path);
}

static bool make_folder(const char *path, struct failure *fail)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST || fail_file(fail, "make", path);
}

/* Opening */

/* A folder with other files is not touched: it may be a data directory. */
static bool check_ours(const struct backup_store *store, struct failure *fail)
{
    char lock[PATH_MAX];
    snprintf(lock, sizeof lock, "%s/" LOCK, store->path);
    if (access(lock, F_OK) == 0)
        return true;
    DIR *folder = opendir(store->path);
    if (!folder)
        return fail_file(fail, "read", store->path);
    bool ok = true;
    for (const struct dirent *entry; ok && (entry = readdir(folder));)
        ok = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
             strcmp(entry->d_name, "lost+found") == 0 ||
             failure_set(fail, EXIT_USAGE,
                         "%s is not empty and was not made by dfotactl backup: name another folder",
                         store->path);
    closedir(folder);
    return ok;
}

static bool lock(struct backup_store *store, struct failure *fail)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/" LOCK, store->path);
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_fd < 0)
        return fail_file(fail, "open", path);
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    int number = errno;
    cleanup_close(&store->lock_fd); /* what another one writes is not ours to remove */
    store->lock_fd = -1;
    errno = number;
    if (errno == EWOULDBLOCK)
        return failure_set(fail, EXIT_USAGE, "another dfotactl makes a backup in %s", store->path);
    return fail_file(fail, "lock", path);
}

bool backup_store_open(const char *path, struct backup_store *ret, struct failure *fail)
{
    char blobs[PATH_MAX];
    *ret = (struct backup_store){.lock_fd = -1};
    if (snprintf(ret->path, sizeof ret->path, "%s", path) >= (int)sizeof ret->path)
        return failure_set(fail, EXIT_USAGE, "the path of the folder is too long");
    umask(077);
    snprintf(blobs, sizeof blobs, "%s/blobs", path);
    return make_folder(path, fail) && check_ours(ret, fail) && lock(ret, fail) && make_folder(blobs, fail) &&
           backup_store_clear(ret, fail);
}

void backup_store_close(struct backup_store *store)
{
    char path[PATH_MAX];
    if (store->lock_fd < 0)
        return;
    snprintf(path, sizeof path, "%s/" PARTIAL, store->path);
    rmdir(path); /* fails while it has files */
    close(store->lock_fd);
    store->lock_fd = -1;
}

/* Files */

static bool begin(struct backup_file *file, struct failure *fail)
{
    int fd = open(file->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    file->file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file->file)
        return true;
    if (fd >= 0)
        close(fd);
    return fail_file(fail, "make", file->path);
}

bool backup_store_begin(const struct backup_store *store, const char *name, struct backup_file *ret,
                        struct failure *fail)
{
    snprintf(ret->path, sizeof ret->path, "%s/" PARTIAL "/.new", store->path);
    snprintf(ret->name, sizeof ret->name, "%s/" PARTIAL "/%s", store->path, name);
    return begin(ret, fail);
}

static void name_blob(const struct backup_store *store, const struct sha256 *hash, char out[PATH_MAX])
{
    char hex[SHA256_HEX_SIZE];
    sha256_hex(hash, hex);
    snprintf(out, PATH_MAX, "%s/blobs/%.2s/%s", store->path, hex, hex);
}

bool backup_store_begin_blob(const struct backup_store *store, const struct sha256 *hash,
                             struct backup_file *ret, struct failure *fail)
{
    char hex[SHA256_HEX_SIZE], folder[PATH_MAX];
    sha256_hex(hash, hex);
    snprintf(folder, sizeof folder, "%s/blobs/%.2s", store->path, hex);
    snprintf(ret->path, sizeof ret->path, "%s/blobs/.new", store->path);
    name_blob(store, hash, ret->name);
    return make_folder(folder, fail) && begin(ret, fail);
}

void backup_file_drop(struct backup_file *file)
{
    if (!file->file)
        return;
    fclose(file->file);
    file->file = NULL;
    unlink(file->path);
}

bool backup_file_keep(struct backup_file *file, struct failure *fail)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(file->name, '/') - file->name), file->name);
    bool ok =
        (fflush(file->file) == 0 && fsync(fileno(file->file)) == 0 && rename(file->path, file->name) == 0) ||
        fail_file(fail, "write", file->name);
    if (ok) {
        fclose(file->file);
        file->file = NULL;
        return sync_folder(folder, fail);
    }
    backup_file_drop(file);
    return false;
}

bool backup_store_has_blob(const struct backup_store *store, const struct sha256 *hash, int64_t size_bytes)
{
    char path[PATH_MAX];
    struct stat info;
    name_blob(store, hash, path);
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == size_bytes;
}

/* The backup that is being made */

bool backup_store_clear(const struct backup_store *store, struct failure *fail)
{
    static const char *const names[] = {".new",        "dfota.db",      "dfota.conf",
                                        "signing.key", "manifest.json", "SHA256SUMS"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/" PARTIAL "/%s", store->path, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/blobs/.new", store->path);
    unlink(path);
    snprintf(path, sizeof path, "%s/" PARTIAL, store->path);
    return make_folder(path, fail);
}

bool backup_store_publish(const struct backup_store *store, int64_t utc_ms, char ret_name[BACKUP_NAME_SIZE],
                          struct failure *fail)
{
    _cleanup_(cleanup_free) char(*names)[BACKUP_NAME_SIZE] = NULL;
    char from[PATH_MAX], to[PATH_MAX], blobs[PATH_MAX];
    size_t count;
    snprintf(from, sizeof from, "%s/" PARTIAL, store->path);
    snprintf(blobs, sizeof blobs, "%s/blobs", store->path);
    if (!backup_name_list(store->path, &names, &count))
        return fail_file(fail, "read", store->path);
    backup_name_make(utc_ms, count ? names[count - 1] : NULL, ret_name);
    snprintf(to, sizeof to, "%s/%s", store->path, ret_name);
    if (!sync_folder(blobs, fail) || !sync_folder(from, fail))
        return false;
    return (rename(from, to) == 0 || fail_file(fail, "make", to)) && sync_folder(store->path, fail);
}
