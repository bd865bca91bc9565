/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/campaign_device.h"

#include "base/cleanup.h"
#include "storage/entities.h"

#define COLUMNS(FIRST, NEXT, row)                                                                            \
    FIRST(campaign_id, INT, row->campaign_id)                                                                \
    NEXT(device_id, INT, row->device_id)                                                                     \
    NEXT(rank, INT, row->rank)                                                                               \
    NEXT(outcome, ENUM, row->outcome, &campaign_outcome_names)                                               \
    NEXT(at_ms, INT_OR_NULL, row->at_ms)
#define OF_M_FIRST(column, ...) "m." #column
#define OF_M_NEXT(column, ...)  ", m." #column
#define SELECTED                COLUMNS(OF_M_FIRST, OF_M_NEXT, ) ", m.stage IS NOT NULL, m.stage"
#define ROW(row)                COLUMN_FIELDS(COLUMNS, row), F_BOOL(&(row)->admitted), F_INT(&(row)->stage)

#define LISTED                                                                                               \
    "SELECT " SELECTED                                                                                       \
    ", d.id_kind, d.device, d.confirmed_version, d.asked_version, d.last_seen_ms "                           \
    "FROM campaign_device m JOIN device d ON d.id = m.device_id "
/* The version that a device runs, as far as known. */
#define RUNS "coalesce(d.asked_version, d.confirmed_version, '')"

#define TAKES_NO_PART "(d.state IS 'retired' OR d.held_out_ms IS NOT NULL OR d.firmware_id <> c.firmware_id)"
/* The version is one of several builds, and which one is known. */
#define KNOWN_BUILD                                                                                          \
    "d.build_sha256 IS NOT NULL AND " RUNS                                                                   \
    " = d.confirmed_version AND (SELECT count(*) FROM image i "                                              \
    "WHERE i.firmware_id = d.firmware_id AND i.version = d.confirmed_version) > 1 "                          \
    "GROUP BY d.confirmed_version, d.build_sha256 ORDER BY count(*) DESC, d.confirmed_version"

/* Active devices of a firmware. */
#define HELD_OUT                                                                                             \
    "FROM device d INDEXED BY device_held_out WHERE d.firmware_id = $1 AND d.held_out_ms IS NOT NULL "       \
    "AND d.state IS NULL "

