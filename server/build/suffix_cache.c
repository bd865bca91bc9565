/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/build/suffix_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/sha256.h"
#include "server/context.h"

#define SHELF_BYTES (256ull << 20) /* enough for about a hundred images of modules */
#define PER_BYTE    4              /* bytes of the file for each byte of the image */
#define SPARE_BYTES (8u << 20)     /* free space that stays for the package itself */

struct oldest {
    unsigned long long total; /* size of all files */
    struct timespec used;
    char path[PATH_MAX];
};

static bool is_older(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static bool survey(const char *shelf, struct oldest *ret)
{
    DIR *folder = opendir(shelf);
    if (!folder)
        return false;
    *ret = (struct oldest){.path = ""};
    for (const struct dirent *entry; (entry = readdir(folder));) {
        struct stat info;
        char path[PATH_MAX];
        int len = snprintf(path, sizeof path, "%s/%s", shelf, entry->d_name);
        if (len < 0 || (size_t)len >= sizeof path || lstat(path, &info) != 0 || !S_ISREG(info.st_mode))
            continue;
        ret->total += (unsigned long long)info.st_size;
        if (!ret->path[0] || is_older(&info.st_mtim, &ret->used)) {
            ret->used = info.st_mtim;
            memcpy(ret->path, path, (size_t)len + 1);
        }
    }
    closedir(folder);
    return true;
}

static void make_room(const char *shelf, unsigned long long needed)
{
    struct oldest oldest;
    while (survey(shelf, &oldest) && oldest.path[0] && oldest.total + needed > SHELF_BYTES)
        if (remove(oldest.path) != 0)
            return;
}

bool suffix_cache_place(const struct daemon *daemon, const struct sha256 *image, char *out, size_t out_size)
{
    char shelf[PATH_MAX], hex[SHA256_HEX_SIZE], blob[PATH_MAX];
    struct stat info;
    struct error unwanted;
    sha256_hex(image, hex);
    blob_path(daemon->blobs, image, blob, sizeof blob);
    int len = snprintf(shelf, sizeof shelf, "%s/suffix", daemon->config->data_dir);
    if (len < 0 || (size_t)len >= sizeof shelf || stat(blob, &info) != 0 ||
        (mkdir(shelf, 0700) != 0 && errno != EEXIST))
        return false;
    len = snprintf(out, out_size, "%s/%s", shelf, hex);
    if (len < 0 || (size_t)len >= out_size)
        return false;
    unsigned long long needed = PER_BYTE * (unsigned long long)info.st_size;
    if (utimensat(AT_FDCWD, out, NULL, 0) == 0) /* the file exists: mark it as used now */
        return true;
    if (needed > SHELF_BYTES / 2 || !blobs_check_space(daemon->blobs, needed + SPARE_BYTES, &unwanted))
        return false;
    make_room(shelf, needed);
    return true;
}
