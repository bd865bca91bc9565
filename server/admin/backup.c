/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What dfotactl backup fetches: a copy of the database, and the files that the copy names. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <config.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/signing_key.h"
#include "server/admin/content.h"
#include "server/admin/handlers.h"
#include "server/core/log.h"
#include "server/db/snapshot.h"
#include "storage/blob_row.h"
#include "storage/image_package.h"
#include "storage/ledger.h"
#include "storage/seal.h"

static void cleanup_db(struct db **db)
{
    db_close(*db);
}

static void note_fault(void *cls, const char *text)
{
    char *first = cls; /* a struct error's text */
    if (!first[0])
        snprintf(first, sizeof((struct error *)0)->text, "the database is damaged: %.300s", text);
}

/* A damaged database is never given out as a backup. */
static bool check(struct db *copy, struct error *err)
{
    char fault[sizeof err->text] = "";
    return db_check(copy, note_fault, fault, err) &&
           (!fault[0] || error_set(err, ERROR_CORRUPT, "%s", fault));
}

static json_t *list_blobs(const struct blob_row *rows, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array,
                              json_pack("{s:s, s:o, s:I}", "what", rows[i].what, "sha256",
                                        field_hash(&rows[i].sha256), "size", (json_int_t)rows[i].size_bytes));
    return array;
}

static json_t *file_json(const struct sha256 *hash, uint64_t size)
{
    return json_pack("{s:o, s:I}", "sha256", field_hash(hash), "size", (json_int_t)size);
}

/* The configuration file, as it was read at the start; null without one. */
static json_t *configuration_json(const struct config *config)
{
    struct sha256 hash;
    if (!config->file_text)
        return json_null();
    sha256_of(config->file_text, config->file_size, &hash);
    return file_json(&hash, config->file_size);
}

static bool open_key(const struct daemon *daemon, int *ret_fd, struct sha256 *ret_hash, uint64_t *ret_size,
                     struct error *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/" SEAL_FILE, daemon->config->data_dir);
    return blob_hash_file(path, ret_fd, ret_hash, ret_size, err);
}

static bool key_json(const struct daemon *daemon, json_t **ret, struct error *err)
{
    _cleanup_(cleanup_close) int fd = -1;
    struct sha256 hash;
    uint64_t size;
    if (!open_key(daemon, &fd, &hash, &size, err))
        return false;
    *ret = file_json(&hash, size);
    return true;
}

/* The bytes of signing.key; the caller's (free_secret). NULL: out of memory. */
static char *read_signing_key(const struct daemon *daemon, size_t *ret_size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_size);
    bool ok = out && signature_key_write(daemon->signing_key->key, out);
    ok = out && fclose(out) == 0 && ok;
    if (ok)
        return text;
    free(text);
    return NULL;
}

static void free_secret(char *text, size_t size)
{
    if (text)
        explicit_bzero(text, size);
    free(text);
}

static json_t *signing_key_file_json(const struct daemon *daemon)
{
    struct sha256 hash;
    size_t size = 0;
    char *text = read_signing_key(daemon, &size);
    if (!text)
        return NULL;
    sha256_of(text, size, &hash);
    free_secret(text, size);
    return file_json(&hash, size);
}

/* All but the hash of the copy. */
static bool describe(struct admin_call *call, const char *path, json_t **ret, struct error *err)
{
    _cleanup_(cleanup_db) struct db *copy = NULL;
    _cleanup_(cleanup_free) struct blob_row *rows = NULL;
    struct ledger_row head;
    size_t count;
    unsigned schema;
    if (!db_open_copy(path, &copy, err) || !check(copy, err) || !db_check_schema(copy, &schema, err) ||
        !ledger_head(copy, &head, err) || !blob_row_list(copy, &rows, &count, err))
        return false;
    *ret = json_pack("{s:i, s:I, s:s, s:i, s:{s:I, s:o, s:o}, s:o, s:o, s:o}", "backup", 1, "made_at",
                     (json_int_t)clock_utc_ms(), "version", PACKAGE_VERSION, "schema", (int)schema, "ledger",
                     "seq", (json_int_t)head.seq, "hash", field_hash(&head.hash), "at",
                     field_number(head.at_ms), "configuration", configuration_json(call->daemon->config),
                     "signing_key", signing_key_file_json(call->daemon), "blobs", list_blobs(rows, count));
    return *ret || error_set(err, ERROR_INTERNAL, "out of memory");
}

/* Hashes the copy, and keeps it open: its name is removed with its folder. */
static bool keep(struct admin_call *call, const char *path, json_t *manifest, struct error *err)
{
    struct sha256 hash;
    uint64_t size;
    int fd;
    if (!blob_hash_file(path, &fd, &hash, &size, err))
        return false;
    snapshot_keep(call->daemon->snapshot, fd, &hash, size);
    json_object_set_new(manifest, "database", file_json(&hash, size));
    return true;
}

