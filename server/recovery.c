/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/recovery.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "server/admin/firmware_limit.h"
#include "server/core/log.h"
#include "server/core/uptime.h"
#include "server/delivery/progress.h"
#include "storage/image_package.h"
#include "storage/package.h"

static bool is_needed(void *cls, const struct sha256 *hash, bool *ret_needed, struct error *err)
{
    return image_uses_blob(cls, hash, ret_needed, err);
}

static bool remove_unused(struct daemon *daemon, struct db *db, const struct sha256 *hash, struct error *err)
{
    bool used;
    return image_uses_blob(db, hash, &used, err) && (used || blob_remove(daemon->blobs, hash, err));
}

/* The files of packages that this version of the server no longer sends. */
static bool remove_outdated(struct daemon *daemon, struct db *db, struct error *err)
{
    _cleanup_(cleanup_free) struct sha256 *hash = NULL;
    size_t count;
    struct log_number number;
    if (!package_outdated(db, &hash, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!remove_unused(daemon, db, &hash[i], err))
            return false;
    if (count > 0)
        log_line(
            LOG_LEVEL_WARN, "packages-outdated", "count", log_i64(&number, (int64_t)count), "then",
            "modules follow other rules than those packages: they are made again; upload again those that were "
            "made elsewhere",
            NULL);
    return count == 0 || package_outdated_clear(db, err);
}

bool recovery_run(struct daemon *daemon, struct db *db, struct error *err)
{
    unsigned unknown, most = (unsigned)daemon->config->jobs + 1; /* one package per job, and one upload */
    bool removed;
    struct log_number number;
    if (!remove_outdated(daemon, db, err) ||
        !blobs_sweep(daemon->blobs, is_needed, db, most, &unknown, &removed, err) || !db_begin(db, err))
        return false;
    if (!uptime_begin(db, err) || !progress_recover(db, err) ||
        !firmware_limit_lower_all(daemon->config, db, err)) {
        db_rollback(db);
        return false;
    }
    log_i64(&number, unknown);
    if (removed)
        log_line(LOG_LEVEL_INFO, "blobs-removed", "count", number.text, NULL);
    else if (unknown)
        log_line(LOG_LEVEL_WARN, "blobs-unknown", "count", number.text, "then",
                 "they are kept: a killed server leaves fewer; perhaps an older database was restored", NULL);
    return db_commit(db, err);
}
