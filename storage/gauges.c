/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/gauges.h"

#include "storage/backup.h"
#include "storage/device.h"
#include "storage/entities.h"
#include "storage/ledger.h"

enum { CAMPAIGNS, BLOCKED, OUTBOX, LEDGER_END, NEWEST, ATTEMPTS, VERSIONS, DEVICES };
static const char *const sql[] = {
    [CAMPAIGNS] =
        "SELECT count(*) FILTER (WHERE state = 'running'), count(*) FILTER (WHERE state = 'paused'), "
        "count(*) FILTER (WHERE state = 'paused' AND breach IS NOT NULL), "
        "count(*) FILTER (WHERE state = 'paused' AND breach IS NULL AND last_done <> 0), "
        "count(*) FILTER (WHERE state = 'running' AND asked_stage = stage + 1) "
        "FROM campaign WHERE state IN ('running', 'paused')",
    [BLOCKED] =
        "SELECT coalesce(sum(devices), 0) FROM fleet_group WHERE target_version = '' AND blocked <> 0",
    [OUTBOX] =
        "SELECT (SELECT count(*) FROM (SELECT 1 FROM outbox WHERE gave_up_ms IS NULL LIMIT $1)), "
        "(SELECT count(*) FROM (SELECT 1 FROM outbox WHERE gave_up_ms IS NOT NULL LIMIT $1))",
    [LEDGER_END] = "SELECT coalesce(max(seq), 0) FROM ledger",
    [NEWEST] = "SELECT at_ms FROM ledger WHERE kind = $1 ORDER BY seq DESC LIMIT 1",
    [ATTEMPTS] =
        "SELECT state, sum(devices) FROM fleet_group WHERE target_version > '' GROUP BY state ORDER BY state",
    [VERSIONS] =
        "SELECT p.product_key, f.name, g.confirmed_version, sum(g.devices) AS total FROM fleet_group g "
        "JOIN firmware f ON f.id = g.firmware_id JOIN product p ON p.id = f.product_id "
        "WHERE g.target_version = '' GROUP BY g.firmware_id, g.confirmed_version "
        "ORDER BY total DESC, p.product_key, f.name, g.confirmed_version LIMIT $1",
    [DEVICES] = "SELECT coalesce(sum(devices), 0) FROM fleet_group WHERE target_version = ''",
};
DB_TABLE(gauges, ENTITY_GAUGES);

static bool newest(struct db *db, enum ledger_kind kind, int64_t *ret, struct error *err)
{
    bool found;
    *ret = 0;
    return db_row(db, QUERY(NEWEST, PARAMS(P_TEXT(ledger_kind_name(kind))), FIELDS(F_INT(ret))), &found, err);
}

bool gauges_load(struct db *db, struct gauges *ret, struct error *err)
{
    struct backup_state backup;
    bool found;
    *ret = (struct gauges){.running = 0};
    if (!backup_state_load(db, &backup, err))
        return false;
    ret->backup_ms = backup.complete_ms;
    return package_count(db, &ret->packages, err) &&
           db_row(db,
                  QUERY(CAMPAIGNS, NO_PARAMS,
                        FIELDS(F_INT(&ret->running), F_INT(&ret->paused), F_INT(&ret->gate_broken),
                               F_INT(&ret->last_done), F_INT(&ret->unapproved))),
                  &found, err) &&
           quarantine_count(db, 0, &ret->quarantined, err) && device_count_conflicts(db, &ret->claims, err) &&
           db_row(db, QUERY(BLOCKED, NO_PARAMS, FIELDS(F_INT(&ret->blocked))), &found, err) &&
           db_row(db,
                  QUERY(OUTBOX, PARAMS(P_INT(GAUGES_OUTBOX_MAX)),
                        FIELDS(F_INT(&ret->events_waiting), F_INT(&ret->events_failed))),
                  &found, err) &&
           db_row(db, QUERY(LEDGER_END, NO_PARAMS, FIELDS(F_INT(&ret->ledger_seq))), &found, err) &&
           newest(db, LEDGER_PRUNED, &ret->pruned_ms, err);
}

bool gauges_attempts(struct db *db, struct gauge_attempts **ret, size_t *ret_count, struct error *err)
{
    struct gauge_attempts row = {.devices = 0};
    return db_list(db, QUERY(ATTEMPTS, NO_PARAMS, FIELDS(F_TEXT(row.state), F_INT(&row.devices))), &row,
                   sizeof row, ret, ret_count, err);
}

bool gauges_versions(struct db *db, int64_t limit, struct gauge_version **ret, size_t *ret_count,
                     struct error *err)
{
    struct gauge_version row = {.devices = 0};
    return db_list(
        db,
        QUERY(VERSIONS, PARAMS(P_INT(limit)),
              FIELDS(F_TEXT(row.product), F_TEXT(row.firmware), F_TEXT(row.version), F_INT(&row.devices))),
        &row, sizeof row, ret, ret_count, err);
}

bool gauges_devices(struct db *db, int64_t *ret, struct error *err)
{
    bool found;
    return db_row(db, QUERY(DEVICES, NO_PARAMS, FIELDS(F_INT(ret))), &found, err);
}
