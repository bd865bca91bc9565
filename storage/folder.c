/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PASSES_MAX 200000 /* one for each level; more only while another process fills the folder */

/* Subfolders are moved up to the top folder before their parent is removed. So at most two folders are
   open, and no path is longer than one name. */

struct emptying {
    int top_fd;
    unsigned long long moved; /* numbers names at the top */
    bool changed;             /* in this pass */
};

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A folder can be opened or moved only with access rights to it. */
static bool make_ours(int fd, const char *name)
{
    struct stat info;
    return fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode) &&
           ((info.st_mode & 0700) == 0700 || fchmodat(fd, name, 0700, 0) == 0);
}

static int open_folder(int fd, const char *name)
{
    return openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Names in the top folder may be taken. Each name is tried only once, so this ends. */
static bool move_up(struct emptying *emptying, int fd, const char *name)
{
    char fresh[32];
    do {
        snprintf(fresh, sizeof fresh, "moved-%llu", ++emptying->moved);
        if (renameat(fd, name, emptying->top_fd, fresh) == 0)
            return true;
    } while (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR);
    return false;
}

/* Removes the files first: on a full disk that makes room for new names in the top folder. */
static void flatten(struct emptying *emptying, int fd)
{
    DIR *folder = fdopendir(fd);
    if (!folder) {
        close(fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (!is_dots(entry->d_name) && unlinkat(fd, entry->d_name, 0) == 0)
            emptying->changed = true;
    rewinddir(folder);
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (!is_dots(entry->d_name) && make_ours(fd, entry->d_name) &&
            (unlinkat(fd, entry->d_name, AT_REMOVEDIR) == 0 || move_up(emptying, fd, entry->d_name)))
            emptying->changed = true;
    closedir(folder);
}

static void remove_entry(struct emptying *emptying, const char *name)
{
    if (unlinkat(emptying->top_fd, name, 0) == 0 || unlinkat(emptying->top_fd, name, AT_REMOVEDIR) == 0) {
        emptying->changed = true;
        return;
    }
    int inner = make_ours(emptying->top_fd, name) ? open_folder(emptying->top_fd, name) : -1;
    if (inner < 0)
        return;
    flatten(emptying, inner);
    if (unlinkat(emptying->top_fd, name, AT_REMOVEDIR) == 0)
        emptying->changed = true;
}

/* Several passes, because a pass may not see the names that it adds. Ends after a pass that changes
   nothing. */
void folder_empty(const char *path)
{
    struct emptying emptying = {.top_fd = make_ours(AT_FDCWD, path) ? open_folder(AT_FDCWD, path) : -1};
    DIR *folder = emptying.top_fd < 0 ? NULL : fdopendir(emptying.top_fd);
    if (!folder) {
        cleanup_close(&emptying.top_fd);
        return;
    }
    emptying.changed = true;
    for (unsigned pass = 0; emptying.changed && pass < PASSES_MAX; pass++) {
        emptying.changed = false;
        rewinddir(folder);
        for (const struct dirent *entry; (entry = readdir(folder));)
            if (!is_dots(entry->d_name))
                remove_entry(&emptying, entry->d_name);
    }
    closedir(folder);
}

void folder_remove(const char *path)
{
    folder_empty(path);
    rmdir(path);
}
