/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/overview.h"

#include <stdio.h>

#include "storage/entities.h"
#include "storage/ledger.h"

#define DEVICE_OF(since)                                                                                     \
    "SELECT p.product_key, f.name, d.id_kind, d.device, d.claim_version, d.confirmed_version, " since        \
    " FROM device d JOIN product p ON p.id = d.product_id JOIN firmware f ON f.id = d.firmware_id WHERE "
/* The end of a list: "" for all products. */
#define OF_PRODUCT(product, limit) "AND (" product " = '' OR p.product_key = " product ") LIMIT " limit
#define DEVICE_FIELDS(row)                                                                                   \
    FIELDS(F_TEXT((row).product), F_TEXT((row).firmware), F_ENUM(&(row).id_kind, &id_kind_names),            \
           F_TEXT((row).device), F_TEXT((row).version), F_TEXT((row).confirmed), F_INT(&(row).since_ms))

enum {
    OF_ALL,
    OF_TARGETS,
    BYTES,
    CLAIMS,
    STALE_LINKS,
    SECRET_CONFLICTS,
    CAMPAIGNS,
    PAUSED,
    QUARANTINES,
    OVERSIZE_FROM,
    HELD,
    LAST_LINK
};
static const char *const sql[] = {
    [OF_ALL] =
        "SELECT (SELECT count(*) FROM image WHERE firmware_id = $1), coalesce(sum(devices), 0), "
        "coalesce(sum(devices) FILTER (WHERE asked_version <> ''), 0), "
        "coalesce(sum(devices) FILTER (WHERE blocked <> 0), 0) FROM fleet_group "
        "WHERE firmware_id = $1 AND target_version = ''",
    /* A device has one open attempt, so it is counted once in these. */
    [OF_TARGETS] =
        "SELECT coalesce(sum(devices) FILTER (WHERE state = 'waiting'), 0), "
        "coalesce(sum(devices) FILTER (WHERE state IN ('sending', 'interrupted')), 0), "
        "coalesce(sum(devices) FILTER (WHERE state IN ('delivered', 'handed_over')), 0), "
        "coalesce(sum(devices) FILTER (WHERE state = 'silent' AND EXISTS (SELECT 1 FROM campaign c "
        "WHERE c.firmware_id = g.firmware_id AND c.target = g.target_version "
        "AND c.state IN ('running', 'paused'))), 0) "
        "FROM fleet_group g WHERE firmware_id = $1 AND target_version > ''",
    [BYTES] =
        "SELECT coalesce(sum(b.bytes), 0), coalesce(sum(i.size_bytes * (SELECT coalesce(sum(g.devices), 0) "
        "FROM fleet_group g WHERE g.firmware_id = b.firmware_id AND g.target_version = b.target_version "
        "AND g.by_us <> 0)), 0) FROM fleet_bytes b JOIN image i ON i.firmware_id = b.firmware_id "
        "AND i.version = b.target_version WHERE b.firmware_id = $1",
    [CLAIMS] = DEVICE_OF("d.claim_ms") "d.claim_version IS NOT NULL AND d.state IS NULL " OF_PRODUCT("$1", "$2"),
    [STALE_LINKS] = DEVICE_OF("d.last_answer_ms") "d.notice LIKE 'stale link%' AND d.blocked = 0 "
                                                  "AND d.state IS NULL " OF_PRODUCT("$1", "$2"),
    [SECRET_CONFLICTS] =
        DEVICE_OF("(SELECT c.at_ms FROM device_secret_conflict c WHERE c.device_id = d.id)")
        "d.id IN (SELECT device_id FROM device_secret_conflict WHERE at_ms >= $1) AND d.state IS NULL " OF_PRODUCT("$2", "$3"),
    [CAMPAIGNS] =
        "SELECT c.id FROM campaign c JOIN firmware f ON f.id = c.firmware_id JOIN product p ON p.id = f.product_id "
        "WHERE c.state IN ('running', 'paused') AND ((c.state = 'paused' AND (c.breach IS NOT NULL "
        "OR c.last_done <> 0)) OR (c.state = 'running' AND c.asked_stage = c.stage + 1)) " OF_PRODUCT("$1", "$2"),
    [PAUSED] =
        "SELECT at_ms, detail FROM ledger WHERE kind = 'campaign-paused' AND product = $1 AND firmware = $2 "
        "ORDER BY seq DESC LIMIT 20",
    [QUARANTINES] =
        "SELECT p.product_key, f.name, coalesce(a.version, ''), b.version, q.reason, q.at_ms FROM quarantine q "
        "JOIN firmware f ON f.id = q.firmware_id JOIN product p ON p.id = f.product_id "
        "JOIN image b ON b.firmware_id = q.firmware_id AND b.sha256 = q.to_sha256 "
        "LEFT JOIN image a ON a.firmware_id = q.firmware_id AND a.sha256 = q.from_sha256 "
        "WHERE true " OF_PRODUCT("$1", "$2"),
    [OVERSIZE_FROM] =
        "SELECT g.asked_version, sum(g.devices) AS total, max(p.size_bytes), max(p.size_bytes - p.uncounted_bytes) FROM firmware f "
        "JOIN fleet_group g ON g.firmware_id = f.id AND g.target_version = '' AND g.asked_version <> '' "
        "JOIN image a ON a.firmware_id = f.id AND a.version = g.asked_version "
        "JOIN image t ON t.firmware_id = f.id AND t.version = $1 "
        "JOIN package p ON p.from_sha256 = a.sha256 AND p.to_sha256 = t.sha256 AND p.format = f.format "
        "AND p.state = 'ready' AND p.size_bytes - p.uncounted_bytes > f.max_package_bytes "
        "WHERE f.id = $2 GROUP BY g.asked_version ORDER BY total DESC LIMIT $3",
    [HELD] = "SELECT count(*) FROM (SELECT 1 FROM device WHERE product_id = $1 AND state = 'held' LIMIT $2)",
    [LAST_LINK] = "SELECT coalesce(max(id), 0) FROM link",
};
DB_TABLE(overview, ENTITY_OVERVIEW);

