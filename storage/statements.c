/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The table of statements of every entity, at the index that is its number. */
#include "storage/entities.h"

const struct db_table *const db_tables[] = {
    [ENTITY_TOKEN] = &token_statements,
    [ENTITY_SESSION] = &session_statements,
    [ENTITY_PRODUCT] = &product_statements,
    [ENTITY_FIRMWARE] = &firmware_statements,
    [ENTITY_IMAGE] = &image_statements,
    [ENTITY_PACKAGE] = &package_statements,
    [ENTITY_PACKAGE_ADMIN] = &package_admin_statements,
    [ENTITY_DEVICE] = &device_statements,
    [ENTITY_LINK] = &link_statements,
    [ENTITY_ATTEMPT] = &attempt_statements,
    [ENTITY_LEDGER] = &ledger_statements,
    [ENTITY_PENDING_REPORT] = &pending_report_statements,
    [ENTITY_TRANSCRIPT] = &transcript_statements,
    [ENTITY_TURNKEY] = &turnkey_statements,
    [ENTITY_MATRIX] = &matrix_statements,
    [ENTITY_IMPROVEMENT] = &improvement_statements,
    [ENTITY_OUTCOME] = &outcome_statements,
    [ENTITY_BUDGET] = &budget_statements,
    [ENTITY_UNKNOWN] = &unknown_statements,
    [ENTITY_SAID] = &said_statements,
    [ENTITY_QUARANTINE] = &quarantine_statements,
    [ENTITY_TRIAL] = &trial_statements,
    [ENTITY_WEBHOOK] = &webhook_statements,
    [ENTITY_OUTBOX] = &outbox_statements,
    [ENTITY_READY] = &ready_statements,
    [ENTITY_REMOVAL] = &removal_statements,
    [ENTITY_FLEET] = &fleet_statements,
    [ENTITY_GUARD] = &guard_statements,
    [ENTITY_CAMPAIGN] = &campaign_statements,
    [ENTITY_CAMPAIGN_DEVICE] = &campaign_device_statements,
    [ENTITY_RHYTHM] = &rhythm_statements,
    [ENTITY_TRAFFIC] = &traffic_statements,
    [ENTITY_FLEET_DAY] = &fleet_day_statements,
    [ENTITY_FLEET_GROUP] = &fleet_group_statements,
    [ENTITY_OVERVIEW] = &overview_statements,
    [ENTITY_BLOB_ROW] = &blob_row_statements,
    [ENTITY_BACKUP] = &backup_statements,
    [ENTITY_GROWTH] = &growth_statements,
    [ENTITY_GAUGES] = &gauges_statements,
    [ENTITY_PROOF] = &proof_statements,
    [ENTITY_IMAGE_ABOUT] = &image_about_statements,
    [ENTITY_IMAGE_PACKAGE] = &image_package_statements,
    [ENTITY_IMAGE_USES] = &image_uses_statements,
    [ENTITY_DEVICE_SECRET] = &device_secret_statements,
    [ENTITY_IDEMPOTENCY] = &idempotency_statements,
};
const unsigned db_table_count = sizeof db_tables / sizeof *db_tables;

const struct db_deferral *const db_deferrals[DEFERRED_COUNT] = {
    [DEFERRED_FLEET] = &fleet_deferral,
    [DEFERRED_LEDGER] = &ledger_deferral,
    [DEFERRED_BUDGETS] = &budget_deferral,
};
