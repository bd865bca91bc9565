/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl status */
#include "ctl/command.h"

static const struct table_column page_columns[] = {
    {"Server version", "version", TABLE_TEXT},
    {"Running for", "uptime_ms", TABLE_DURATION},
    {"Products", "products", TABLE_NUMBER},
    {"Devices", "devices", TABLE_NUMBER},
    {"Claims", "conflicts", TABLE_NUMBER},
    {"Packages ready", "packages.ready", TABLE_NUMBER},
    {"Packages queued", "packages.queued", TABLE_NUMBER},
    {"Packages generating", "packages.generating", TABLE_NUMBER},
    {"Packages failed", "packages.failed", TABLE_NUMBER},
    {"Packages quarantined", "packages.quarantined", TABLE_NUMBER},
    {"Transfers running", "transfers.running", TABLE_NUMBER},
    {"  limit", "transfers.limit", TABLE_NUMBER},
    {"  bytes per second", "transfers.bytes_per_second", TABLE_NUMBER},
    {"  limit", "transfers.max_bytes_per_second", TABLE_NUMBER},
    {"Queue takes", "packages.estimate_ms", TABLE_DURATION},
    {"Database bytes", "stored.database_bytes", TABLE_NUMBER},
    {"  ledger rows", "stored.rows.ledger", TABLE_NUMBER},
    {"  attempts", "stored.rows.attempts", TABLE_NUMBER},
    {"Images and packages", "stored.files", TABLE_NUMBER},
    {"  bytes", "stored.file_bytes", TABLE_NUMBER},
    {"  not known", "stored.unknown_files", TABLE_NUMBER},
    {"Last backup", "backup.last.made_at", TABLE_TIME},
    {"  result", "backup.last.result", TABLE_TEXT},
    {"  token", "backup.last.token_name", TABLE_TEXT},
    {"  bytes", "backup.last.size", TABLE_NUMBER},
    {"Backup failed", "backup.failed.ended_at", TABLE_TIME},
};
static const struct table_view page_view = {page_columns, TABLE_COUNT(page_columns), NULL, NULL};

static const struct table_column full_columns[] = {
    {"PRODUCT", "product", TABLE_TEXT},
    {"NETWORK", "network", TABLE_TEXT},
    {"NEW DEVICES TODAY", "devices", TABLE_NUMBER},
};
static const struct table_view full_view = {full_columns, TABLE_COUNT(full_columns), NULL, NULL};

/* The products and networks that have reached their limit of new devices. */
static void print_full(const json_t *full)
{
    size_t i;
    json_t *row;
    if (json_array_size(full) == 0)
        return;
    json_array_foreach (full, i, row)
        if (json_is_null(json_object_get(row, "network")))
            json_object_set_new(row, "network", json_string("all networks"));
    fputs("\nNew devices are refused (code 21) until the next day (UTC)\n", stdout);
    table_print(stdout, full, &full_view);
}

static void print_backup(const json_t *backup)
{
    if (json_is_true(json_object_get(backup, "due")))
        fputs("\nA backup is due: dfotactl backup (dfota.conf: backup_warn_days)\n", stdout);
}

bool status_show(struct session *session, struct failure *fail)
{
    json_t *answer = NULL;
    if (!client_get(session->client, "/status", &answer, fail))
        return false;
    session_print_page(session, answer, &page_view);
    if (!session->json) {
        print_full(json_object_get(answer, "admission_full"));
        print_backup(json_object_get(answer, "backup"));
    }
    json_decref(answer);
    return true;
}