bool overview_counts(struct db *db, int64_t firmware_id, struct overview_counts *ret, struct error *err)
{
    bool found;
    *ret = (struct overview_counts){.devices = 0};
    return db_row(db,
                  QUERY(OF_ALL, PARAMS(P_INT(firmware_id)),
                        FIELDS(F_INT(&ret->images), F_INT(&ret->devices), F_INT(&ret->asked),
                               F_INT(&ret->blocked))),
                  &found, err) &&
           db_row(db,
                  QUERY(OF_TARGETS, PARAMS(P_INT(firmware_id)),
                        FIELDS(F_INT(&ret->waiting), F_INT(&ret->sending), F_INT(&ret->delivered),
                               F_INT(&ret->silent))),
                  &found, err) &&
           db_row(db,
                  QUERY(BYTES, PARAMS(P_INT(firmware_id)),
                        FIELDS(F_INT(&ret->bytes_sent), F_INT(&ret->bytes_full))),
                  &found, err);
}

static bool list_devices(struct db *db, unsigned statement, const char *product, int64_t limit,
                         struct overview_device **ret, size_t *ret_count, struct error *err)
{
    struct overview_device row = {.since_ms = 0};
    return db_list(db, QUERY(statement, PARAMS(P_TEXT(product), P_INT(limit)), DEVICE_FIELDS(row)), &row,
                   sizeof row, ret, ret_count, err);
}

bool overview_claims(struct db *db, const char *product, int64_t limit, struct overview_device **ret,
                     size_t *ret_count, struct error *err)
{
    return list_devices(db, CLAIMS, product, limit, ret, ret_count, err);
}

