/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/rhythm.h"

#include "storage/entities.h"

#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(first_seen_ms, INT_OR_NULL, row->first_seen_ms)                                                    \
    NEXT(last_seen_ms, INT_OR_NULL, row->last_seen_ms)                                                       \
    NEXT(check_ins, INT, row->check_ins)                                                                     \
    NEXT(pauses, INT, row->pauses)                                                                           \
    NEXT(pauses_ms, INT, row->pauses_ms)
#define SELECT "SELECT " COLUMN_NAMES(COLUMNS) " FROM device WHERE "

enum { OF_FIRMWARE, OF_LIST };
static const char *const sql[] = {
    [OF_FIRMWARE] = SELECT
    "id IN (SELECT id FROM (SELECT id FROM device WHERE firmware_id = $1 AND state IS NULL ORDER BY id "
    "LIMIT $2) UNION SELECT id FROM (SELECT id FROM device WHERE firmware_id = $1 AND state IS NULL "
    "ORDER BY id DESC LIMIT $2))",
    [OF_LIST] = SELECT
    "state IS NULL AND id IN (SELECT device_id FROM (SELECT device_id FROM campaign_device "
    "WHERE campaign_id = $1 ORDER BY rank LIMIT $2) UNION SELECT device_id FROM (SELECT device_id "
    "FROM campaign_device WHERE campaign_id = $1 ORDER BY rank DESC LIMIT $2))",
};
DB_TABLE(rhythm, ENTITY_RHYTHM);

bool rhythm_sample(struct db *db, const struct campaign *campaign, struct rhythm **ret, size_t *ret_count,
                   struct error *err)
{
    struct rhythm made = {.check_ins = 0}, *row = &made;
    bool is_list = campaign->audience == AUDIENCE_LIST &&
                   !(campaign->filter[0] && campaign->state == CAMPAIGN_DRAFT); /* its list is not made yet */
    return db_list(
        db,
        QUERY(is_list ? OF_LIST : OF_FIRMWARE,
              PARAMS(P_INT(is_list ? campaign->id : campaign->firmware_id), P_INT(RHYTHM_SAMPLE / 2)),
              FIELDS(COLUMN_FIELDS(COLUMNS, row))),
        row, sizeof *row, ret, ret_count, err);
}