enum {
    LIVE,
    FIND,
    ADD,
    UPDATE,
    HAND_OVER,
    DROP,
    DROP_ALL,
    ROWS_OF,
    CONFLICT,
    NUMBER,
    LAST_RANK,
    COUNT_OUT,
    SELECT_ONE,
    OUT_ALL,
    HELD_OUT_ONE,
    RESET_ALL,
    COPY_ALL,
    CONFIRM_ALL,
    FOLD,
    IDS,
    LIST,
    LIST_OUTCOME,
    LIST_FAILED,
    LIST_SILENT,
    GROUPS_OF_FIRMWARE,
    GROUPS_OF_LIST,
    BUILDS_OF_FIRMWARE,
    BUILDS_OF_LIST
};
static const char *const sql[] = {
    [LIVE] = "SELECT " SELECTED " FROM campaign_device m JOIN campaign c ON c.id = m.campaign_id "
             "WHERE m.device_id = $1 AND c.firmware_id = $2 AND c.state IN ('running', 'paused') "
             "AND (c.audience = 'list' OR m.outcome <> 'out') "
             "ORDER BY c.audience = 'list' DESC, c.id DESC",
    [FIND] = "SELECT " SELECTED " FROM campaign_device m WHERE m.campaign_id = $1 AND m.device_id = $2",
    [ADD] = "INSERT INTO campaign_device (" COLUMN_NAMES(COLUMNS) ", stage) VALUES (" COLUMN_VALUES(COLUMNS) ", $stage) "
            "ON CONFLICT DO NOTHING",
    [UPDATE] = "UPDATE campaign_device SET outcome = $1, at_ms = $2, stage = $3 WHERE campaign_id = $4 AND device_id = $5",
    [HAND_OVER] = "UPDATE campaign_device SET device_id = $1, rank = $2, outcome = $3, at_ms = $4, stage = $5 "
                  "WHERE campaign_id = $6 AND device_id = $7",
    [DROP] = "DELETE FROM campaign_device WHERE campaign_id = $1 AND device_id = $2",
    [ROWS_OF] = "SELECT " SELECTED " FROM campaign_device m WHERE m.device_id = $1 ORDER BY m.campaign_id",
    [CONFLICT] = "SELECT c.id FROM campaign_device m JOIN campaign c ON c.id = m.campaign_id WHERE m.device_id = $1 "
                 "AND c.firmware_id = $2 AND c.audience = 'list' AND c.state IN ('running', 'paused') "
                 "AND c.target <> $3 AND c.id <> $4 LIMIT 1",
    [NUMBER] = "SELECT rank FROM campaign_device WHERE campaign_id = $1 AND outcome <> 'out' ORDER BY rank LIMIT 1 OFFSET $2",
    [LAST_RANK] = "SELECT max(rank) FROM campaign_device WHERE campaign_id = $1",
    [COUNT_OUT] = "SELECT count(*) FROM campaign_device WHERE campaign_id = $1 AND outcome = 'out' AND rank < $2",
    [SELECT_ONE] = "INSERT INTO campaign_device (campaign_id, device_id, rank, outcome) "
                   "SELECT $1, id, $2, 'waiting' FROM device WHERE id = $3 AND firmware_id = $4 ON CONFLICT DO NOTHING",
    [OUT_ALL] = "UPDATE campaign_device SET outcome = 'out', at_ms = $1 WHERE campaign_id = $2 AND EXISTS "
                "(SELECT 1 FROM device d JOIN campaign c ON c.id = campaign_id WHERE d.id = device_id "
                "AND (d.state = 'retired' OR d.held_out_ms IS NOT NULL OR d.firmware_id <> c.firmware_id))",
    [HELD_OUT_ONE] = "SELECT 1 FROM device d INDEXED BY device_held_out JOIN campaign_device m ON m.device_id = d.id "
                     "WHERE d.firmware_id = $1 AND d.held_out_ms IS NOT NULL AND d.state IS NOT 'retired' "
                     "AND m.campaign_id = $2 AND m.outcome = 'out' LIMIT 1",
    [DROP_ALL] = "DELETE FROM campaign_device WHERE campaign_id = $1",
    [RESET_ALL] = "UPDATE campaign_device SET outcome = 'waiting', at_ms = NULL, stage = NULL WHERE campaign_id = $1",
    [COPY_ALL] = "INSERT INTO campaign_device (campaign_id, device_id, rank, outcome) "
                 "SELECT $1, device_id, rank, 'waiting' FROM campaign_device WHERE campaign_id = $2 AND rank < $3",
    [CONFIRM_ALL] = "UPDATE campaign_device SET outcome = 'confirmed', at_ms = $1 WHERE campaign_id = $2 AND stage IS NULL "
                    "AND outcome <> 'out' "
                    "AND EXISTS (SELECT 1 FROM device d JOIN campaign c ON c.firmware_id = d.firmware_id "
                    "WHERE d.id = device_id AND c.id = campaign_id AND d.confirmed_version = $3)",
    [FOLD] = "UPDATE campaign_device INDEXED BY campaign_device_ahead SET stage = $1 WHERE campaign_id = $2 AND rank < $3 AND stage IS NULL "
             "AND outcome = 'confirmed'",
    [IDS] = "SELECT device_id FROM campaign_device WHERE campaign_id = $1 ORDER BY rank",
    [LIST] = LISTED "WHERE m.campaign_id = $1 AND m.rank > $2 ORDER BY m.rank LIMIT $3",
    [LIST_OUTCOME] = LISTED "WHERE m.campaign_id = $1 AND m.outcome = $2 AND m.rank > $3 ORDER BY m.rank LIMIT $4",
    [LIST_FAILED] = LISTED "WHERE m.campaign_id = $1 AND m.stage = $2 AND m.outcome IN ('not_applied', 'diverged') "
                           "ORDER BY m.at_ms DESC LIMIT $3",
    [LIST_SILENT] = LISTED "WHERE m.campaign_id = $1 AND m.stage = $2 AND m.outcome = 'silent' "
                           "ORDER BY m.at_ms DESC LIMIT $3",
    [GROUPS_OF_FIRMWARE] =
        "SELECT runs, is_out, devices FROM (SELECT runs, 0 AS is_out, sum(devices) AS devices FROM "
        "(SELECT iif(asked_version = '', confirmed_version, asked_version) AS runs, "
        "devices FROM fleet_group WHERE firmware_id = $1 AND target_version = '' "
        "UNION ALL SELECT " RUNS ", -1 " HELD_OUT ") GROUP BY runs "
        "UNION ALL SELECT " RUNS " AS runs, 1, count(*) " HELD_OUT "GROUP BY runs) WHERE devices > 0 "
        "ORDER BY is_out, devices DESC, runs",
    [GROUPS_OF_LIST] = "SELECT " RUNS " AS runs, " TAKES_NO_PART " AS is_out, count(*) FROM campaign c JOIN campaign_device m "
                       "ON m.campaign_id = c.id JOIN device d ON d.id = m.device_id WHERE c.id = $1 "
                       "GROUP BY runs, is_out ORDER BY is_out, count(*) DESC, runs",
    [BUILDS_OF_FIRMWARE] =
        "SELECT d.confirmed_version, d.build_sha256, count(*) FROM (SELECT version FROM image WHERE firmware_id = $1 "
        "GROUP BY version HAVING count(*) > 1) v CROSS JOIN device d ON d.firmware_id = $1 AND d.state IS NULL "
        "AND d.held_out_ms IS NULL AND d.confirmed_version = v.version AND " KNOWN_BUILD,
    [BUILDS_OF_LIST] = "SELECT d.confirmed_version, d.build_sha256, count(*) FROM campaign c JOIN campaign_device m "
                       "ON m.campaign_id = c.id JOIN device d ON d.id = m.device_id WHERE c.id = $1 "
                       "AND NOT " TAKES_NO_PART " AND " KNOWN_BUILD,
};
DB_TABLE(campaign_device, ENTITY_CAMPAIGN_DEVICE);