bool overview_secret_conflicts(struct db *db, int64_t since_ms, const char *product, int64_t limit,
                               struct overview_device **ret, size_t *ret_count, struct error *err)
{
    struct overview_device row = {.since_ms = 0};
    return db_list(
        db,
        QUERY(SECRET_CONFLICTS, PARAMS(P_INT(since_ms), P_TEXT(product), P_INT(limit)), DEVICE_FIELDS(row)),
        &row, sizeof row, ret, ret_count, err);
}

bool overview_stale_links(struct db *db, const char *product, int64_t limit, struct overview_device **ret,
                          size_t *ret_count, struct error *err)
{
    return list_devices(db, STALE_LINKS, product, limit, ret, ret_count, err);
}

bool overview_campaigns(struct db *db, const char *product, int64_t limit, int64_t **ret, size_t *ret_count,
                        struct error *err)
{
    int64_t id = 0;
    return db_list(db, QUERY(CAMPAIGNS, PARAMS(P_TEXT(product), P_INT(limit)), FIELDS(F_INT(&id))), &id,
                   sizeof id, ret, ret_count, err);
}

struct pause {
    int64_t at_ms, found_ms;
    char detail[LEDGER_DETAIL_SIZE];
    char wanted[CAMPAIGN_NAME_SIZE + 20];
};

static bool match_pause(void *cls)
{
    struct pause *pause = cls;
    if (strstr(pause->detail, pause->wanted))
        pause->found_ms = pause->at_ms;
    return !pause->found_ms;
}

bool overview_paused_ms(struct db *db, const struct overview_campaign *campaign, int64_t *ret,
                        struct error *err)
{
    struct pause pause = {.found_ms = 0};
    snprintf(pause.wanted, sizeof pause.wanted, "\"campaign\":\"%s\"", campaign->name);
    if (!db_rows(db,
                 QUERY(PAUSED, PARAMS(P_TEXT(campaign->product), P_TEXT(campaign->firmware)),
                       FIELDS(F_INT(&pause.at_ms), F_TEXT(pause.detail))),
                 match_pause, &pause, err))
        return false;
    *ret = pause.found_ms;
    return true;
}

bool overview_quarantines(struct db *db, const char *product, int64_t limit, struct overview_hop **ret,
                          size_t *ret_count, struct error *err)
{
    struct overview_hop row = {.since_ms = 0};
    return db_list(db,
                   QUERY(QUARANTINES, PARAMS(P_TEXT(product), P_INT(limit)),
                         FIELDS(F_TEXT(row.product), F_TEXT(row.firmware), F_TEXT(row.from), F_TEXT(row.to),
                                F_TEXT(row.reason), F_INT(&row.since_ms))),
                   &row, sizeof row, ret, ret_count, err);
}

bool overview_oversize(struct db *db, int64_t firmware_id, const char *target, int64_t limit,
                       struct overview_oversize **ret, size_t *ret_count, struct error *err)
{
    struct overview_oversize row = {.devices = 0};
    return db_list(db,
                   QUERY(OVERSIZE_FROM, PARAMS(P_TEXT(target), P_INT(firmware_id), P_INT(limit)),
                         FIELDS(F_TEXT(row.from), F_INT(&row.devices), F_INT(&row.size_bytes),
                                F_INT(&row.counted_bytes))),
                   &row, sizeof row, ret, ret_count, err);
}

bool overview_held(struct db *db, int64_t product_id, int64_t *ret, struct error *err)
{
    bool found;
    return db_row(db, QUERY(HELD, PARAMS(P_INT(product_id), P_INT(OVERVIEW_HELD_MAX)), FIELDS(F_INT(ret))),
                  &found, err);
}

bool overview_any_link(struct db *db, bool *ret, struct error *err)
{
    int64_t last = 0;
    bool found;
    if (!db_row(db, QUERY(LAST_LINK, NO_PARAMS, FIELDS(F_INT(&last))), &found, err))
        return false;
    *ret = last > 0;
    return true;
}
