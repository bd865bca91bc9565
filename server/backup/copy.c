/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/backup/copy.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "storage/blob.h"
#include "storage/seal.h"

#define SUMS     "SHA256SUMS"
#define MANIFEST "manifest.json"

void copy_free(struct copy *copy)
{
    free(copy->missing);
    copy->missing = NULL;
    copy->missing_count = 0;
}

void copy_path(const struct copy *copy, const char *file, char *out, size_t out_size)
{
    if (snprintf(out, out_size, "%s/%s/%s", copy->store, copy->name, file) >= (int)out_size)
        out[0] = '\0'; /* opens as a missing file */
}

/* Which copy */

bool copy_list(const char *store, char (**ret)[BACKUP_NAME_SIZE], size_t *ret_count, struct error *err)
{
    if (!backup_name_list(store, ret, ret_count))
        return error_errno(err, errno, "cannot read %s", store);
    if (*ret_count == 0)
        return error_set(err, ERROR_INVALID, "there is no backup in %.300s: dfotactl backup DIR makes one",
                         store);
    return true;
}

bool copy_find(const char *path, struct copy *ret, bool *ret_is_store, struct error *err)
{
    char real[PATH_MAX];
    _cleanup_(cleanup_free) char(*names)[BACKUP_NAME_SIZE] = NULL;
    size_t count;
    if (!realpath(path, real))
        return error_errno(err, errno, "cannot open the backup %s", path);
    char *slash = strrchr(real, '/');
    bool is_store = !backup_name_is(slash + 1);
    if (ret_is_store)
        *ret_is_store = is_store;
    if (!is_store) {
        memcpy(ret->name, slash + 1, strlen(slash + 1) + 1);
        *(slash == real ? slash + 1 : slash) = '\0';
    } else {
        if (!copy_list(real, &names, &count, err))
            return false;
        memcpy(ret->name, names[count - 1], sizeof ret->name);
    }
    snprintf(ret->store, sizeof ret->store, "%s", real);
    return true;
}

/* Its files */

struct sums {
    char said[1024], found[1024]; /* lines of SHA256SUMS: in the file, and as they must be */
    size_t len;
};

static bool read_sums(const struct copy *copy, struct sums *sums, struct findings *findings)
{
    char path[PATH_MAX];
    copy_path(copy, SUMS, path, sizeof path);
    _cleanup_(cleanup_fclose) FILE *file = fopen(path, "re");
    if (!file) {
        findings_add(findings, "the backup %s is not complete: cannot read its " SUMS ": %s", copy->name,
                     strerror(errno));
        return false;
    }
    sums->said[fread(sums->said, 1, sizeof sums->said - 1, file)] = '\0';
    return true;
}

static void check_file(const struct copy *copy, const char *name, bool needed, struct sums *sums,
                       struct findings *findings)
{
    char path[PATH_MAX], hex[SHA256_HEX_SIZE], line[120];
    _cleanup_(cleanup_close) int fd = -1;
    struct sha256 hash;
    struct error err;
    uint64_t size;
    copy_path(copy, name, path, sizeof path);
    if (!needed && access(path, F_OK) != 0)
        return;
    if (!blob_hash_file(path, &fd, &hash, &size, &err)) {
        findings_add(findings, "the backup %s is not complete: %.300s", copy->name, err.text);
        return;
    }
    sha256_hex(&hash, hex);
    snprintf(line, sizeof line, "%s  %s\n", hex, name);
    if (!strstr(sums->said, line))
        findings_add(findings, "the file %s does not have the SHA-256 that is in " SUMS, path);
    sums->len += (size_t)snprintf(sums->found + sums->len, sizeof sums->found - sums->len, "%s", line);
}

static bool check_files(const struct copy *copy, struct findings *findings)
{
    struct sums sums = {.len = 0};
    unsigned before = findings->faults;
    if (!read_sums(copy, &sums, findings))
        return false;
    check_file(copy, "dfota.conf", false, &sums, findings);
    check_file(copy, SEAL_FILE, false, &sums, findings);
    check_file(copy, "dfota.db", true, &sums, findings);
    check_file(copy, "signing.key", false, &sums, findings);
    check_file(copy, MANIFEST, true, &sums, findings);
    if (findings->faults == before && strcmp(sums.said, sums.found) != 0)
        findings_add(findings, "the backup %s is not complete: a file that its " SUMS " names is missing",
                     copy->name);
    return findings->faults == before;
}

/* The manifest */

static bool read_missing(const json_t *list, struct copy *copy)
{
    size_t i;
    const json_t *item;
    copy->missing = calloc(json_array_size(list) + 1, sizeof *copy->missing);
    json_array_foreach (list, i, item) {
        const char *hex = json_string_value(json_object_get(item, "sha256"));
        if (!copy->missing || !hex || !sha256_from_hex(slice_of(hex), &copy->missing[copy->missing_count++]))
            return false;
    }
    return copy->missing != NULL;
}

static bool read_manifest(struct copy *copy, const json_t *manifest)
{
    const char *version = NULL, *hash = NULL;
    const json_t *configuration = NULL, *missing = NULL;
    json_int_t made = 0, seq = 0;
    int form = 0;
    if (json_unpack((json_t *)manifest, "{s:i, s:I, s:s, s:{s:I, s:s}, s:o, s:o}", "backup", &form, "made_at",
                    &made, "version", &version, "ledger", "seq", &seq, "hash", &hash, "configuration",
                    &configuration, "missing", &missing) != 0 ||
        form != 1)
        return false;
    copy->made_ms = made;
    snprintf(copy->version, sizeof copy->version, "%s", version);
    copy->head.seq = seq;
    copy->has_configuration = json_is_object(configuration);
    copy->has_key = json_is_object(json_object_get(manifest, "key"));
    return sha256_from_hex(slice_of(hash), &copy->head.hash) && read_missing(missing, copy);
}

bool copy_read(struct copy *copy, struct findings *findings)
{
    char path[PATH_MAX];
    if (!check_files(copy, findings))
        return false;
    copy_path(copy, MANIFEST, path, sizeof path);
    json_t *manifest = json_load_file(path, 0, NULL);
    bool ok = manifest && read_manifest(copy, manifest);
    json_decref(manifest);
    if (!ok)
        findings_add(findings, "the file %s is not the manifest of a backup that this dfotad knows", path);
    return ok;
}