static bool database_size(struct admin_call *call, uint64_t *ret, struct error *err)
{
    char path[PATH_MAX];
    struct stat info;
    *ret = 0;
    for (int log = 0; log < 2; log++) {
        snprintf(path, sizeof path, "%s/dfota.db%s", call->daemon->config->data_dir, log ? "-wal" : "");
        if (stat(path, &info) != 0)
            return error_errno(err, errno, "cannot ask for the size of %s", path);
        *ret += (uint64_t)info.st_size;
    }
    return true;
}

bool admin_backup_begin(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *manifest = NULL;
    json_t *key;
    char folder[PATH_MAX], path[PATH_MAX + 16];
    struct log_number blobs, bytes;
    uint64_t size;
    if (!database_size(call, &size, err) || !blobs_check_space(call->daemon->blobs, size, err))
        return false;
    call_store_counts(call);
    if (!blob_workdir(call->daemon->blobs, folder, sizeof folder, err))
        return false;
    snprintf(path, sizeof path, "%s/dfota.db", folder);
    bool ok = db_copy(call->db, path, err) && describe(call, path, &manifest, err) &&
              keep(call, path, manifest, err) && key_json(call->daemon, &key, err);
    blob_workdir_remove(folder);
    if (!ok)
        return false;
    json_object_set_new(manifest, "key", key);
    log_line(
        LOG_LEVEL_INFO, "backup-begun", "peer", call->request->peer, "bytes",
        log_i64(&bytes, json_integer_value(json_object_get(json_object_get(manifest, "database"), "size"))),
        "blobs", log_i64(&blobs, (int64_t)json_array_size(json_object_get(manifest, "blobs"))), NULL);
    call->keeps_json = true;
    reply_json(&call->reply, 200, json_incref(manifest));
    return true;
}

/* Its files */

static bool is_configuration(const struct config *config, const struct sha256 *hash)
{
    struct sha256 ours;
    if (!config->file_text)
        return false;
    sha256_of(config->file_text, config->file_size, &ours);
    return sha256_equal(&ours, hash);
}

static bool is_key(const struct daemon *daemon, const struct sha256 *hash, int *ret_fd, uint64_t *ret_size)
{
    struct sha256 ours;
    struct error ignored;
    if (!open_key(daemon, ret_fd, &ours, ret_size, &ignored))
        return false;
    if (sha256_equal(&ours, hash))
        return true;
    cleanup_close(ret_fd);
    return false;
}

static bool answer_signing_key(struct admin_call *call, const struct sha256 *hash)
{
    struct sha256 ours;
    size_t size = 0;
    char *text = read_signing_key(call->daemon, &size);
    if (!text)
        return false;
    sha256_of(text, size, &ours);
    bool wanted = sha256_equal(&ours, hash);
    if (wanted) {
        reply_text(&call->reply, 200, "application/octet-stream", text, size);
        content_cut(call, hash);
    }
    free_secret(text, size);
    return wanted;
}

/* A blob that no row names any more was removed: that is no damage. */
static bool answer_blob(struct admin_call *call, const struct sha256 *hash, const char *name,
                        struct error *err)
{
    bool used;
    struct error damage;
    if (content_answer_blob(call, hash, name, &damage))
        return true;
    if (!image_uses_blob(call->db, hash, &used, err))
        return false;
    if (!used)
        return error_set(err, ERROR_NOT_FOUND, "the server has no file with the SHA-256 %s any more", name);
    *err = damage;
    if (damage.code == ERROR_CORRUPT)
        log_line(LOG_LEVEL_ERROR, "blob-corrupt", "error", damage.text, NULL);
    return false;
}

bool admin_backup_file(struct admin_call *call, struct error *err)
{
    char name[SHA256_HEX_SIZE];
    const struct config *config = call->daemon->config;
    struct sha256 hash;
    uint64_t size;
    int fd;
    if (!request_param(call->request, 0, name, sizeof name, err))
        return false;
    if (!sha256_from_hex(slice_of(name), &hash))
        return error_set(err, ERROR_BAD_NAME, "a file of a backup is named by its SHA-256, 64 hex digits");
    if (is_configuration(config, &hash)) {
        reply_text(&call->reply, 200, "application/octet-stream", config->file_text, config->file_size);
        content_cut(call, &hash);
        return true;
    }
    if (answer_signing_key(call, &hash))
        return true;
    if (!snapshot_find(call->daemon->snapshot, &hash, &fd, &size) && !is_key(call->daemon, &hash, &fd, &size))
        return answer_blob(call, &hash, name, err);
    reply_init(&call->reply, 200);
    call->reply.content_type = "application/octet-stream";
    call->reply.fd = fd;
    call->reply.size = size;
    content_cut(call, &hash);
    return true;
}

bool admin_backup_end(struct admin_call *call, struct error *err)
{
    (void)err;
    snapshot_drop(call->daemon->snapshot, INT64_MAX);
    reply_init(&call->reply, 204);
    return true;
}