static struct db_value stage_of(const struct campaign_device *device)
{
    return device->admitted ? P_INT(device->stage) : P_NULL;
}

bool campaign_device_live(struct db *db, int64_t device_id, int64_t firmware_id, struct campaign *ret,
                          struct campaign_device *ret_row, size_t *ret_count, struct error *err)
{
    _cleanup_(cleanup_free) struct campaign_device *list = NULL;
    struct campaign_device one = {0}, *row = &one;
    bool found;
    if (!db_list(db, QUERY(LIVE, PARAMS(P_INT(device_id), P_INT(firmware_id)), FIELDS(ROW(row))), row,
                 sizeof one, &list, ret_count, err))
        return false;
    if (!*ret_count)
        return true;
    *ret_row = list[0];
    return campaign_by_id(db, ret_row->campaign_id, ret, &found, err);
}

bool campaign_device_find(struct db *db, int64_t campaign_id, int64_t device_id, struct campaign_device *ret,
                          bool *ret_found, struct error *err)
{
    return db_row(db, QUERY(FIND, PARAMS(P_INT(campaign_id), P_INT(device_id)), FIELDS(ROW(ret))), ret_found,
                  err);
}

bool campaign_device_add(struct db *db, const struct campaign_device *device, bool *ret_new,
                         struct error *err)
{
    int64_t changes;
    if (!db_do(db, COMMAND(ADD, PARAMS(COLUMN_PARAMS(COLUMNS, device), stage_of(device))), &changes, err))
        return false;
    *ret_new = changes > 0;
    return true;
}

bool campaign_device_update(struct db *db, const struct campaign_device *device, struct error *err)
{
    return db_do(
        db,
        COMMAND(UPDATE, PARAMS(P_ENUM(device->outcome, &campaign_outcome_names), P_INT_OR_NULL(device->at_ms),
                               stage_of(device), P_INT(device->campaign_id), P_INT(device->device_id))),
        NULL, err);
}

bool campaign_device_hand_over(struct db *db, int64_t before, const struct campaign_device *device,
                               struct error *err)
{
    return db_do(db,
                 COMMAND(HAND_OVER, PARAMS(P_INT(device->device_id), P_INT(device->rank),
                                           P_ENUM(device->outcome, &campaign_outcome_names),
                                           P_INT_OR_NULL(device->at_ms), stage_of(device),
                                           P_INT(device->campaign_id), P_INT(before))),
                 NULL, err);
}

