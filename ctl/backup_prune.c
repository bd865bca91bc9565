/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/backup_prune.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"

#define LONG_PATH (PATH_MAX + NAME_MAX + 1)
#define REMOVED   ".removed-" /* before the name of a backup that is being removed */

/* Old backups */

static void remove_folder(const char *folder)
{
    static const char *const files[] = {"SHA256SUMS", "manifest.json", "dfota.conf",
                                        "dfota.db",   "secret.key",    "signing.key"};
    char path[LONG_PATH];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
}

/* Renamed first: a backup that is removed in part must not look like a backup. */
static bool remove_backup(const struct backup_store *store, const char *name, struct failure *fail)
{
    char from[PATH_MAX], to[PATH_MAX];
    snprintf(from, sizeof from, "%s/%s", store->path, name);
    snprintf(to, sizeof to, "%s/" REMOVED "%s", store->path, name);
    if (rename(from, to) != 0)
        return failure_set(fail, EXIT_USAGE, "cannot remove %s: %s", from, strerror(errno));
    remove_folder(to);
    return true;
}

/* What a backup before left that was killed meanwhile. */
static void remove_leftovers(const struct backup_store *store)
{
    char path[LONG_PATH];
    DIR *folder = opendir(store->path);
    if (!folder)
        return;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (strncmp(entry->d_name, REMOVED, sizeof REMOVED - 1) != 0 ||
            !backup_name_is(entry->d_name + sizeof REMOVED - 1))
            continue;
        snprintf(path, sizeof path, "%s/%s", store->path, entry->d_name);
        remove_folder(path);
    }
    closedir(folder);
}

/* Blobs */

struct names {
    struct sha256 *hash; /* sorted after the last one was added */
    size_t count;
};

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct sha256));
}

static bool add_blobs(struct names *names, const json_t *blobs)
{
    size_t i;
    const json_t *item;
    if (!json_is_array(blobs))
        return false;
    struct sha256 *grown = realloc(names->hash, (names->count + json_array_size(blobs) + 1) * sizeof *grown);
    if (!grown)
        return false;
    names->hash = grown;
    json_array_foreach (blobs, i, item) {
        const char *hex = json_string_value(json_object_get(item, "sha256"));
        if (!hex || !sha256_from_hex(slice_of(hex), &names->hash[names->count++]))
            return false;
    }
    return true;
}

static bool add_backup(const struct backup_store *store, const char *name, struct names *names,
                       struct failure *fail)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s/manifest.json", store->path, name);
    json_t *manifest = json_load_file(path, 0, NULL);
    bool ok = add_blobs(names, json_object_get(manifest, "blobs"));
    json_decref(manifest);
    return ok ||
           failure_set(fail, EXIT_USAGE,
                       "cannot read %s, so no file in blobs/ was removed: check the backups with dfotad "
                       "--fsck=%s, and remove the damaged one",
                       path, store->path);
}

static void remove_unused(const char *folder_path, const struct names *names, struct backup_pruned *ret)
{
    DIR *folder = opendir(folder_path);
    if (!folder)
        return;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        char path[LONG_PATH];
        struct sha256 hash;
        struct stat info;
        if (!sha256_from_hex(slice_of(entry->d_name), &hash) ||
            bsearch(&hash, names->hash, names->count, sizeof hash, compare))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder_path, entry->d_name);
        if (stat(path, &info) != 0 || unlink(path) != 0)
            continue;
        ret->blobs++;
        ret->bytes += info.st_size;
    }
    closedir(folder);
}

static bool remove_blobs(const struct backup_store *store, char (*kept)[BACKUP_NAME_SIZE], size_t count,
                         struct backup_pruned *ret, struct failure *fail)
{
    struct names names = {.count = 0};
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = add_backup(store, kept[i], &names, fail);
    if (ok && names.count)
        qsort(names.hash, names.count, sizeof *names.hash, compare);
    for (unsigned first = 0; ok && first < 256; first++) {
        char folder[PATH_MAX];
        snprintf(folder, sizeof folder, "%s/blobs/%02x", store->path, first);
        remove_unused(folder, &names, ret);
    }
    free(names.hash);
    return ok;
}

bool backup_prune(const struct backup_store *store, uint64_t keep, const char *made,
                  struct backup_pruned *ret, struct failure *fail)
{
    _cleanup_(cleanup_free) char(*names)[BACKUP_NAME_SIZE] = NULL;
    size_t count = 0, kept = 0;
    *ret = (struct backup_pruned){0};
    remove_leftovers(store);
    if (!backup_name_list(store->path, &names, &count))
        return failure_set(fail, EXIT_USAGE, "cannot read %s: %s", store->path, strerror(errno));
    for (size_t i = 0; i < count; i++) {
        bool goes = count - i > keep && strcmp(names[i], made) != 0;
        if (!goes)
            memmove(names[kept++], names[i], sizeof *names);
        else if (!remove_backup(store, names[i], fail))
            return false;
        ret->backups += goes;
    }
    return remove_blobs(store, names, kept, ret, fail);
}
