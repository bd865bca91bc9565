/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin_token.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/core/log.h"
#include "storage/token.h"

#define TOKEN_BYTES 32
#define TOKEN_TEXT  (2 * TOKEN_BYTES)

static bool sync_directory(const char *directory, struct error *err)
{
    _cleanup_(cleanup_close) int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return error_errno(err, errno, "cannot sync %s", directory);
    return true;
}

/* The file is durable before the database has the hash. Else a power cut could leave a hash whose token
   nobody knows, and no admin could get in. */
static bool write_file(const char *directory, const char *text, struct error *err)
{
    char path[PATH_MAX], fresh[PATH_MAX + 8];
    if (snprintf(path, sizeof path, "%s/admin.token", directory) >= (int)sizeof path)
        return error_set(err, ERROR_INVALID, "the path of the data directory is too long");
    snprintf(fresh, sizeof fresh, "%s.new", path);
    unlink(fresh);
    _cleanup_(cleanup_close) int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || dprintf(fd, "%s\n", text) != TOKEN_TEXT + 1 || fsync(fd) != 0 || rename(fresh, path) != 0)
        return error_errno(err, errno, "cannot write %s", path);
    log_line(LOG_LEVEL_INFO, "admin-token", "file", path, NULL);
    return sync_directory(directory, err);
}

static bool make_token(const char *directory, struct db *db, struct error *err)
{
    unsigned char random[TOKEN_BYTES];
    char text[TOKEN_TEXT + 1];
    struct sha256 hash;
    if (RAND_bytes(random, sizeof random) != 1)
        return error_set(err, ERROR_INTERNAL, "no random numbers for a token");
    for (unsigned i = 0; i < TOKEN_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", random[i]);
    sha256_of(text, TOKEN_TEXT, &hash);
    if (!write_file(directory, text, err) || !db_begin(db, err))
        return false;
    if (!token_add(db, &hash, clock_utc_ms(), err)) {
        db_rollback(db);
        return false;
    }
    return db_commit(db, err);
}

bool admin_token_load(const char *directory, struct db *db, struct sha256 **ret, size_t *ret_count,
                      struct error *err)
{
    if (!token_list(db, ret, ret_count, err))
        return false;
    if (*ret_count)
        return true;
    return make_token(directory, db, err) && token_list(db, ret, ret_count, err);
}
