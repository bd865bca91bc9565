/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/growth.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/core/log.h"
#include "server/core/stop_point.h"
#include "server/db/blob_commit.h"
#include "server/db/sizes.h"
#include "storage/idempotency.h"
#include "storage/image_package.h"
#include "storage/ledger.h"

#define AT_ONCE       500   /* rows in one transaction: check-ins wait meanwhile */
#define TARGETS_KEPT  100   /* ended ones of a firmware */
#define UNKNOWN_MAX   10000 /* files that are remembered */
#define REMOVED_A_DAY 1000  /* of these */

/* Old attempts */

struct drop {
    int64_t device_id, kept, removed;
};

static bool drop_attempts(void *cls, struct db *db, struct error *err)
{
    struct drop *drop = cls;
    return growth_drop_attempts(db, drop->device_id, drop->kept, AT_ONCE, &drop->removed, err);
}

static bool find_devices(const struct daemon *daemon, int64_t after, int64_t **ret, size_t *ret_count,
                         struct error *err)
{
    struct db *db = NULL;
    bool ok = reader_pool_take(daemon->reader_pool, &db, err) &&
              growth_devices(db, (int64_t)daemon->config->attempts_kept, after, AT_ONCE, ret, ret_count, err);
    reader_pool_give(daemon->reader_pool, db);
    return ok;
}

static bool end_attempts(const struct daemon *daemon, int64_t *ret_removed, struct error *err)
{
    struct drop drop = {.kept = (int64_t)daemon->config->attempts_kept};
    size_t count = AT_ONCE;
    *ret_removed = 0;
    while (drop.kept && count == AT_ONCE) {
        _cleanup_(cleanup_free) int64_t *ids = NULL;
        if (!find_devices(daemon, drop.device_id, &ids, &count, err))
            return false;
        for (size_t i = 0; i < count; i++) {
            drop.device_id = ids[i];
            do {
                if (!writer_call(daemon->writer, drop_attempts, &drop, err))
                    return false;
                *ret_removed += drop.removed;
            } while (drop.removed == AT_ONCE);
        }
    }
    return true;
}

/* Ended targets, counts of past days */

static bool drop_targets(void *cls, struct db *db, struct error *err)
{
    return growth_drop_targets(db, TARGETS_KEPT, AT_ONCE / 10, cls, err);
}

static bool drop_days(void *cls, struct db *db, struct error *err)
{
    struct drop *drop = cls;
    return ledger_day_remove(db, drop->kept, AT_ONCE, &drop->removed, err);
}

static bool drop_admissions(void *cls, struct db *db, struct error *err)
{
    (void)cls;
    return growth_drop_admissions(db, clock_utc_ms() / DAY_MS - 1, err);
}

static bool drop_keys(void *cls, struct db *db, struct error *err)
{
    return idempotency_expire(db, clock_utc_ms(), AT_ONCE / 10, cls, err);
}

static bool end_keys(const struct daemon *daemon, struct error *err)
{
    int64_t removed;
    do {
        if (!writer_call(daemon->writer, drop_keys, &removed, err))
            return false;
    } while (removed == AT_ONCE / 10);
    return true;
}

static bool end_days(const struct daemon *daemon, int64_t *ret_days, struct error *err)
{
    int64_t days = (int64_t)daemon->config->check_ins_keep_days;
    struct drop drop = {.kept = clock_utc_ms() / DAY_MS - days, .removed = days ? AT_ONCE : 0};
    *ret_days = 0;
    while (drop.removed == AT_ONCE) {
        if (!writer_call(daemon->writer, drop_days, &drop, err))
            return false;
        *ret_days += drop.removed;
    }
    return writer_call(daemon->writer, drop_admissions, NULL, err);
}

static bool end_rows(const struct daemon *daemon, struct error *err)
{
    int64_t attempts, days, targets = 0, removed;
    struct log_number attempt_number, day_number, target_number;
    if (!end_attempts(daemon, &attempts, err) || !end_days(daemon, &days, err) || !end_keys(daemon, err))
        return false;
    do {
        if (!writer_call(daemon->writer, drop_targets, &removed, err))
            return false;
        targets += removed;
    } while (removed == AT_ONCE / 10);
    if (attempts || days || targets)
        log_line(LOG_LEVEL_INFO, "rows-removed", "attempts", log_i64(&attempt_number, attempts),
                 "check_in_days", log_i64(&day_number, days), "targets", log_i64(&target_number, targets),
                 NULL);
    return true;
}

