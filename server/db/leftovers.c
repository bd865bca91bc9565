/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/db/leftovers.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sha256.h"
#include "server/db/data_dir.h"

#define LEVELS_MAX  6     /* deep enough for a backup of the directory above a backup */
#define ENTRIES_MAX 50000 /* a data directory is recognised after far fewer files */
#define PATH_SHOWN  160

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Also compressed, or with another ending. */
static bool is_named_by_hash(const char *name)
{
    struct sha256 ignored;
    size_t len = SHA256_HEX_SIZE - 1;
    return strlen(name) >= len && sha256_from_hex((struct slice){name, len}, &ignored);
}

static bool is_database(const char *path)
{
    static const char magic[] = "SQLite format 3"; /* and its NUL */
    char head[sizeof magic];
    _cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return fd >= 0 && read(fd, head, sizeof head) == (ssize_t)sizeof head &&
           memcmp(head, magic, sizeof head) == 0;
}

/* A first start that was aborted leaves an empty database, and perhaps the journal of its first change. */
static bool is_left(const FTSENT *entry)
{
    const char *name = entry->fts_name;
    bool is_first_journal = strcmp(name, "dfota.db-journal") == 0;
    if (entry->fts_statp->st_size == 0)
        return is_named_by_hash(name);
    return is_named_by_hash(name) || (has_prefix(name, "dfota.db") && !is_first_journal) ||
           has_prefix(name, "admin.token") || has_prefix(name, "signing.key") || has_prefix(name, "ledger") ||
           is_database(entry->fts_accpath);
}

struct search {
    const char *directory;
    unsigned entries;
    char found[PATH_SHOWN];  /* a file of a server, an image or package where there is one; "": no file */
    bool has_blob;           /* it is one of these */
    char nested[PATH_SHOWN]; /* a subdirectory with a database; "": no such directory */
};

static void note_file(struct search *search, const FTSENT *entry)
{
    if (!is_left(entry))
        return;
    bool is_blob = is_named_by_hash(entry->fts_name);
    if (!search->found[0] || (is_blob && !search->has_blob))
        snprintf(search->found, sizeof search->found, "%s", entry->fts_path);
    search->has_blob = search->has_blob || is_blob;
    bool whole = strcmp(entry->fts_name, "dfota.db") == 0 && is_database(entry->fts_accpath);
    if (whole && entry->fts_level > 1 && !search->nested[0])
        snprintf(search->nested, sizeof search->nested, "%.*s",
                 (int)(entry->fts_pathlen - entry->fts_namelen - 1), entry->fts_path);
}

/* One of our names is a link to nothing: its disk is not mounted. */
static bool check_link(const FTSENT *entry, struct error *err)
{
    const char *name = entry->fts_name;
    if (entry->fts_level != 1 || (!has_prefix(name, "dfota.db") && strcmp(name, "blobs") != 0 &&
                                  strcmp(name, "incoming") != 0 && strcmp(name, "suffix") != 0))
        return true;
    return error_set(err, ERROR_UNAVAILABLE,
                     "%.200s is a symbolic link to nothing: mount the disk that it leads to",
                     entry->fts_path);
}

static bool note_entry(struct search *search, FTS *tree, FTSENT *entry, struct error *err)
{
    switch (entry->fts_info) {
    case FTS_D:
        if (entry->fts_level > LEVELS_MAX ||
            (entry->fts_level == 1 && strcmp(entry->fts_name, "lost+found") == 0))
            fts_set(tree, entry, FTS_SKIP);
        return true;
    case FTS_SL: /* a directory at the top may be on another disk */
        if (entry->fts_level == 1)
            fts_set(tree, entry, FTS_FOLLOW);
        return true;
    case FTS_SLNONE:
        return check_link(entry, err);
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        return (entry->fts_level == 1 && strcmp(entry->fts_name, "lost+found") == 0) ||
               error_errno(err, entry->fts_errno, "there is no database in %.120s, and cannot read %.120s",
                           search->directory, entry->fts_path);
    case FTS_F:
        note_file(search, entry);
        return true;
    default:
        return true;
    }
}

static bool look_through(struct search *search, FTS *tree, struct error *err)
{
    for (FTSENT *entry; (errno = 0, entry = fts_read(tree));) {
        if (!note_entry(search, tree, entry, err))
            return false;
        if (++search->entries > ENTRIES_MAX)
            return search->found[0] ||
                   error_set(
                       err, ERROR_UNAVAILABLE,
                       "the data directory %.200s has no database, but more than %u files: name an empty directory",
                       search->directory, ENTRIES_MAX);
        if (search->has_blob && search->nested[0])
            return true;
    }
    return errno == 0 || error_errno(err, errno, "cannot read %s", search->directory);
}

bool leftovers_refuse(const char *directory, struct error *err)
{
    struct search search = {.directory = directory};
    char restoring[PATH_MAX];
    if (snprintf(restoring, sizeof restoring, "%s/" DATA_DIR_RESTORING, directory) < (int)sizeof restoring &&
        access(restoring, F_OK) == 0)
        return error_set(err, ERROR_UNAVAILABLE,
                         "a restore into %.200s was cut off: run dfotad --restore again", directory);
    char *const roots[] = {(char *)directory, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
    if (!tree)
        return error_errno(err, errno, "cannot read %s", directory);
    bool ok = look_through(&search, tree, err);
    fts_close(tree);
    if (!ok || !search.found[0])
        return ok;
    if (search.nested[0])
        return error_set(
            err, ERROR_UNAVAILABLE,
            "there is no database %.*s/dfota.db, but one in %s: move all that is there one level up, or set "
            "data_dir to it",
            PATH_SHOWN / 2, directory, search.nested);
    return error_set(
        err, ERROR_UNAVAILABLE,
        "there is no database %.*s/dfota.db, but %s is there: restore the database of that server, or name "
        "an empty directory to begin with nothing",
        PATH_SHOWN / 2, directory, search.found);
}
