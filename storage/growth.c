/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/growth.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "storage/campaign.h"
#include "storage/entities.h"

#define OLD_ATTEMPTS                                                                                         \
    "(SELECT a.id FROM attempt a WHERE a.device_id = $1 AND a.id < coalesce((SELECT b.id FROM attempt b "     \
    "WHERE b.device_id = $1 ORDER BY b.id DESC LIMIT 1 OFFSET $2), 0) "                                      \
    "AND a.ended_ms IS NOT NULL AND a.state <> 'confirmed' "                                                  \
    "AND NOT EXISTS (SELECT 1 FROM awaited w WHERE w.attempt_id = a.id) "                                     \
    "AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.attempt_id = a.id) "                                   \
    "AND NOT EXISTS (SELECT 1 FROM transcript t WHERE t.attempt_id = a.id) "                                 \
    "AND (a.beside <> 0 OR a.id < " NEWEST_FOR_TARGET("a.firmware_id", "a.target_version", "a.device_id") ") "   \
    "ORDER BY a.id LIMIT $3)"

enum {
    DEVICES,
    DROP_TURNKEYS,
    DROP_ATTEMPTS,
    TARGETS,
    DROP_ADMISSIONS,
    UNKNOWN_LIST,
    UNKNOWN_ADD,
    UNKNOWN_REMOVE,
    COUNT,
    BYTES
};
static const char *const sql[] = {
    [DEVICES] =
        "SELECT device_id FROM attempt WHERE device_id > $1 GROUP BY device_id HAVING count(*) > $2 "
        "ORDER BY device_id LIMIT $3",
    [DROP_TURNKEYS] = "DELETE FROM turnkey WHERE attempt_id IN " OLD_ATTEMPTS,
    [DROP_ATTEMPTS] = "DELETE FROM attempt WHERE id IN " OLD_ATTEMPTS,
    [TARGETS] =
        ("SELECT c.id FROM campaign c WHERE c.plain = 1 AND c.state NOT IN ('running', 'paused') "
         "AND (SELECT count(*) FROM campaign n WHERE n.firmware_id = c.firmware_id AND n.plain = 1 "
         "AND n.id > c.id) >= $1 AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.firmware_id = c.firmware_id "
         "AND a.target_version = c.target AND a.campaign_id = c.id AND a.ended_ms IS NULL) "
         "ORDER BY c.id LIMIT $2"),
    [DROP_ADMISSIONS] = "DELETE FROM admission WHERE day < $1",
    [UNKNOWN_LIST] = "SELECT sha256, since_ms FROM blob_unknown ORDER BY sha256",
    [UNKNOWN_ADD] = "INSERT INTO blob_unknown (sha256, since_ms) VALUES ($1, $2)",
    [UNKNOWN_REMOVE] = "DELETE FROM blob_unknown WHERE sha256 = $1",
    [COUNT] =
        ("SELECT (SELECT count(*) FROM image), (SELECT count(*) FROM package), (SELECT count(*) FROM device), "
         "(SELECT count(*) FROM link), (SELECT count(*) FROM attempt), (SELECT count(*) FROM check_in_day), "
         "(SELECT count(*) FROM transcript), (SELECT count(*) FROM campaign), "
         "(SELECT count(*) FROM campaign_device), "
         "(SELECT coalesce(max(seq) - min(seq) + 1, 0) FROM ledger), (SELECT count(*) FROM outbox)"),
    [BYTES] = ("SELECT page_count * page_size, freelist_count * page_size "
               "FROM pragma_page_count, pragma_page_size, pragma_freelist_count"),
};
DB_TABLE(growth, ENTITY_GROWTH);

bool growth_devices(struct db *db, int64_t kept, int64_t after, int64_t limit, int64_t **ret,
                    size_t *ret_count, struct error *err)
{
    int64_t id = 0;
    return db_list(db, QUERY(DEVICES, PARAMS(P_INT(after), P_INT(kept), P_INT(limit)), FIELDS(F_INT(&id))),
                   &id, sizeof id, ret, ret_count, err);
}

bool growth_drop_attempts(struct db *db, int64_t device_id, int64_t kept, int64_t most, int64_t *ret_removed,
                          struct error *err)
{
    /* The newest `kept` end at the row with this offset. */
    const int64_t offset = kept - 1;
    return db_do(db, COMMAND(DROP_TURNKEYS, PARAMS(P_INT(device_id), P_INT(offset), P_INT(most))), NULL,
                 err) &&
           db_do(db, COMMAND(DROP_ATTEMPTS, PARAMS(P_INT(device_id), P_INT(offset), P_INT(most))),
                 ret_removed, err);
}

bool growth_drop_targets(struct db *db, int64_t kept, int64_t most, int64_t *ret_removed, struct error *err)
{
    _cleanup_(cleanup_free) int64_t *ids = NULL;
    int64_t id = 0;
    size_t count;
    if (!db_list(db, QUERY(TARGETS, PARAMS(P_INT(kept), P_INT(most)), FIELDS(F_INT(&id))), &id, sizeof id,
                 &ids, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!campaign_remove(db, ids[i], err))
            return false;
    *ret_removed = (int64_t)count;
    return true;
}

bool growth_drop_admissions(struct db *db, int64_t day, struct error *err)
{
    return db_do(db, COMMAND(DROP_ADMISSIONS, PARAMS(P_INT(day))), NULL, err);
}

bool unknown_blob_list(struct db *db, struct unknown_blob **ret, size_t *ret_count, struct error *err)
{
    struct unknown_blob row = {.since_ms = 0};
    return db_list(db, QUERY(UNKNOWN_LIST, NO_PARAMS, FIELDS(F_HASH(&row.hash), F_INT(&row.since_ms))), &row,
                   sizeof row, ret, ret_count, err);
}

bool unknown_blob_add(struct db *db, const struct sha256 *hash, int64_t now_ms, struct error *err)
{
    return db_do(db, COMMAND(UNKNOWN_ADD, PARAMS(P_HASH(hash), P_INT(now_ms))), NULL, err);
}

bool unknown_blob_remove(struct db *db, const struct sha256 *hash, struct error *err)
{
    return db_do(db, COMMAND(UNKNOWN_REMOVE, PARAMS(P_HASH(hash))), NULL, err);
}

bool growth_count(struct db *db, struct growth_counts *ret, struct error *err)
{
    bool found;
    return db_row(db,
                  QUERY(COUNT, NO_PARAMS,
                        FIELDS(F_INT(&ret->images), F_INT(&ret->packages), F_INT(&ret->devices),
                               F_INT(&ret->links), F_INT(&ret->attempts), F_INT(&ret->check_in_days),
                               F_INT(&ret->transcripts), F_INT(&ret->campaigns),
                               F_INT(&ret->campaign_devices), F_INT(&ret->ledger), F_INT(&ret->outbox))),
                  &found, err);
}

bool growth_bytes(struct db *db, int64_t *ret_bytes, int64_t *ret_free, struct error *err)
{
    bool found;
    return db_row(db, QUERY(BYTES, NO_PARAMS, FIELDS(F_INT(ret_bytes), F_INT(ret_free))), &found, err);
}
