/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The status of the server: its version, and what it stores. */
#include "config.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/access.h"
#include "server/admin/backup_result.h"
#include "server/admin/handlers.h"
#include "server/admin/matrix.h"
#include "server/admin/overview.h"
#include "server/checkin/checkin_task.h"
#include "server/db/sizes.h"
#include "storage/device.h"
#include "storage/package.h"
#include "storage/product.h"
#include "storage/quarantine.h"

/* The products and networks whose new devices are refused today. */
static bool list_full(struct admin_call *call, json_t **ret, struct error *err)
{
    _cleanup_(cleanup_free) struct admission_network *list = NULL;
    size_t count;
    if (!product_networks_full(call->db, clock_utc_ms() / DAY_MS, &list, &count, err))
        return false;
    *ret = json_array();
    for (size_t i = 0; i < count; i++)
        if (access_sees(call->request, list[i].product))
            json_array_append_new(*ret, json_pack("{s:s, s:o, s:I}", "product", list[i].product, "network",
                                                  field_text(list[i].network), "devices",
                                                  (json_int_t)list[i].devices));
    return true;
}

static json_t *transfers_to_json(struct daemon *daemon)
{
    const struct decision_limits limits = checkin_limits(daemon->config);
    const struct transfers_load load = transfers_load(daemon->transfers, 0);
    return json_pack("{s:I, s:o, s:I, s:o}", "running", (json_int_t)load.running, "limit",
                     field_number((int64_t)allowance_transfers(&limits.allowance)), "bytes_per_second",
                     (json_int_t)load.bytes_per_second, "max_bytes_per_second",
                     field_number((int64_t)limits.allowance.max_bytes_per_second));
}

/* The numbers of the configuration with a limit, under the names of their keys. */
static json_t *limits_to_json(const struct config *config)
{
    json_t *json = json_object();
#define LIMIT(key) json_object_set_new(json, #key, json_integer((json_int_t)config->key))
    LIMIT(max_image_bytes);
    LIMIT(disk_reserve_bytes);
    LIMIT(max_new_devices_per_day);
    LIMIT(loop_guard_per_day);
    LIMIT(link_offers);
    LIMIT(link_offer_gap_ms);
    LIMIT(pin_idle_ms);
    LIMIT(silent_after_ms);
    LIMIT(max_transfers);
    LIMIT(max_bytes_per_second);
    LIMIT(max_device_connections);
    LIMIT(max_admin_connections);
    LIMIT(jobs);
    LIMIT(job_wall_ms);
    LIMIT(ledger_keep_days);
    LIMIT(backup_warn_days);
    LIMIT(check_ins_keep_days);
    LIMIT(attempts_kept);
    LIMIT(unknown_files_keep_days);
#undef LIMIT
    return json;
}

/* When the certificates end; null: no TLS there. */
static json_t *tls_to_json(struct daemon *daemon)
{
    return json_pack("{s:o, s:o}", "device_certificate_ends_at",
                     field_number(daemon->device_certificate_ends_ms), "admin_certificate_ends_at",
                     field_number(daemon->admin_certificate_ends_ms));
}

/* For a token of one product: what is about the whole server is null. */
static bool show_product(struct admin_call *call, struct error *err)
{
    struct overview overview;
    json_t *full;
    bool ok = overview_load(call, &overview, err) && list_full(call, &full, err);
    if (ok)
        reply_json(&call->reply, 200,
                   json_pack("{s:s, s:I, s:i, s:I, s:n, s:n, s:n, s:o, s:n, s:n, s:o, s:n, s:I, s:o}",
                             "version", PACKAGE_VERSION, "uptime_ms",
                             (json_int_t)(clock_boot_ms() - call->daemon->started_ms), "products", 1,
                             "devices", (json_int_t)overview.all.devices, "conflicts", "packages",
                             "transfers", "admission_full", full, "backup", "stored", "limits",
                             limits_to_json(call->daemon->config), "tls", "now", (json_int_t)clock_utc_ms(),
                             "device_url", field_text(call->daemon->device_url)));
    overview_free(&overview);
    return ok;
}

/* The bytes of the database are those of now; all else is of the last daily count. */
static bool stored_to_json(struct admin_call *call, json_t **ret, struct error *err)
{
    struct stored_sizes sizes;
    int64_t bytes, free_bytes;
    if (!growth_bytes(call->db, &bytes, &free_bytes, err))
        return false;
    sizes_get(call->daemon->sizes, &sizes);
    *ret = json_pack("{s:I, s:I, s:o, s:I, s:I, s:I}", "database_bytes", (json_int_t)bytes,
                     "database_free_bytes", (json_int_t)free_bytes, "counted_at", field_number(sizes.at_ms),
                     "files", (json_int_t)sizes.blobs.files, "file_bytes", (json_int_t)sizes.blobs.bytes,
                     "unknown_files", (json_int_t)sizes.unknown_blobs);
    json_t *rows = json_object();
#define ROWS(name) json_object_set_new(rows, #name, json_integer((json_int_t)sizes.rows.name))
    ROWS(attempts);
    ROWS(campaign_devices);
    ROWS(campaigns);
    ROWS(check_in_days);
    ROWS(devices);
    ROWS(images);
    ROWS(ledger);
    ROWS(links);
    ROWS(outbox);
    ROWS(packages);
    ROWS(transcripts);
#undef ROWS
    json_object_set_new(*ret, "rows", rows);
    return true;
}

bool admin_status_show(struct admin_call *call, struct error *err)
{
    int64_t products, devices, conflicts, quarantined;
    struct package_counts packages;
    struct backup_state backup;
    json_t *estimate, *full, *stored;
    if (call->request->actor.product[0])
        return show_product(call, err);
    if (!quarantine_count(call->db, 0, &quarantined, err) || !product_count(call->db, &products, err) ||
        !device_count(call->db, &devices, err) || !device_count_conflicts(call->db, &conflicts, err) ||
        !package_count(call->db, &packages, err) || !backup_state_load(call->db, &backup, err) ||
        !list_full(call, &full, err))
        return false;
    if (!admin_backlog_estimate(call, &estimate, err)) {
        json_decref(full);
        return false;
    }
    if (!stored_to_json(call, &stored, err)) {
        json_decref(full);
        json_decref(estimate);
        return false;
    }
    reply_json(
        &call->reply, 200,
        json_pack(
            "{s:s, s:I, s:I, s:I, s:I, s:{s:I, s:I, s:I, s:I, s:I, s:o}, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o}",
            "version", PACKAGE_VERSION, "uptime_ms", (json_int_t)(clock_boot_ms() - call->daemon->started_ms),
            "products", (json_int_t)products, "devices", (json_int_t)devices, "conflicts",
            (json_int_t)conflicts, "packages", "queued", (json_int_t)packages.queued, "generating",
            (json_int_t)packages.generating, "ready", (json_int_t)packages.ready, "failed",
            (json_int_t)packages.failed, "quarantined", (json_int_t)quarantined, "estimate_ms", estimate,
            "transfers", transfers_to_json(call->daemon), "admission_full", full, "backup",
            backup_state_to_json(call->daemon->config, &backup), "stored", stored, "limits",
            limits_to_json(call->daemon->config), "tls", tls_to_json(call->daemon), "now",
            (json_int_t)clock_utc_ms(), "device_url", field_text(call->daemon->device_url)));
    return true;
}
