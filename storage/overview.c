/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/overview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#define OF_TARGET "i.firmware_id = b.firmware_id AND i.version = b.target_version"
/* Other builds of the version of the image are stored. */
#define SEVERAL(image)                                                                                       \
    "EXISTS (SELECT 1 FROM image o WHERE o.firmware_id = " image ".firmware_id AND o.version = " image       \
    ".version AND o.id <> " image ".id)"
#define MEANT(image) "(" image ".is_default = 1 OR NOT " SEVERAL(image) ")"
/* The largest of a field of the packages that are too large. */
#define OVERSIZE(field)                                                                                      \
    "(SELECT max(" field                                                                                     \
    ") FROM image a JOIN package p ON p.from_sha256 = a.sha256 "                                             \
    "JOIN image t ON t.sha256 = p.to_sha256 AND t.firmware_id = f.id AND t.version = $1 "                    \
    "WHERE a.firmware_id = f.id AND a.version = g.asked_version AND p.format = f.format AND "                \
    "p.state = 'ready' AND p.size_bytes - p.uncounted_bytes > f.max_package_bytes AND " MEANT(               \
        "a") " AND " MEANT("t") ")"

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
    SEVERAL_BUILDS,
    ASKED_FROM,
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
        "SELECT coalesce(sum(b.bytes), 0), coalesce(sum((SELECT i.size_bytes FROM image i WHERE " OF_TARGET
        " ORDER BY i.is_default DESC, i.size_bytes LIMIT 1) * (SELECT coalesce(sum(g.devices), 0) "
        "FROM fleet_group g WHERE g.firmware_id = b.firmware_id AND g.target_version = b.target_version "
        "AND g.by_us <> 0)), 0) FROM fleet_bytes b WHERE b.firmware_id = $1 AND EXISTS (SELECT 1 FROM image i "
        "WHERE " OF_TARGET ")",
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
        "SELECT p.product_key, f.name, coalesce(a.version, ''), coalesce(a.variant, ''), a.id IS NOT NULL AND "
        SEVERAL("a") ", b.version, b.variant, " SEVERAL("b") ", q.reason, q.at_ms FROM quarantine q "
        "JOIN firmware f ON f.id = q.firmware_id JOIN product p ON p.id = f.product_id "
        "JOIN image b ON b.id = (SELECT min(id) FROM image WHERE firmware_id = q.firmware_id AND sha256 = q.to_sha256) "
        "LEFT JOIN image a ON a.id = (SELECT min(id) FROM image WHERE firmware_id = q.firmware_id AND sha256 = "
        "q.from_sha256) WHERE true " OF_PRODUCT("$1", "$2"),
    /* A version without a named build means its default or its only build. */
    [OVERSIZE_FROM] =
        "SELECT g.asked_version, sum(g.devices) AS total, " OVERSIZE("p.size_bytes") " AS most, "
        OVERSIZE("p.size_bytes - p.uncounted_bytes") " FROM firmware f "
        "JOIN fleet_group g ON g.firmware_id = f.id AND g.target_version = '' AND g.asked_version <> '' "
        "WHERE f.id = $2 GROUP BY g.asked_version HAVING most IS NOT NULL ORDER BY total DESC LIMIT $3",
    [SEVERAL_BUILDS] =
        "SELECT v.version, (SELECT coalesce(sum(devices), 0) FROM fleet_group WHERE firmware_id = $1 "
        "AND target_version = '' AND asked_version = v.version) - (SELECT count(*) FROM device d "
        "WHERE d.firmware_id = $1 AND d.state IS NULL AND d.asked_version = v.version "
        "AND d.confirmed_version = v.version AND EXISTS (SELECT 1 FROM image i WHERE i.firmware_id = $1 "
        "AND i.version = v.version AND i.sha256 = d.build_sha256)) AS total FROM (SELECT version FROM image "
        "WHERE firmware_id = $1 GROUP BY version HAVING count(*) > 1 AND max(is_default) = 0) v "
        "WHERE total > 0",
    [ASKED_FROM] =
        "SELECT asked_version, sum(devices) AS total FROM fleet_group WHERE firmware_id = $1 "
        "AND target_version = '' AND asked_version <> '' GROUP BY asked_version ORDER BY total DESC, "
        "asked_version LIMIT $2",
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
    return db_list(
        db,
        QUERY(QUARANTINES, PARAMS(P_TEXT(product), P_INT(limit)),
              FIELDS(F_TEXT(row.product), F_TEXT(row.firmware), F_TEXT(row.from), F_TEXT(row.from_variant),
                     F_BOOL(&row.from_several), F_TEXT(row.to), F_TEXT(row.to_variant),
                     F_BOOL(&row.to_several), F_TEXT(row.reason), F_INT(&row.since_ms))),
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

static int by_devices(const void *a, const void *b)
{
    const struct overview_version *left = a, *right = b;
    return left->devices > right->devices   ? -1
           : left->devices < right->devices ? 1
                                            : strcmp(left->version, right->version);
}

bool overview_several_builds(struct db *db, int64_t firmware_id, struct overview_version **ret,
                             size_t *ret_count, struct error *err)
{
    struct overview_version row = {.devices = 0};
    if (!db_list(db,
                 QUERY(SEVERAL_BUILDS, PARAMS(P_INT(firmware_id)),
                       FIELDS(F_TEXT(row.version), F_INT(&row.devices))),
                 &row, sizeof row, ret, ret_count, err))
        return false;
    if (*ret_count)
        qsort(*ret, *ret_count, sizeof **ret, by_devices);
    return true;
}

bool overview_asked(struct db *db, int64_t firmware_id, int64_t limit, struct overview_version **ret,
                    size_t *ret_count, struct error *err)
{
    struct overview_version row = {.devices = 0};
    return db_list(db,
                   QUERY(ASKED_FROM, PARAMS(P_INT(firmware_id), P_INT(limit)),
                         FIELDS(F_TEXT(row.version), F_INT(&row.devices))),
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
