/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/backup/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "server/ledger/verify.h"
#include "storage/blob.h"
#include "storage/wal.h"

static void cleanup_db(struct db **db)
{
    db_close(*db);
}

static void cleanup_blobs(struct blobs **blobs)
{
    blobs_close(*blobs);
}

void checked_free(struct checked *checked)
{
    free(checked->blobs);
    checked->blobs = NULL;
    checked->blob_count = 0;
}

/* Another schema is no fault of the file: only this dfotad cannot read it. */
static bool fail(struct findings *findings, struct error *err)
{
    if (err->code != ERROR_UNAVAILABLE)
        findings_add(findings, "%s", err->text);
    return false;
}

bool check_database(const char *path, const struct chain_head *against, struct checked *ret,
                    struct findings *findings, struct error *err)
{
    _cleanup_(cleanup_db) struct db *db = NULL;
    unsigned before = findings->faults;
    if (!wal_check(path, err) || !db_open_copy(path, &db, err) || !db_check_schema(db, &ret->schema, err) ||
        !db_check(db, findings_add_database, findings, err))
        return fail(findings, err);
    if (!db_check_seal(db, err))
        findings_add(findings, "%s", err->text);
    if (findings->faults != before)
        return false;
    if (!ledger_check(db, against, &ret->head, err) || !blob_row_list(db, &ret->blobs, &ret->blob_count, err))
        return fail(findings, err);
    return true;
}

/* Sets of hashes */

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct sha256));
}

bool hash_set_has(const struct hash_set *set, const struct sha256 *hash)
{
    return set->count && bsearch(hash, set->hash, set->count, sizeof *set->hash, compare);
}

bool hash_set_add(struct hash_set *set, const struct blob_row *rows, size_t count)
{
    struct sha256 *grown = realloc(set->hash, (set->count + count + 1) * sizeof *grown);
    if (!grown)
        return false;
    set->hash = grown;
    size_t known = set->count;
    for (size_t i = 0; i < count; i++) {
        const struct hash_set old = {set->hash, known};
        if (!hash_set_has(&old, &rows[i].sha256))
            set->hash[set->count++] = rows[i].sha256;
    }
    qsort(set->hash, set->count, sizeof *set->hash, compare);
    return true;
}

/* Blobs */

static void check_blob(const struct blobs *blobs, const struct blob_row *row, struct findings *findings)
{
    _cleanup_(cleanup_close) int fd = -1;
    struct error err;
    uint64_t size;
    if (!blob_open_checked(blobs, &row->sha256, &fd, &size, &err))
        findings_add(findings, "%s: %.220s", row->what, err.text);
    else if (size != (uint64_t)row->size_bytes)
        findings_add(findings, "%s has %" PRIu64 " bytes, and the database says %" PRId64, row->what, size,
                     row->size_bytes);
}

bool check_blobs(const char *directory, const struct blob_row *rows, size_t count,
                 const struct hash_set *done, struct findings *findings, struct error *err)
{
    _cleanup_(cleanup_blobs) struct blobs *blobs = NULL;
    if (!blobs_open_copy(directory, &blobs, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!hash_set_has(done, &rows[i].sha256))
            check_blob(blobs, &rows[i], findings);
    return true;
}

static bool is_known(void *cls, const struct sha256 *hash, bool *ret_needed, struct error *err)
{
    (void)err;
    *ret_needed = hash_set_has(cls, hash);
    return true;
}

bool check_unknown(const char *directory, const struct hash_set *known, unsigned *ret, struct error *err)
{
    _cleanup_(cleanup_blobs) struct blobs *blobs = NULL;
    bool removed;
    return blobs_open_copy(directory, &blobs, err) &&
           blobs_sweep(blobs, is_known, (void *)known, 0, ret, &removed, err);
}