/* Files that no row names */

struct search {
    const struct daemon *daemon;
    struct db *db;
    struct unknown_blob *found; /* then sorted */
    size_t count;
    struct sha256 *due; /* to be removed */
    size_t due_count;
};

static bool look_at_file(void *cls, const struct sha256 *hash, struct error *err)
{
    struct search *search = cls;
    bool used;
    if (!image_uses_blob(search->db, hash, &used, err))
        return false;
    if (!used && search->count < UNKNOWN_MAX)
        search->found[search->count++].hash = *hash;
    return true;
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct sha256));
}

/* Writer's thread: remembers the files that are unknown since now, forgets those that are gone or named, and lists those
   that are due. A file is due only after this database has not named it for long: a database that is put into
   place by mistake costs no file. */
static bool remember(void *cls, struct db *db, struct error *err)
{
    struct search *search = cls;
    _cleanup_(cleanup_free) struct unknown_blob *known = NULL;
    size_t known_count, at = 0;
    int64_t now_ms = clock_utc_ms(),
            keep_ms = (int64_t)search->daemon->config->unknown_files_keep_days * DAY_MS;
    if (!unknown_blob_list(db, &known, &known_count, err))
        return false;
    for (size_t i = 0; i < known_count; i++) {
        const struct unknown_blob *row = &known[i];
        for (; at < search->count && by_hash(&search->found[at].hash, &row->hash) < 0; at++)
            if (!unknown_blob_add(db, &search->found[at].hash, now_ms, err))
                return false;
        bool is_there = at < search->count && sha256_equal(&search->found[at].hash, &row->hash);
        at += is_there;
        if ((!is_there || row->since_ms > now_ms) && !unknown_blob_remove(db, &row->hash, err))
            return false;
        if (is_there && keep_ms && now_ms - row->since_ms >= keep_ms && search->due_count < REMOVED_A_DAY)
            search->due[search->due_count++] = row->hash;
    }
    for (; at < search->count; at++)
        if (!unknown_blob_add(db, &search->found[at].hash, now_ms, err))
            return false;
    return true;
}

static bool end_files(struct search *search, struct stored_sizes *sizes, struct error *err)
{
    const struct daemon *daemon = search->daemon;
    struct log_number number;
    bool ok = reader_pool_take(daemon->reader_pool, &search->db, err) &&
              blobs_walk(daemon->blobs, look_at_file, search, &sizes->blobs, err) &&
              growth_count(search->db, &sizes->rows, err);
    reader_pool_give(daemon->reader_pool, search->db);
    if (!ok)
        return false;
    if (search->count)
        qsort(search->found, search->count, sizeof *search->found, by_hash);
    if (!writer_call(daemon->writer, remember, search, err))
        return false;
    stop_point("files-remembered");
    size_t removed = blob_remove_unused(daemon->writer, daemon->blobs, search->due, search->due_count);
    if (removed)
        log_line(LOG_LEVEL_INFO, "blobs-removed", "count", log_i64(&number, (int64_t)removed), NULL);
    sizes->unknown_blobs = (int64_t)(search->count - removed);
    sizes->at_ms = clock_utc_ms();
    return true;
}

void growth_run(const struct daemon *daemon)
{
    struct stored_sizes sizes = {.at_ms = 0};
    struct search search = {.daemon = daemon,
                            .found = calloc(UNKNOWN_MAX, sizeof *search.found),
                            .due = calloc(REMOVED_A_DAY, sizeof *search.due)};
    struct error err;
    bool ok = search.found && search.due ? end_rows(daemon, &err) && end_files(&search, &sizes, &err)
                                         : error_set(&err, ERROR_INTERNAL, "out of memory");
    if (ok)
        sizes_set(daemon->sizes, &sizes);
    else
        log_line(LOG_LEVEL_WARN, "chore-failed", "error", err.text, NULL);
    free(search.found);
    free(search.due);
}
