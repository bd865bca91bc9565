/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin_token.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/secret.h"
#include "server/access/tokens.h"
#include "server/core/log.h"
#include "server/db/data_dir.h"
#include "server/ledger/event.h"
#include "storage/token.h"

static bool path_of(const char *directory, const char *name, char out[PATH_MAX], struct error *err)
{
    return snprintf(out, PATH_MAX, "%s/%s", directory, name) < PATH_MAX ||
           error_set(err, ERROR_INVALID, "the path of the data directory is too long");
}

/* A file that root writes belongs to the owner of the directory, who runs the server. */
static bool give_to_owner(int fd, int directory_fd)
{
    struct stat owner;
    return geteuid() != 0 ||
           (fstat(directory_fd, &owner) == 0 && fchown(fd, owner.st_uid, owner.st_gid) == 0);
}

/* The file is durable before the database has the hash. Else a power cut could leave a hash whose token
   nobody knows, and no admin could get in. */
static bool write_file(const char *directory, const char *text, struct error *err)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    if (!path_of(directory, "admin.token", path, err) || !path_of(directory, "admin.token.new", fresh, err))
        return false;
    unlink(fresh);
    _cleanup_(cleanup_close) int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_(cleanup_close) int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (folder < 0 || fd < 0 || !give_to_owner(fd, folder) || dprintf(fd, "%s\n", text) != SECRET_SIZE ||
        fsync(fd) != 0 || rename(fresh, path) != 0)
        return error_errno(err, errno, "cannot write %s", path);
    return fsync(folder) == 0 || error_errno(err, errno, "cannot sync %s", directory);
}

static bool is_taken(const struct token *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!list[i].revoked_ms && strcmp(list[i].name, name) == 0)
            return true;
    return false;
}

/* `wanted`, or the first of "wanted-2", "wanted-3", … that no token has. */
static bool find_name(struct db *db, const char *wanted, char out[TOKEN_NAME_SIZE], struct error *err)
{
    _cleanup_(cleanup_free) struct token *list = NULL;
    size_t count, alive = 0;
    if (!token_list(db, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        alive += !list[i].revoked_ms;
    if (alive >= TOKENS_MAX)
        return error_set(err, ERROR_INVALID, "there are %zu tokens already", alive);
    snprintf(out, TOKEN_NAME_SIZE, "%s", wanted);
    for (unsigned number = 2; is_taken(list, count, out); number++)
        snprintf(out, TOKEN_NAME_SIZE, "%.50s-%u", wanted, number);
    return true;
}

static bool record(struct db *db, const struct token *token, const char *by, struct error *err)
{
    const struct event event = {.kind = LEDGER_TOKEN_ADDED, .at_ms = token->created_ms};
    return event_add(db, &event,
                     json_pack("{s:{s:s}, s:s, s:s, s:I}", "by", "name", by, "name", token->name, "scope",
                               enum_name(&token_scope_names, token->scope), "token", (json_int_t)token->id),
                     err);
}

/* `by` NULL: without a row in the ledger. */
static bool store(struct db *db, struct token *token, const char *by, struct error *err)
{
    if (!db_begin(db, err))
        return false;
    if (!token_add(db, token, err) || (by && !record(db, token, by, err))) {
        db_rollback(db);
        return false;
    }
    return db_commit(db, err);
}

static bool make_token(const char *directory, struct db *db, bool recorded, struct token *ret,
                       struct error *err)
{
    char text[SECRET_SIZE];
    *ret = (struct token){.scope = SCOPE_ADMIN, .created_ms = clock_utc_ms()};
    if (!find_name(db, "admin", ret->name, err) || !secret_make(text, &ret->hash, err))
        return false;
    bool ok = write_file(directory, text, err);
    explicit_bzero(text, sizeof text);
    return ok && store(db, ret, recorded ? "dfotad --new-admin-token" : NULL, err);
}

bool admin_token_add_named(struct db *db, const char *name, const struct sha256 *hash, const char *by,
                           struct error *err)
{
    struct token token = {.scope = SCOPE_ADMIN, .created_ms = clock_utc_ms(), .hash = *hash};
    return find_name(db, name, token.name, err) && store(db, &token, by, err);
}

bool admin_token_load(const char *directory, struct db *db, struct error *err)
{
    _cleanup_(cleanup_free) struct token *list = NULL;
    struct token token;
    char path[PATH_MAX];
    size_t count;
    if (!token_list(db, &list, &count, err))
        return false;
    if (count)
        return true;
    if (!make_token(directory, db, false, &token, err) || !path_of(directory, "admin.token", path, err))
        return false;
    log_line(LOG_LEVEL_INFO, "admin-token", "file", path, NULL);
    return true;
}

static bool renew(const char *directory, struct data_dir *data, struct error *err)
{
    char path[PATH_MAX];
    struct db *db = NULL;
    struct token token;
    if (!path_of(directory, "dfota.db", path, err))
        return false;
    if (access(path, F_OK) != 0)
        return error_errno(err, errno, "there is no server's data in %s", directory);
    if (!data_dir_open(directory, data, err)) {
        struct error why = *err;
        return error_set(err, why.code, "%.300s: stop the server before", why.text);
    }
    if (!db_open_writer(path, &db, err))
        return false;
    bool ok = make_token(directory, db, true, &token, err);
    db_close(db);
    if (ok)
        printf("The token %s is in %s/admin.token.\n", token.name, directory);
    return ok;
}

bool admin_token_renew(const char *directory, struct error *err)
{
    struct data_dir data = DATA_DIR_CLOSED;
    umask(077); /* other users may not read the server's files */
    bool ok = renew(directory, &data, err);
    data_dir_close(&data);
    return ok;
}
