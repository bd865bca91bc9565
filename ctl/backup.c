/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl backup: fetches a consistent copy of the database, and the files that the folder does not
   have yet. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "ctl/backup_prune.h"
#include "ctl/backup_store.h"
#include "ctl/command.h"

#define TRIES 10 /* a file that is replaced during the backup means another copy of the database */

struct backup {
    struct session *session;
    struct backup_store store;
    json_t *manifest; /* of the server; gets "missing" */
    char sums[1024];  /* the lines of SHA256SUMS */
    int64_t fetched, bytes;
};

static void cleanup_hash(struct sha256_state **state)
{
    sha256_free(*state);
}

/* Fetching */

struct wanted {
    struct sha256 hash;
    char hex[SHA256_HEX_SIZE];
    int64_t size;
};

static bool read_wanted(const json_t *json, struct wanted *ret, struct failure *fail)
{
    const char *hex = json_string_value(json_object_get(json, "sha256"));
    const json_t *size = json_object_get(json, "size");
    if (!hex || !sha256_from_hex(slice_of(hex), &ret->hash) || !json_is_integer(size))
        return failure_set(fail, EXIT_UNREACHABLE, "the backup of the server is not understood");
    sha256_hex(&ret->hash, ret->hex);
    ret->size = json_integer_value(size);
    return true;
}

/* Writes the bytes, and compares them with their hash. */
static bool fetch(struct backup *backup, const struct wanted *wanted, FILE *sink, const char *label,
                  struct failure *fail)
{
    _cleanup_(cleanup_hash) struct sha256_state *state = sha256_begin();
    struct client_path path = {.len = 0};
    struct client_answer answer = {0};
    struct sha256 got;
    struct client_call call = {
        .method = "GET", .path = path.text, .sink = sink, .sink_hash = state, .label = label};
    if (!client_path_add(&path, "backup", fail) || !client_path_add(&path, "files", fail) ||
        !client_path_add(&path, wanted->hex, fail) ||
        !client_send(backup->session->client, &call, &answer, fail))
        return false;
    client_answer_clear(&answer);
    struct sha256_state *whole = state;
    state = NULL;
    sha256_end(whole, &got);
    backup->fetched++;
    backup->bytes += wanted->size;
    return sha256_equal(&got, &wanted->hash) ||
           failure_set(fail, EXIT_UNREACHABLE, "the received bytes do not have the SHA-256 %s", wanted->hex);
}

static bool fetch_into(struct backup *backup, const struct wanted *wanted, struct backup_file *file,
                       const char *label, struct failure *fail)
{
    if (fetch(backup, wanted, file->file, label, fail))
        return backup_file_keep(file, fail);
    backup_file_drop(file);
    return false;
}

static void add_sum(struct backup *backup, const char *hex, const char *name)
{
    size_t len = strlen(backup->sums);
    snprintf(backup->sums + len, sizeof backup->sums - len, "%s  %s\n", hex, name);
}

/* A file of the backup itself, such as dfota.db. Not in the manifest, or null: the server has no such file. */
static bool fetch_file(struct backup *backup, const char *member, const char *name, struct failure *fail)
{
    const json_t *json = json_object_get(backup->manifest, member);
    struct backup_file file = {.file = NULL};
    struct wanted wanted;
    if (!json || json_is_null(json))
        return true;
    if (!read_wanted(json, &wanted, fail) || !backup_store_begin(&backup->store, name, &file, fail))
        return false;
    add_sum(backup, wanted.hex, name);
    return fetch_into(backup, &wanted, &file, name, fail);
}

/* A damaged file on the server does not stop the backup: all the rest is worth keeping. */
static bool note_missing(struct backup *backup, json_t *json, const struct failure *fail)
{
    if (strcmp(fail->code, "corrupt") != 0)
        return false;
    session_note("%s is damaged on the server, and missing in this backup: %s",
                 json_string_value(json_object_get(json, "what")), fail->text);
    json_array_append(json_object_get(backup->manifest, "missing"), json);
    return true;
}

static bool fetch_blob(struct backup *backup, json_t *json, struct failure *fail)
{
    struct backup_file file = {.file = NULL};
    struct wanted wanted;
    if (!read_wanted(json, &wanted, fail))
        return false;
    if (backup_store_has_blob(&backup->store, &wanted.hash, wanted.size))
        return true;
    return (backup_store_begin_blob(&backup->store, &wanted.hash, &file, fail) &&
            fetch_into(backup, &wanted, &file, "images and packages", fail)) ||
           note_missing(backup, json, fail);
}

