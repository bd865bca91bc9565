/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/backup/fsck.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "server/backup/check.h"
#include "server/backup/copy.h"
#include "server/db/data_dir.h"

static int status_of(const struct findings *findings)
{
    if (findings->faults == 0)
        puts("no fault was found");
    else
        printf("%u %s\n", findings->faults, findings->faults == 1 ? "fault was found" : "faults were found");
    return findings->faults > 0;
}

static void print_database(const struct checked *checked)
{
    char hex[SHA256_HEX_SIZE];
    sha256_hex(&checked->head.hash, hex);
    printf("the database was read: schema %u; the last row of the ledger is row %" PRId64 " with hash %s\n",
           checked->schema, checked->head.seq, hex);
}

/* A data directory */

static bool check_data_dir(const char *directory, struct findings *findings, struct error *err)
{
    struct checked checked = {.schema = 0};
    struct hash_set known = {.count = 0};
    char path[PATH_MAX];
    unsigned unknown = 0;
    if (snprintf(path, sizeof path, "%s/dfota.db", directory) >= (int)sizeof path)
        return error_set(err, ERROR_INVALID, "the path of the data directory is too long");
    if (access(path, F_OK) != 0)
        return error_errno(err, errno, "cannot open the database %s", path);
    if (!check_database(path, NULL, &checked, findings, err))
        return findings->faults > 0;
    print_database(&checked);
    bool ok = check_blobs(directory, checked.blobs, checked.blob_count, &known, findings, err) &&
              hash_set_add(&known, checked.blobs, checked.blob_count) &&
              check_unknown(directory, &known, &unknown, err);
    if (ok)
        printf("the database names %zu files in blobs/; each was compared with its SHA-256\n",
               checked.blob_count);
    if (ok && unknown)
        printf(
            "%u more files in blobs/ are named by no row: a killed server leaves such files, and they do no "
            "harm\n",
            unknown);
    free(known.hash);
    checked_free(&checked);
    return ok;
}

/* A backup */

static bool check_copy(const char *store, const char *name, struct hash_set *done, struct findings *findings,
                       struct error *err)
{
    struct checked checked = {.schema = 0};
    struct copy copy = {.made_ms = 0};
    char path[PATH_MAX];
    snprintf(copy.store, sizeof copy.store, "%s", store);
    snprintf(copy.name, sizeof copy.name, "%s", name);
    printf("backup %s\n", name);
    copy_path(&copy, "dfota.db", path, sizeof path);
    bool ok = true;
    if (copy_read(&copy, findings) && check_database(path, &copy.head, &checked, findings, err)) {
        print_database(&checked);
        ok = check_blobs(store, checked.blobs, checked.blob_count, done, findings, err) &&
             (hash_set_add(done, checked.blobs, checked.blob_count) ||
              error_set(err, ERROR_INTERNAL, "out of memory"));
    } else if (err->code == ERROR_UNAVAILABLE) {
        ok = false;
    }
    copy_free(&copy);
    checked_free(&checked);
    return ok;
}

static bool check_store(const char *path, struct findings *findings, struct error *err)
{
    char(*names)[BACKUP_NAME_SIZE] = NULL;
    struct copy found = {.made_ms = 0};
    struct hash_set done = {.count = 0};
    size_t count = 1;
    unsigned unknown = 0;
    bool is_store;
    if (!copy_find(path, &found, &is_store, err) ||
        (is_store && !copy_list(found.store, &names, &count, err)))
        return false;
    bool ok = true;
    for (size_t i = count; ok && i-- > 0;)
        ok = check_copy(found.store, is_store ? names[i] : found.name, &done, findings, err);
    free(names);
    if (ok)
        printf("these backups name %zu files in blobs/; each was compared with its SHA-256\n", done.count);
    if (ok && is_store && findings->faults == 0 && check_unknown(found.store, &done, &unknown, err) &&
        unknown)
        printf("%u more files in blobs/ are named by no backup: dfotactl backup --keep N removes them\n",
               unknown);
    free(done.hash);
    return ok;
}

int fsck_run(const char *data_dir, const char *backup, struct error *err)
{
    struct findings findings = {.prints = true};
    struct data_dir locks = DATA_DIR_CLOSED;
    err->code = ERROR_INTERNAL;
    bool ok = backup ? check_store(backup, &findings, err)
                     : data_dir_lock(data_dir, &locks, err) && check_data_dir(data_dir, &findings, err);
    data_dir_close(&locks);
    return ok ? status_of(&findings) : 2;
}
