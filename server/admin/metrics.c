/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics, for Prometheus. The numbers that come from the database are at most METRICS_AGE_MS old, so scrapes cost the
   same however many there are. No label has an id of a device, a token or an address. */
#include "config.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/handlers.h"
#include "server/core/metrics.h"
#include "storage/gauges.h"

#define METRICS_AGE_MS 5000
#define VERSIONS_MAX   200 /* series of dfota_devices_confirmed, besides that for all others */
#define LABELS_SIZE    (2 * (PRODUCT_KEY_SIZE + FIRMWARE_NAME_SIZE + VERSION_TEXT_SIZE) + 64)

static struct {
    pthread_mutex_t mutex; /* held while the database is read */
    pthread_mutex_t copying;
    char *text; /* NULL: none yet */
    int64_t read_ms;
} store = {.mutex = PTHREAD_MUTEX_INITIALIZER, .copying = PTHREAD_MUTEX_INITIALIZER};

/* ---- from the database ---- */

/* The series that has `help` is the first of its name. */
static void put(FILE *out, const char *name, const char *help, const char *label, const char *value,
                int64_t number)
{
    char labels[LABELS_SIZE] = "";
    metrics_label(labels, sizeof labels, label, value);
    metrics_write_gauge(out, name, help, labels, number);
}

static void write_gauges(FILE *out, const struct gauges *gauges)
{
    const struct package_counts *packages = &gauges->packages;
    const char *name = "dfota_packages";
    put(out, name, "Packages by state.", "state", "queued", packages->queued);
    put(out, name, "", "state", "generating", packages->generating);
    put(out, name, "", "state", "ready", packages->ready);
    put(out, name, "", "state", "failed", packages->failed);
    metrics_write_gauge(out, "dfota_hops_out_of_service", "Hops whose package is out of service.", "",
                        gauges->quarantined);
    name = "dfota_campaigns";
    put(out, name, "Live campaigns by state, with the targets of firmwares.", "state", "running",
        gauges->running);
    put(out, name, "", "state", "paused", gauges->paused);
    name = "dfota_campaigns_waiting";
    put(out, name, "Campaigns that wait for an admin, by reason.", "reason", "gate_broken",
        gauges->gate_broken);
    put(out, name, "", "reason", "last_stage_done", gauges->last_done);
    put(out, name, "", "reason", "approval", gauges->unapproved);
    metrics_write_gauge(out, "dfota_device_claims", "Devices with a claim that waits for an admin.", "",
                        gauges->claims);
    metrics_write_gauge(out, "dfota_devices_blocked", "Devices that the loop guard has stopped.", "",
                        gauges->blocked);
    name = "dfota_webhook_events";
    put(out, name, "Events that wait to be sent to webhooks, and events given up; at most 10000 each.",
        "state", "waiting", gauges->events_waiting);
    put(out, name, "", "state", "failed", gauges->events_failed);
    metrics_write_gauge(out, "dfota_ledger_last_row", "Number of the last row of the ledger.", "",
                        gauges->ledger_seq);
    metrics_write_gauge(out, "dfota_ledger_last_prune_timestamp_seconds",
                        "When rows of the ledger were last removed; 0: not known.", "",
                        gauges->pruned_ms / 1000);
    metrics_write_gauge(out, "dfota_last_backup_timestamp_seconds",
                        "When dfotactl backup last made a whole backup; 0: not known.", "",
                        gauges->backup_ms / 1000);
}

static bool write_attempts(FILE *out, struct db *db, struct error *err)
{
    _cleanup_(cleanup_free) struct gauge_attempts *list = NULL;
    size_t count;
    if (!gauges_attempts(db, &list, &count, err))
        return false;
    for (int state = 0; state < ATTEMPT_STATE_COUNT; state++) {
        const char *name = attempt_state_name((enum attempt_state)state);
        int64_t devices = 0;
        for (size_t i = 0; i < count; i++)
            devices += strcmp(list[i].state, name) == 0 ? list[i].devices : 0;
        put(out, "dfota_device_attempts",
            state ? "" : "Devices by the state of their newest attempt for each target.", "state", name,
            devices);
    }
    return true;
}

static bool write_versions(FILE *out, struct db *db, struct error *err)
{
    static const char name[] = "dfota_devices_confirmed";
    _cleanup_(cleanup_free) struct gauge_version *list = NULL;
    size_t count;
    int64_t all, others;
    if (!gauges_devices(db, &all, err) || !gauges_versions(db, VERSIONS_MAX, &list, &count, err))
        return false;
    metrics_write_gauge(out, "dfota_devices", "Active devices.", "", all);
    others = all;
    for (size_t i = 0; i < count; i++) {
        char labels[LABELS_SIZE] = "";
        metrics_label(labels, sizeof labels, "product", list[i].product);
        metrics_label(labels, sizeof labels, "firmware", list[i].firmware);
        metrics_label(labels, sizeof labels, "version", list[i].version);
        metrics_write_gauge(out, name,
                            i ? ""
                              : "Active devices by confirmed version (empty: no report); the 200 "
                                "largest groups, and all others together.",
                            labels, list[i].devices);
        others -= list[i].devices;
    }
    if (others > 0)
        metrics_write_gauge(out, name, "", "product=\"\",firmware=\"\",version=\"others\"", others);
    return true;
}