static bool fetch_all(struct backup *backup, struct failure *fail)
{
    size_t i;
    json_t *blob;
    backup->sums[0] = '\0';
    if (!fetch_file(backup, "configuration", "dfota.conf", fail) ||
        !fetch_file(backup, "key", "secret.key", fail) || !fetch_file(backup, "database", "dfota.db", fail) ||
        !fetch_file(backup, "signing_key", "signing.key", fail))
        return false;
    json_array_foreach (json_object_get(backup->manifest, "blobs"), i, blob)
        if (!fetch_blob(backup, blob, fail))
            return false;
    return true;
}

static bool begin(struct backup *backup, struct failure *fail)
{
    struct client_answer answer = {0};
    json_decref(backup->manifest);
    backup->manifest = NULL;
    if (!backup_store_clear(&backup->store, fail) ||
        !client_change(backup->session->client, "POST", "/backup", NULL, &answer, fail))
        return false;
    backup->manifest = json_incref(answer.json);
    client_answer_clear(&answer);
    return json_object_set_new(backup->manifest, "missing", json_array()) == 0 ||
           failure_set(fail, EXIT_UNREACHABLE, "the backup of the server is not understood");
}

/* A file that was removed or replaced meanwhile, or another backup, needs a new copy of the database.
   The files that were fetched stay, so each try is shorter. */
static bool try(struct backup *backup, struct failure *fail)
{
    for (unsigned left = TRIES; left-- > 0;) {
        if (!begin(backup, fail))
            return false;
        if (fetch_all(backup, fail))
            return true;
        if (strcmp(fail->code, "not-found") != 0)
            return false;
        fail->code[0] = '\0';
    }
    return failure_set(
        fail, EXIT_REFUSED,
        "the files of the server changed %d times during the backup, or another backup runs: try "
        "again later",
        TRIES);
}

/* The end */

static bool write_text(struct backup *backup, const char *name, const char *text, struct failure *fail)
{
    struct backup_file file = {.file = NULL};
    if (!backup_store_begin(&backup->store, name, &file, fail))
        return false;
    fputs(text, file.file);
    return backup_file_keep(&file, fail);
}

static bool write_manifest(struct backup *backup, struct failure *fail)
{
    char hex[SHA256_HEX_SIZE];
    struct sha256 hash;
    _cleanup_(cleanup_free) char *text = json_dumps(backup->manifest, JSON_INDENT(1) | JSON_SORT_KEYS);
    if (!text)
        return failure_set(fail, EXIT_USAGE, "out of memory");
    sha256_of(text, strlen(text), &hash);
    sha256_hex(&hash, hex);
    add_sum(backup, hex, "manifest.json");
    return write_text(backup, "manifest.json", text, fail) &&
           write_text(backup, "SHA256SUMS", backup->sums, fail);
}

static json_t *describe(const struct backup *backup, const char *name, const struct backup_pruned *pruned)
{
    return json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:O, s:O, s:I, s:I, s:I}", "name", name, "folder", backup->store.path,
        "files", (json_int_t)json_array_size(json_object_get(backup->manifest, "blobs")), "fetched",
        (json_int_t)backup->fetched, "fetched_bytes", (json_int_t)backup->bytes, "missing",
        (json_int_t)json_array_size(json_object_get(backup->manifest, "missing")), "made_at",
        json_object_get(backup->manifest, "made_at"), "ledger", json_object_get(backup->manifest, "ledger"),
        "removed_backups", (json_int_t)pruned->backups, "removed_files", (json_int_t)pruned->blobs,
        "removed_bytes", (json_int_t)pruned->bytes);
}

static void print(struct session *session, const struct backup *backup, const char *name,
                  const struct backup_pruned *pruned)
{
    static const struct table_column columns[] = {
        {"Backup", "name", TABLE_TEXT},
        {"Folder", "folder", TABLE_TEXT},
        {"Made at", "made_at", TABLE_TIME},
        {"Images and packages", "files", TABLE_NUMBER},
        {"Files fetched", "fetched", TABLE_NUMBER},
        {"Bytes fetched", "fetched_bytes", TABLE_NUMBER},
        {"Missing files", "missing", TABLE_NUMBER},
        {"Last ledger row", "ledger.seq", TABLE_NUMBER},
        {"Hash of that row", "ledger.hash", TABLE_HASH},
        {"Backups removed", "removed_backups", TABLE_NUMBER},
        {"Files removed", "removed_files", TABLE_NUMBER},
        {"Bytes removed", "removed_bytes", TABLE_NUMBER},
    };
    static const struct table_view view = {columns, TABLE_COUNT(columns), NULL, NULL};
    json_t *json = describe(backup, name, pruned);
    session_print_page(session, json, &view);
    json_decref(json);
}

