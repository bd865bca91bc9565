/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics, for Prometheus; GET /healthz and /readyz, for whoever watches the process. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/handlers.h"
#include "server/admin/overview.h"
#include "server/core/metrics.h"
#include "server/http/transfer.h"
#include "storage/blob.h"
#include "storage/package.h"

static void write_devices(FILE *out, const struct overview_counts *all)
{
    const char *name = "dfota_devices";
    metrics_write_gauge(out, name, "Active devices by what they wait for; all: all of them.", "state=\"all\"",
                        all->devices);
    metrics_write_gauge(out, name, "", "state=\"waiting\"", all->waiting);
    metrics_write_gauge(out, name, "", "state=\"sending\"", all->sending);
    metrics_write_gauge(out, name, "", "state=\"delivered\"", all->delivered);
    metrics_write_gauge(out, name, "", "state=\"silent\"", all->silent);
    metrics_write_gauge(out, name, "", "state=\"blocked\"", all->blocked);
}

static void write_packages(FILE *out, const struct package_counts *packages)
{
    const char *name = "dfota_packages";
    metrics_write_gauge(out, name, "Packages by state.", "state=\"queued\"", packages->queued);
    metrics_write_gauge(out, name, "", "state=\"generating\"", packages->generating);
    metrics_write_gauge(out, name, "", "state=\"ready\"", packages->ready);
    metrics_write_gauge(out, name, "", "state=\"failed\"", packages->failed);
}

/* How many things of each kind wait for a person: what an alert looks at. */
static void write_attention(FILE *out, const json_t *items)
{
    static const char *const kinds[] = {ATTENTION_KINDS};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        char label[64];
        int64_t count = 0;
        size_t i;
        const json_t *item;
        json_array_foreach (items, i, item)
            count += strcmp(json_string_value(json_object_get(item, "kind")), kinds[k]) == 0;
        snprintf(label, sizeof label, "kind=\"%s\"", kinds[k]);
        metrics_write_gauge(out, "dfota_attention",
                            k ? "" : "Things that wait for a person, by kind (GET /overview).", label, count);
    }
}

static bool write_all(struct admin_call *call, FILE *out, struct error *err)
{
    struct daemon *daemon = call->daemon;
    const struct transfers_load load = transfers_load(daemon->transfers, 0);
    struct overview overview;
    struct package_counts packages;
    uint64_t free_bytes, reserve;
    bool ok = overview_load(call, &overview, err) && package_count(call->db, &packages, err) &&
              blobs_space(daemon->blobs, &free_bytes, &reserve, err);
    if (ok) {
        metrics_write_gauge(out, "dfota_build_info", "The version of the server.",
                            "version=\"" PACKAGE_VERSION "\"", 1);
        metrics_write_gauge(out, "dfota_uptime_seconds", "Since the start of the process.", "",
                            (clock_boot_ms() - daemon->started_ms) / 1000);
        metrics_write_gauge(out, "dfota_disk_free_bytes", "Free space on the disk of the data.", "",
                            (int64_t)free_bytes);
        metrics_write_gauge(out, "dfota_disk_reserve_bytes", "Space that uploads and packages leave free.",
                            "", (int64_t)reserve);
        metrics_write_gauge(out, "dfota_transfers", "Packages that are being sent.", "",
                            (int64_t)load.running);
        metrics_write_gauge(out, "dfota_package_bytes_sent",
                            "Bytes of packages that devices acknowledged, for all targets that are known.",
                            "", overview.all.bytes_sent);
        write_devices(out, &overview.all);
        write_packages(out, &packages);
        write_attention(out, overview.attention.items);
        metrics_write(out);
    }
    overview_free(&overview);
    return ok;
}

bool admin_metrics_show(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    bool ok = write_all(call, out, err);
    ok = fclose(out) == 0 ? ok : ok && error_set(err, ERROR_INTERNAL, "out of memory");
    if (ok)
        reply_text(&call->reply, 200, "text/plain; version=0.0.4; charset=utf-8", text, size);
    return ok;
}

bool admin_health_show(struct admin_call *call, struct error *err)
{
    (void)err;
    reply_text(&call->reply, 200, "text/plain; charset=utf-8", "ok\n", 3);
    return true;
}

static bool change_nothing(void *cls, struct db *db, struct error *err)
{
    (void)cls;
    (void)db;
    (void)err;
    return true;
}

/* The database can be read, and a transaction of the writer begins and ends. */
bool admin_ready_show(struct admin_call *call, struct error *err)
{
    int64_t products;
    if (!product_count(call->db, &products, err) ||
        !writer_call(call->daemon->writer, change_nothing, NULL, err)) {
        err->code = ERROR_UNAVAILABLE;
        return false;
    }
    reply_text(&call->reply, 200, "text/plain; charset=utf-8", "ready\n", 6);
    return true;
}