static bool write_store(FILE *out, struct db *db, struct error *err)
{
    struct gauges gauges;
    if (!gauges_load(db, &gauges, err))
        return false;
    write_gauges(out, &gauges);
    return write_attempts(out, db, err) && write_versions(out, db, err);
}

/* NULL: the database cannot be read. The caller frees the text. */
static char *read_store(struct daemon *daemon)
{
    char *text = NULL;
    size_t size = 0;
    struct db *db;
    struct error ignored; /* dfota_database_readable tells it */
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    bool ok = reader_pool_take(daemon->reader_pool, &db, &ignored);
    if (ok) {
        ok = write_store(out, db, &ignored);
        reader_pool_give(daemon->reader_pool, db);
    }
    if (fclose(out) == 0 && ok)
        return text;
    free(text);
    return NULL;
}

static bool is_fresh(void)
{
    pthread_mutex_lock(&store.copying);
    bool fresh = store.text && clock_boot_ms() - store.read_ms < METRICS_AGE_MS;
    pthread_mutex_unlock(&store.copying);
    return fresh;
}

static void keep_store(char *text)
{
    pthread_mutex_lock(&store.copying);
    free(store.text);
    store.text = text;
    store.read_ms = clock_boot_ms();
    pthread_mutex_unlock(&store.copying);
}

/* Reads the database when the last text is too old. While another scrape does so, the old text serves. */
static void refresh(struct daemon *daemon)
{
    if (is_fresh())
        return;
    if (pthread_mutex_trylock(&store.mutex) != 0) {
        pthread_mutex_lock(&store.copying);
        bool any = store.text != NULL;
        pthread_mutex_unlock(&store.copying);
        if (any)
            return;
        pthread_mutex_lock(&store.mutex);
    }
    if (!is_fresh())
        keep_store(read_store(daemon));
    pthread_mutex_unlock(&store.mutex);
}

static void write_kept(FILE *out)
{
    pthread_mutex_lock(&store.copying);
    metrics_write_gauge(out, "dfota_database_readable", "1 when the numbers from the database could be read.",
                        "", store.text != NULL);
    if (store.text) {
        fputs(store.text, out);
        metrics_write_gauge(out, "dfota_database_numbers_age_seconds",
                            "Age of the numbers that were read from the database.", "",
                            (clock_boot_ms() - store.read_ms) / 1000);
    }
    pthread_mutex_unlock(&store.copying);
}

/* ---- from the process and the disk ---- */

static void write_sizes(FILE *out, const struct daemon *daemon)
{
    char path[PATH_MAX];
    struct stat info;
    int64_t bytes = 0;
    uint64_t free_bytes, reserve;
    struct error ignored;
    for (int log = 0; log < 2; log++)
        if (snprintf(path, sizeof path, "%s/dfota.db%s", daemon->config->data_dir, log ? "-wal" : "") <
                (int)sizeof path &&
            stat(path, &info) == 0)
            bytes += info.st_size;
    metrics_write_gauge(out, "dfota_database_size_bytes", "Size of the database with its log.", "", bytes);
    if (!blobs_space(daemon->blobs, &free_bytes, &reserve, &ignored))
        return;
    metrics_write_gauge(out, "dfota_disk_free_bytes", "Free space on the disk of the data.", "",
                        (int64_t)free_bytes);
    metrics_write_gauge(out, "dfota_disk_reserve_bytes", "Space that uploads and packages leave free.", "",
                        (int64_t)reserve);
}

static void write_process(FILE *out, const struct daemon *daemon)
{
    const struct transfers_load load = transfers_load(daemon->transfers, 0);
    const char *name = "dfota_queue_length";
    metrics_write_gauge(out, "dfota_build_info", "1; the label has the version of the server.",
                        "version=\"" PACKAGE_VERSION "\"", 1);
    metrics_write_gauge(out, "dfota_uptime_seconds", "Time since the start of the server.", "",
                        (clock_boot_ms() - daemon->started_ms) / 1000);
    metrics_write_gauge(out, "dfota_transfers_in_progress", "Packages that are being sent.", "",
                        (int64_t)load.running);
    put(out, name, "Work that waits in memory: for the writer of the database, for a worker thread.", "queue",
        "writer", (int64_t)writer_waiting(daemon->writer));
    put(out, name, "", "queue", "workers", (int64_t)thread_pool_waiting(daemon->thread_pool));
}

void admin_metrics_serve(struct request *request)
{
    struct daemon *daemon = request->context;
    char *text = NULL;
    size_t size = 0;
    struct reply reply;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    refresh(daemon);
    write_process(out, daemon);
    write_sizes(out, daemon);
    write_kept(out);
    metrics_write(out);
    if (fclose(out) != 0)
        abort();
    reply_text(&reply, 200, "text/plain; version=0.0.4; charset=utf-8", text, size);
    reply_header(&reply, "Cache-Control", "no-store");
    request_answer(request, &reply);
    free(text);
}
