/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Walks through the blobs, and finds those that no row names. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "storage/blob.h"

struct sweep {
    struct blobs *blobs;
    blob_is_needed *is_needed;
    void *cls;
    bool remove; /* false: only count */
    unsigned needed, unknown;
};

static bool sweep_folder(struct sweep *sweep, const char *path, struct error *err)
{
    DIR *folder = opendir(path);
    if (!folder)
        return errno == ENOENT || errno == ENOTDIR || error_errno(err, errno, "cannot read %s", path);
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(folder));) {
        struct sha256 hash;
        bool needed = false;
        if (!sha256_from_hex(slice_of(entry->d_name), &hash))
            continue;
        ok = sweep->is_needed(sweep->cls, &hash, &needed, err) &&
             (needed || !sweep->remove || blob_remove(sweep->blobs, &hash, err));
        sweep->needed += needed;
        sweep->unknown += !needed;
    }
    closedir(folder);
    return ok;
}

static bool sweep_all(struct sweep *sweep, struct error *err)
{
    char path[PATH_MAX];
    sweep->needed = sweep->unknown = 0;
    for (unsigned first = 0; first < 256; first++) {
        blobs_folder(sweep->blobs, first, path, sizeof path);
        if (!sweep_folder(sweep, path, err))
            return false;
    }
    return true;
}

bool blobs_sweep(struct blobs *blobs, blob_is_needed *is_needed, void *cls, unsigned most,
                 unsigned *ret_unknown, bool *ret_removed, struct error *err)
{
    struct sweep sweep = {.blobs = blobs, .is_needed = is_needed, .cls = cls};
    if (!sweep_all(&sweep, err))
        return false;
    *ret_unknown = sweep.unknown;
    sweep.remove = *ret_removed = sweep.unknown && sweep.needed && sweep.unknown <= most;
    return !sweep.remove || sweep_all(&sweep, err);
}

struct walk {
    blob_each *each;
    void *cls;
    struct blob_totals totals;
};

static bool walk_folder(struct walk *walk, const char *path, struct error *err)
{
    DIR *folder = opendir(path);
    if (!folder)
        return errno == ENOENT || errno == ENOTDIR || error_errno(err, errno, "cannot read %s", path);
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(folder));) {
        struct sha256 hash;
        struct stat info;
        if (!sha256_from_hex(slice_of(entry->d_name), &hash) ||
            fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        walk->totals.files++;
        walk->totals.bytes += info.st_size;
        ok = walk->each(walk->cls, &hash, err);
    }
    closedir(folder);
    return ok;
}

bool blobs_walk(const struct blobs *blobs, blob_each *each, void *cls, struct blob_totals *ret,
                struct error *err)
{
    struct walk walk = {.each = each, .cls = cls};
    char path[PATH_MAX];
    for (unsigned first = 0; first < 256; first++) {
        blobs_folder(blobs, first, path, sizeof path);
        if (!walk_folder(&walk, path, err))
            return false;
    }
    *ret = walk.totals;
    return true;
}