bool campaign_device_drop(struct db *db, int64_t campaign_id, int64_t device_id, struct error *err)
{
    return db_do(db, COMMAND(DROP, PARAMS(P_INT(campaign_id), P_INT(device_id))), NULL, err);
}

bool campaign_device_rows_of(struct db *db, int64_t device_id, struct campaign_device **ret,
                             size_t *ret_count, struct error *err)
{
    struct campaign_device one = {0}, *row = &one;
    return db_list(db, QUERY(ROWS_OF, PARAMS(P_INT(device_id)), FIELDS(ROW(row))), row, sizeof one, ret,
                   ret_count, err);
}

bool campaign_device_conflict(struct db *db, const struct campaign *campaign, int64_t device_id,
                              struct campaign *ret, bool *ret_found, struct error *err)
{
    int64_t id;
    return db_row(db,
                  QUERY(CONFLICT,
                        PARAMS(P_INT(device_id), P_INT(campaign->firmware_id), P_TEXT(campaign->target),
                               P_INT(campaign->id)),
                        FIELDS(F_INT(&id))),
                  ret_found, err) &&
           (!*ret_found || campaign_by_id(db, id, ret, ret_found, err));
}

/* Without a gap in the ranks, the rank grows by the devices below that are out. */
static bool reach_by_out(struct db *db, int64_t campaign_id, int64_t devices, int64_t *ret, struct error *err)
{
    int64_t out = 0, before;
    bool found;
    do {
        before = out;
        if (!db_row(
                db,
                QUERY(COUNT_OUT, PARAMS(P_INT(campaign_id), P_INT(devices + before)), FIELDS(F_INT(&out))),
                &found, err))
            return false;
    } while (out != before);
    *ret = devices + out;
    return true;
}

bool campaign_device_reach(struct db *db, const struct campaign *campaign, int64_t devices, int64_t *ret,
                           struct error *err)
{
    int64_t last;
    bool found;
    *ret = INT32_MAX;
    if (devices > campaign->devices - campaign->out)
        return true;
    if (devices == 0) {
        *ret = 0;
        return true;
    }
    if (!db_row(db, QUERY(LAST_RANK, PARAMS(P_INT(campaign->id)), FIELDS(F_INT(&last))), &found, err))
        return false;
    if (last + 1 == campaign->devices)
        return reach_by_out(db, campaign->id, devices, ret, err);
    if (!db_row(db, QUERY(NUMBER, PARAMS(P_INT(campaign->id), P_INT(devices - 1)), FIELDS(F_INT(&last))),
                &found, err))
        return false;
    if (found)
        *ret = last + 1;
    return true;
}

bool campaign_device_select(struct db *db, const struct campaign *campaign, int64_t device_id, int64_t rank,
                            bool *ret_new, struct error *err)
{
    int64_t changes;
    if (!db_do(db,
               COMMAND(SELECT_ONE, PARAMS(P_INT(campaign->id), P_INT(rank), P_INT(device_id),
                                          P_INT(campaign->firmware_id))),
               &changes, err))
        return false;
    *ret_new = changes > 0;
    return true;
}

bool campaign_device_out_all(struct db *db, int64_t campaign_id, int64_t now_ms, int64_t *ret_count,
                             struct error *err)
{
    return db_do(db, COMMAND(OUT_ALL, PARAMS(P_INT(now_ms), P_INT(campaign_id))), ret_count, err);
}

bool campaign_device_held_out(struct db *db, const struct campaign *campaign, bool *ret, struct error *err)
{
    return db_row(db,
                  QUERY(HELD_OUT_ONE, PARAMS(P_INT(campaign->firmware_id), P_INT(campaign->id)), NO_FIELDS),
                  ret, err);
}

bool campaign_device_drop_all(struct db *db, int64_t campaign_id, struct error *err)
{
    return db_do(db, COMMAND(DROP_ALL, PARAMS(P_INT(campaign_id))), NULL, err);
}

bool campaign_device_reset_all(struct db *db, int64_t campaign_id, struct error *err)
{
    return db_do(db, COMMAND(RESET_ALL, PARAMS(P_INT(campaign_id))), NULL, err);
}

bool campaign_device_copy_all(struct db *db, int64_t from, int64_t to, int64_t below, int64_t *ret_count,
                              struct error *err)
{
    return db_do(db, COMMAND(COPY_ALL, PARAMS(P_INT(to), P_INT(from), P_INT(below))), ret_count, err);
}