/* A later backup in the folder has moved the name of this one. */
static void warn_of_clock(int64_t made_ms, const char *name)
{
    char now[BACKUP_NAME_SIZE];
    backup_name_make(made_ms + MINUTE_MS, NULL, now);
    if (strcmp(name, now) > 0)
        session_note(
            "the folder has a backup with a later time, perhaps because a clock was wrong; so this one is "
            "named %s, to be the newest",
            name);
}

static int64_t size_of(const json_t *file)
{
    return json_integer_value(json_object_get(file, "size"));
}

/* The bytes of the whole backup, also of files that were there already. */
static int64_t whole_size(const json_t *manifest)
{
    int64_t size =
        size_of(json_object_get(manifest, "database")) + size_of(json_object_get(manifest, "configuration"));
    size_t i;
    const json_t *blob;
    json_array_foreach (json_object_get(manifest, "blobs"), i, blob)
        size += size_of(blob);
    json_array_foreach (json_object_get(manifest, "missing"), i, blob)
        size -= size_of(blob);
    return size;
}

/* The server remembers its last backup. It cannot know by itself whether the files arrived. */
static void report(struct backup *backup, const char *result)
{
    const json_t *manifest = backup->manifest;
    struct client_answer answer = {0};
    struct failure fail = {0};
    json_t *body = json_pack("{s:I, s:s, s:I, s:I, s:I}", "made_at",
                             (json_int_t)json_integer_value(json_object_get(manifest, "made_at")), "result",
                             result, "size", (json_int_t)whole_size(manifest), "files",
                             (json_int_t)json_array_size(json_object_get(manifest, "blobs")), "missing",
                             (json_int_t)json_array_size(json_object_get(manifest, "missing")));
    if (client_change(backup->session->client, "POST", "/backup/result", body, &answer, &fail))
        client_answer_clear(&answer);
    else
        session_note("the server could not record that the backup is %s: %s", result, fail.text);
    json_decref(body);
}

static bool make(struct backup *backup, char ret_name[BACKUP_NAME_SIZE], struct failure *fail)
{
    struct client_answer answer = {0};
    struct failure ignored;
    bool ok = try(backup, fail);
    if (client_change(backup->session->client, "DELETE", "/backup", NULL, &answer, &ignored))
        client_answer_clear(&answer);
    int64_t made_ms = json_integer_value(json_object_get(backup->manifest, "made_at"));
    ok = ok && write_manifest(backup, fail) && backup_store_publish(&backup->store, made_ms, ret_name, fail);
    if (ok)
        warn_of_clock(made_ms, ret_name);
    return ok;
}

static bool run(struct backup *backup, struct failure *fail)
{
    const struct ctl_options *options = backup->session->options;
    char name[BACKUP_NAME_SIZE];
    struct backup_pruned pruned = {0};
    if (!make(backup, name, fail)) {
        if (backup->manifest)
            report(backup, "failed");
        return false;
    }
    report(backup, json_array_size(json_object_get(backup->manifest, "missing")) ? "incomplete" : "complete");
    if (options->keep && !backup_prune(&backup->store, options->keep, name, &pruned, fail)) {
        session_note("the backup %s was made, and older ones may still be there", name);
        return false;
    }
    print(backup->session, backup, name, &pruned);
    size_t missing = json_array_size(json_object_get(backup->manifest, "missing"));
    return missing == 0 ||
           failure_set(fail, EXIT_REFUSED,
                       "the backup %s was made, but %zu %s damaged on the server and missing in the backup",
                       name, missing, missing == 1 ? "file is" : "files are");
}

bool backup_make(struct session *session, struct failure *fail)
{
    struct backup backup = {.session = session};
    if (!backup_store_open(session->args[0], &backup.store, fail)) {
        backup_store_close(&backup.store);
        return false;
    }
    bool ok = run(&backup, fail);
    backup_store_close(&backup.store);
    json_decref(backup.manifest);
    return ok;
}
