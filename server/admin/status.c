/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The status of the server: its version, and what it stores. */
#include "config.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/handlers.h"
#include "server/admin/matrix.h"
#include "server/checkin/checkin_task.h"
#include "storage/device.h"
#include "storage/package.h"
#include "storage/product.h"
#include "storage/quarantine.h"

/* The products and networks whose new devices are refused today. */
static bool list_full(struct db *db, json_t **ret, struct error *err)
{
    _cleanup_(cleanup_free) struct admission_network *list = NULL;
    size_t count;
    if (!product_networks_full(db, clock_utc_ms() / DAY_MS, &list, &count, err))
        return false;
    *ret = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(*ret,
                              json_pack("{s:s, s:o, s:I}", "product", list[i].product, "network",
                                        field_text(list[i].network), "devices", (json_int_t)list[i].devices));
    return true;
}

static json_t *transfers_to_json(struct daemon *daemon)
{
    const struct decision_limits limits = checkin_limits(&daemon->config);
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
#undef LIMIT
    return json;
}

bool admin_status_show(struct admin_call *call, struct error *err)
{
    int64_t products, devices, conflicts, quarantined;
    struct package_counts packages;
    json_t *estimate, *full;
    if (!quarantine_count(call->db, 0, &quarantined, err) || !product_count(call->db, &products, err) ||
        !device_count(call->db, &devices, err) || !device_count_conflicts(call->db, &conflicts, err) ||
        !package_count(call->db, &packages, err) || !list_full(call->db, &full, err))
        return false;
    if (!admin_backlog_estimate(call, &estimate, err)) {
        json_decref(full);
        return false;
    }
    reply_json(
        &call->reply, 200,
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:{s:I, s:I, s:I, s:I, s:I, s:o}, s:o, s:o, s:o, s:I, s:o}",
                  "version", PACKAGE_VERSION, "uptime_ms",
                  (json_int_t)(clock_boot_ms() - call->daemon->started_ms), "products", (json_int_t)products,
                  "devices", (json_int_t)devices, "conflicts", (json_int_t)conflicts, "packages", "queued",
                  (json_int_t)packages.queued, "generating", (json_int_t)packages.generating, "ready",
                  (json_int_t)packages.ready, "failed", (json_int_t)packages.failed, "quarantined",
                  (json_int_t)quarantined, "estimate_ms", estimate, "transfers",
                  transfers_to_json(call->daemon), "admission_full", full, "limits",
                  limits_to_json(&call->daemon->config), "now", (json_int_t)clock_utc_ms(), "device_url",
                  field_text(call->daemon->device_url)));
    return true;
}
