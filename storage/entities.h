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
    ENTITY_REMOVAL
};

extern const struct db_table token_statements, product_statements, firmware_statements, image_statements,
    package_statements, package_admin_statements, device_statements, link_statements, attempt_statements,
    ledger_statements, pending_report_statements, transcript_statements, turnkey_statements,
    matrix_statements, improvement_statements, outcome_statements, budget_statements, unknown_statements,
    said_statements, quarantine_statements, trial_statements, webhook_statements, outbox_statements,
    ready_statements, removal_statements;

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
    "(SELECT count(*) FROM image i JOIN image t ON t.firmware_id = i.firmware_id "                           \
    "AND t.sha256 = " p                                                                                      \
    "to_sha256 JOIN attempt a ON a.firmware_id = i.firmware_id "                                             \
    "AND a.from_version = i.version AND a.to_version = t.version AND a.state = 'waiting' "                   \
    "WHERE i.sha256 = " p "from_sha256)"

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
