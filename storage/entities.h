/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Inside storage only: the tables of statements and their numbers. A new entity is one line in each of the
   two lists. */
#ifndef DFOTA_STORAGE_ENTITIES_H
#define DFOTA_STORAGE_ENTITIES_H

#include "storage/columns.h"
#include "storage/db.h"

enum {
    ENTITY_TOKEN,
    ENTITY_SESSION,
    ENTITY_PRODUCT,
    ENTITY_FIRMWARE,
    ENTITY_IMAGE,
    ENTITY_PACKAGE,
    ENTITY_PACKAGE_ADMIN,
    ENTITY_DEVICE,
    ENTITY_LINK,
    ENTITY_ATTEMPT,
    ENTITY_LEDGER,
    ENTITY_PENDING_REPORT,
    ENTITY_TRANSCRIPT,
    ENTITY_TURNKEY,
    ENTITY_MATRIX,
    ENTITY_IMPROVEMENT,
    ENTITY_OUTCOME,
    ENTITY_BUDGET,
    ENTITY_UNKNOWN,
    ENTITY_SAID,
    ENTITY_QUARANTINE,
    ENTITY_TRIAL,
    ENTITY_WEBHOOK,
    ENTITY_OUTBOX,
    ENTITY_READY,
    ENTITY_REMOVAL,
    ENTITY_FLEET,
    ENTITY_GUARD,
    ENTITY_CAMPAIGN,
    ENTITY_CAMPAIGN_DEVICE,
    ENTITY_RHYTHM,
    ENTITY_TRAFFIC,
    ENTITY_FLEET_DAY,
    ENTITY_FLEET_GROUP,
    ENTITY_OVERVIEW,
    ENTITY_BLOB_ROW,
    ENTITY_BACKUP,
    ENTITY_GROWTH,
    ENTITY_GAUGES,
    ENTITY_PROOF,
    ENTITY_IMAGE_ABOUT,
    ENTITY_IMAGE_PACKAGE,
    ENTITY_IMAGE_USES,
    ENTITY_DEVICE_SECRET,
    ENTITY_IDEMPOTENCY,
    ENTITY_TRACES
};

extern const struct db_table session_statements;
extern const struct db_table token_statements, product_statements, firmware_statements, image_statements,
    package_statements, package_admin_statements, device_statements, link_statements, attempt_statements,
    ledger_statements, pending_report_statements, transcript_statements, turnkey_statements,
    matrix_statements, improvement_statements, outcome_statements, budget_statements, unknown_statements,
    said_statements, traces_statements, quarantine_statements, trial_statements, webhook_statements,
    outbox_statements, ready_statements, removal_statements, fleet_statements, guard_statements,
    campaign_statements, campaign_device_statements, rhythm_statements, traffic_statements,
    fleet_day_statements, overview_statements, blob_row_statements, backup_statements, growth_statements,
    gauges_statements, proof_statements, image_about_statements, image_package_statements,
    image_uses_statements, device_secret_statements, idempotency_statements;
extern const struct db_table fleet_group_statements;
extern const struct db_deferral fleet_deferral, ledger_deferral, budget_deferral;

/* The columns of a package's key, as parameters and as a condition with the numbers of these parameters. */
#define PACKAGE_KEY(FIRST, NEXT, key)                                                                        \
    FIRST(from_sha256, HASH, key.from)                                                                       \
    NEXT(to_sha256, HASH, key.to)                                                                            \
    NEXT(format, TEXT, key.format)                                                                           \
    NEXT(recipe, TEXT, key.recipe)
#define P_PACKAGE_KEY(key) COLUMN_PARAMS(PACKAGE_KEY, *(key))
#define IS_PACKAGE(a, b, c, d)                                                                               \
    "from_sha256 = $" #a " AND to_sha256 = $" #b " AND format = $" #c " AND recipe = $" #d

/* The number of devices that wait for the package `p` (a prefix of columns, with its dot). */
#define WAITING_DEVICES(p)                                                                                   \
    "(SELECT coalesce(sum(w.devices), 0) FROM image i JOIN image t ON t.firmware_id = i.firmware_id "        \
    "AND t.sha256 = " p                                                                                      \
    "to_sha256 JOIN fleet_waiting w ON w.firmware_id = i.firmware_id "                                       \
    "AND w.from_version = i.version AND w.to_version = t.version WHERE i.sha256 = " p "from_sha256)"

/* Of the device `d` (an alias): the loop guard is closed for the origin that it last fetched from, or for all
   origins. */
#define BLOCKED_FOR_ORIGIN(d)                                                                                \
    "(" d ".blocked AND EXISTS (SELECT 1 FROM guard_closed g WHERE g.device_id = " d                         \
    ".id AND "                                                                                               \
    "(g.origin = '' OR g.origin = coalesce((SELECT o.origin FROM attempt o WHERE o.device_id = " d           \
    ".id "                                                                                                   \
    "AND o.beside = 0 AND o.origin <> '' ORDER BY o.id DESC LIMIT 1), g.origin))))"
/* A package to the target `t` of the firmware `f` was delivered to the device `d` (SQL of its id), and
   confirmed. */
#define CONFIRMED_BY_US(f, t, d)                                                                             \
    "EXISTS (SELECT 1 FROM attempt c WHERE c.device_id = " d " AND c.firmware_id = " f                       \
    " AND c.target_version = " t                                                                             \
    " AND c.to_version = c.target_version AND c.state = 'confirmed' AND "                                    \
    "c.beside = 0)"
/* The id of the newest main attempt of `d` for `t`. */
#define NEWEST_FOR_TARGET(f, t, d)                                                                           \
    "(SELECT max(b.id) FROM attempt b WHERE b.firmware_id = " f " AND b.target_version = " t                 \
    " AND b.device_id = " d " AND b.beside = 0)"

/* The packages `p` that count for the firmware `f`: its own uploads, and shared packages where it has no
   upload. */
#define OF_FIRMWARE(p, f)                                                                                    \
    "(" p "firmware_id = " f " OR (" p                                                                       \
    "firmware_id = 0 AND NOT EXISTS (SELECT 1 FROM package own "                                             \
    "WHERE own.from_sha256 = " p "from_sha256 AND own.to_sha256 = " p "to_sha256 AND own.format = " p        \
    "format AND own.recipe = " p "recipe AND own.firmware_id = " f ")))"
/* Whether an admin has released the package `p` for the firmware `f`. */
#define RELEASED(p, f)                                                                                       \
    "EXISTS (SELECT 1 FROM package_release r WHERE r.package_id = " p "id AND r.firmware_id = " f ")"

/* Defines the table of an entity from its array `sql`, under the name `statements` for QUERY(). */
#define DB_TABLE(entity, entity_number)                                                                      \
    const struct db_table entity##_statements = {#entity, sql, sizeof sql / sizeof *sql, entity_number};     \
    static const struct db_table *const statements = &entity##_statements

#endif