bool campaign_device_confirm_all(struct db *db, int64_t campaign_id, const char *target, int64_t now_ms,
                                 int64_t *ret_count, struct error *err)
{
    return db_do(db, COMMAND(CONFIRM_ALL, PARAMS(P_INT(now_ms), P_INT(campaign_id), P_TEXT(target))),
                 ret_count, err);
}

bool campaign_device_fold(struct db *db, int64_t campaign_id, int64_t reach, int64_t stage,
                          int64_t *ret_count, struct error *err)
{
    return db_do(db, COMMAND(FOLD, PARAMS(P_INT(stage), P_INT(campaign_id), P_INT(reach))), ret_count, err);
}

#define LISTED_FIELDS(listed)                                                                                \
    FIELDS(ROW(&(listed)->row), F_ENUM(&(listed)->id_kind, &id_kind_names), F_TEXT((listed)->device),        \
           F_TEXT((listed)->confirmed_version), F_TEXT((listed)->asked_version),                             \
           F_INT(&(listed)->last_seen_ms))

bool campaign_device_ids(struct db *db, int64_t campaign_id, int64_t **ret, size_t *ret_count,
                         struct error *err)
{
    int64_t row = 0;
    return db_list(db, QUERY(IDS, PARAMS(P_INT(campaign_id)), FIELDS(F_INT(&row))), &row, sizeof row, ret,
                   ret_count, err);
}

bool campaign_device_list(struct db *db, int64_t campaign_id, enum campaign_outcome outcome, int64_t after,
                          int64_t limit, struct campaign_device_listed **ret, size_t *ret_count,
                          struct error *err)
{
    struct campaign_device_listed row = {.device = ""};
    if (outcome == CAMPAIGN_OUTCOME_COUNT)
        return db_list(
            db, QUERY(LIST, PARAMS(P_INT(campaign_id), P_INT(after), P_INT(limit)), LISTED_FIELDS(&row)),
            &row, sizeof row, ret, ret_count, err);
    return db_list(db,
                   QUERY(LIST_OUTCOME,
                         PARAMS(P_INT(campaign_id), P_ENUM(outcome, &campaign_outcome_names), P_INT(after),
                                P_INT(limit)),
                         LISTED_FIELDS(&row)),
                   &row, sizeof row, ret, ret_count, err);
}

bool campaign_device_breached(struct db *db, int64_t campaign_id, int64_t stage, enum gate_breach breach,
                              int64_t limit, struct campaign_device_listed **ret, size_t *ret_count,
                              struct error *err)
{
    struct campaign_device_listed row = {.device = ""};
    return db_list(db,
                   QUERY(breach == BREACH_SILENT ? LIST_SILENT : LIST_FAILED,
                         PARAMS(P_INT(campaign_id), P_INT(stage), P_INT(limit)), LISTED_FIELDS(&row)),
                   &row, sizeof row, ret, ret_count, err);
}

bool campaign_device_groups(struct db *db, const struct campaign *campaign, struct campaign_group **ret,
                            size_t *ret_count, struct error *err)
{
    struct campaign_group row = {.version = ""};
    bool is_list = campaign->audience == AUDIENCE_LIST;
    return db_list(db,
                   QUERY(is_list ? GROUPS_OF_LIST : GROUPS_OF_FIRMWARE,
                         PARAMS(P_INT(is_list ? campaign->id : campaign->firmware_id)),
                         FIELDS(F_TEXT(row.version), F_BOOL(&row.out), F_INT(&row.devices))),
                   &row, sizeof row, ret, ret_count, err);
}

bool campaign_device_builds(struct db *db, const struct campaign *campaign, struct campaign_group **ret,
                            size_t *ret_count, struct error *err)
{
    struct campaign_group row = {.version = ""};
    bool is_list = campaign->audience == AUDIENCE_LIST;
    return db_list(db,
                   QUERY(is_list ? BUILDS_OF_LIST : BUILDS_OF_FIRMWARE,
                         PARAMS(P_INT(is_list ? campaign->id : campaign->firmware_id)),
                         FIELDS(F_TEXT(row.version), F_HASH(&row.build), F_INT(&row.devices))),
                   &row, sizeof row, ret, ret_count, err);
}
