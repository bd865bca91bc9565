/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Start and end of the server: every part is made here, in order, and taken down in the opposite one. */
#include "server/daemon.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <config.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/admin.h"
#include "server/admin_token.h"
#include "server/context.h"
#include "server/maintenance.h"
#include "server/config/firmware_section.h"
#include "server/db/data_dir.h"
#include "server/device/device.h"
#include "server/config/device_url.h"
#include "server/http/listener.h"
#include "server/build/scheduler.h"
#include "server/planning/prebuild.h"
#include "server/delivery/package_cache.h"
#include "server/planning/plan_cache.h"
#include "server/delivery/progress.h"
#include "server/core/uptime.h"
#include "server/process/sandbox.h"
#include "server/checkin/refusal.h"
#include "server/checkin/refused.h"
#include "server/checkin/counters.h"
#include "storage/attempt.h"
#include "storage/image.h"
#include "storage/file_watch.h"

#define DRAIN_MS        10000
#define FLUSH_MS        2000
#define OWN_DESCRIPTORS 192 /* database, reader_pool, blobs, jobs with their pipes, loops; and what lingers */
#define WORKERS         4   /* admin requests and first reads of a package at once */
#define DEVICE_HEAD_MAX 4096 /* the longest request seen from a module is below 600 bytes */
#define DEVICE_MEMORY   (8 * 1024)
#define DEVICE_BODIES                                                                                        \
    (16 * 1024 * 1024) /* 64 transcripts of the longest kind at once; a host sends one a day */
#define ADMIN_HEAD_MAX (16 * 1024)
#define ADMIN_MEMORY   (128 * 1024) /* measured: uploads are then nearly twice as fast as with 32 KB */

struct server {
    struct daemon daemon;
    struct data_dir data;
    struct file_watch *file_watch; /* what must stay where it is */
    bool is_lost;                  /* and does not */
    struct listener *device, *admin;
    char device_url[72]; /* of its address; daemon.device_url may point here */
};

static void tell_systemd(const char *state)
{
#ifdef HAVE_SYSTEMD
    sd_notify(0, state);
#else
    (void)state;
#endif
}

/* Storage */

static bool is_needed(void *cls, const struct sha256 *hash, bool *ret_needed, struct error *err)
{
    return image_uses_blob(cls, hash, ret_needed, err);
}

static bool remove_unused(struct daemon *daemon, struct db *db, const struct sha256 *hash, struct error *err)
{
    bool used;
    return image_uses_blob(db, hash, &used, err) && (used || blob_remove(daemon->blobs, hash, err));
}

/* The files of packages that an upgrade of this server no longer sends. */
static bool remove_outdated(struct daemon *daemon, struct db *db, struct error *err)
{
    _cleanup_(cleanup_free) struct sha256 *hash = NULL;
    size_t count;
    struct log_number number;
    if (!package_outdated(db, &hash, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!remove_unused(daemon, db, &hash[i], err))
            return false;
    if (count > 0)
        log_line(
            LOG_LEVEL_WARN, "packages-outdated", "count", log_i64(&number, (int64_t)count), "then",
            "they were made by rules that modules do not share, and are made anew; upload again what was "
            "made elsewhere",
            NULL);
    return count == 0 || package_outdated_clear(db, err);
}

/* What a server that was killed left: blobs nobody knows of, transfers that nobody watches. */
static bool tidy_up(struct daemon *daemon, struct db *db, struct error *err)
{
    unsigned unknown, most = (unsigned)daemon->config.jobs + 1; /* a package of each, and one upload */
    bool removed;
    struct log_number number;
    if (!remove_outdated(daemon, db, err) ||
        !blobs_sweep(daemon->blobs, is_needed, db, most, &unknown, &removed, err) || !db_begin(db, err))
        return false;
    if (!uptime_begin(db, err) || !progress_recover(db, err)) {
        db_rollback(db);
        return false;
    }
    log_i64(&number, unknown);
    if (removed)
        log_line(LOG_LEVEL_INFO, "blobs-removed", "count", number.text, NULL);
    else if (unknown)
        log_line(LOG_LEVEL_WARN, "blobs-unknown", "count", number.text, "then",
                 "they are kept: this is more than a killed server leaves; was an older database put back?",
                 NULL);
    return db_commit(db, err);
}

/* What the writer stores a moment later */

static bool flush(void *cls, struct db *db, struct error *err)
{
    struct daemon *daemon = cls;
    return checkin_counters_store(daemon->counters, db, err) && refused_store(daemon->refused, db, err) &&
           progress_store_kept(daemon->progress, db, err);
}

static void flushed(void *cls, bool committed)
{
    struct daemon *daemon = cls;
    checkin_counters_flushed(daemon->counters, committed);
    refused_flushed(daemon->refused, committed);
    progress_flushed(daemon->progress, committed);
}

/* The logs are there once the database is open. */
static bool watch_files(struct server *server, const char *path, struct error *err)
{
    const char *directory = server->daemon.config.data_dir;
    char blobs[PATH_MAX + 8], log[PATH_MAX + 8], index[PATH_MAX + 8];
    snprintf(blobs, sizeof blobs, "%s/blobs", directory);
    snprintf(log, sizeof log, "%s-wal", path);
    snprintf(index, sizeof index, "%s-shm", path);
    return file_watch_open(&server->file_watch, err) && file_watch_add(server->file_watch, directory, err) &&
           file_watch_add(server->file_watch, path, err) && file_watch_add(server->file_watch, log, err) &&
           file_watch_add(server->file_watch, index, err) && file_watch_add(server->file_watch, blobs, err);
}

static bool open_storage(struct server *server, struct error *err)
{
    struct daemon *daemon = &server->daemon;
    char path[PATH_MAX];
    struct db *db = NULL;
    snprintf(path, sizeof path, "%s/dfota.db", daemon->config.data_dir);
    if (!blobs_open(daemon->config.data_dir, daemon->config.disk_reserve_bytes, &daemon->blobs, err) ||
        !db_open_writer(path, &db, err))
        return false;
    if (!watch_files(server, path, err) || !tidy_up(daemon, db, err) ||
        !admin_token_load(daemon->config.data_dir, db, &daemon->tokens, &daemon->token_count, err) ||
        !checkin_counters_open(&daemon->counters, err) || !refused_open(&daemon->refused, err) ||
        !progress_open(&daemon->progress, err)) {
        db_close(db);
        return false;
    }
    db_watch(db, server->file_watch);
    struct writer_flush later = {flush, flushed, daemon, FLUSH_MS};
    if (!writer_start(db, &later, &daemon->writer, err))
        return false;
    progress_set_writer(daemon->progress, daemon->writer);
    if (!reader_pool_open(path, &daemon->reader_pool, err))
        return false;
    reader_pool_watch(daemon->reader_pool, server->file_watch);
    return true;
}

/* Listeners */

/* The address as it is bound, because the configuration may write "any" in many ways. */
static void note_device_url(struct server *server)
{
    struct daemon *daemon = &server->daemon;
    char address[64];
    struct error unusable;
    listener_address(server->device, address);
    snprintf(server->device_url, sizeof server->device_url, "http://%s", address);
    if (daemon->config.public_device_url[0])
        daemon->device_url = daemon->config.public_device_url;
    else if (device_url_check(server->device_url, &unusable))
        daemon->device_url = server->device_url;
}

static void tell_address(const char *name, const struct listener *listener)
{
    char address[64];
    listener_address(listener, address);
    log_line(LOG_LEVEL_INFO, "listening", "listener", name, "address", address, NULL);
}

static struct listener_config common_listener(struct daemon *daemon)
{
    return (struct listener_config){
        .loops = (unsigned)daemon->config.loops,
        .head_timeout_ms = (int64_t)daemon->config.head_timeout_ms,
        .body_timeout_ms = (int64_t)daemon->config.body_timeout_ms,
        .idle_timeout_ms = (int64_t)daemon->config.idle_timeout_ms,
        .least_rate = daemon->config.least_rate,
        .transfers = daemon->transfers,
        .thread_pool = daemon->thread_pool,
        .context = daemon,
    };
}

static bool open_listeners(struct server *server, struct error *err)
{
    struct daemon *daemon = &server->daemon;
    struct listener_config device = common_listener(daemon), admin = device;
    device.name = "device";
    device.address = daemon->config.device_listen;
    device.max_connections = (unsigned)daemon->config.max_device_connections;
    device.max_head_bytes = DEVICE_HEAD_MAX;
    device.memory_per_connection = DEVICE_MEMORY;
    device.no_chunks = true;
    device.bare_refusals = true;
    device.trailing_slash = true;
    device.vet = report_vet;
    device.max_bodies_bytes = DEVICE_BODIES;
    device.routes = device_routes;
    device.route_count = device_route_count;
    device.render_error = refusal_render_error;
    admin.name = "admin";
    admin.address = daemon->config.admin_listen;
    admin.loops = 1;
    admin.max_connections = (unsigned)daemon->config.max_admin_connections;
    admin.max_head_bytes = ADMIN_HEAD_MAX;
    admin.memory_per_connection = ADMIN_MEMORY;
    admin.routes = admin_routes;
    admin.route_count = admin_route_count;
    admin.authorize = admin_authorize;
    admin.render_error = admin_render_error;
    if (!listener_open(&device, &server->device, err))
        return false;
    note_device_url(server); /* before an admin can ask for a link */
    if (!listener_open(&admin, &server->admin, err))
        return false;
    tell_address("device", server->device);
    tell_address("admin", server->admin);
    if (!daemon->device_url[0])
        log_line(LOG_LEVEL_WARN, "no-public-device-url", "then",
                 "links cannot be made: set public_device_url to what modules reach this server by", NULL);
    else if (device_url_is_local(daemon->device_url))
        log_line(LOG_LEVEL_WARN, "local-device-url", "address", daemon->device_url, "then",
                 "no module can reach it, only programs on this machine: set public_device_url", NULL);
    else if (device_url_is_https(daemon->device_url))
        log_line(LOG_LEVEL_INFO, "https-device-url", "address", daemon->device_url, "then",
                 "links are of no use to AT firmware, which fetches over plain http:// only", NULL);
    return true;
}

/* Start and end */

/* Each device connection takes one, a second one while a package is sent, and a quarter more waits or lingers beyond
   the limit. */
static uint64_t descriptors_needed(uint64_t device, uint64_t admin)
{
    return OWN_DESCRIPTORS + device * 9 / 4 + admin * 5 / 4;
}

/* The connections that were asked for must not run into the limit: then nothing could be opened any more. */
static void fit_connections(struct config *config, uint64_t descriptors)
{
    struct log_number limit, device, admin;
    if (descriptors_needed(config->max_device_connections, config->max_admin_connections) <= descriptors)
        return;
    uint64_t left = descriptors > OWN_DESCRIPTORS ? descriptors - OWN_DESCRIPTORS : 0;
    uint64_t most_admin = left / 10 < 4 ? 4 : left / 10; /* an eighth of the room */
    if (config->max_admin_connections > most_admin)
        config->max_admin_connections = most_admin;
    uint64_t taken = config->max_admin_connections * 5 / 4;
    uint64_t most_device = left > taken ? (left - taken) * 4 / 9 : 0;
    if (config->max_device_connections > most_device)
        config->max_device_connections = most_device < 4 ? 4 : most_device;
    log_line(LOG_LEVEL_WARN, "descriptors-few", "limit", log_i64(&limit, (long long)descriptors),
             "max_device_connections", log_i64(&device, (long long)config->max_device_connections),
             "max_admin_connections", log_i64(&admin, (long long)config->max_admin_connections), "then",
             "these fit in; raise the hard limit of open files (LimitNOFILE, ulimit -Hn) for more", NULL);
}

static void use_descriptors(struct config *config)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY)
        fit_connections(config, limit.rlim_max);
}

/* What an external command may do is known before it does it. */
static void tell_confinement(const struct config *config)
{
    for (size_t i = 0; i < config->firmware_count; i++)
        if (config->firmware[i].value[FIRMWARE_EXTERNAL_COMMAND][0] && !sandbox_is_there()) {
            log_line(
                LOG_LEVEL_WARN, "external-unconfined", "firmware", config->firmware[i].name, "then",
                "the kernel has no Landlock, or a filter keeps it away: its command can write wherever the server "
                "can",
                NULL);
            return;
        }
}

static bool start(struct server *server, struct error *err)
{
    struct daemon *daemon = &server->daemon;
    daemon->started_ms = clock_boot_ms();
    daemon->ending_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (daemon->ending_fd < 0)
        return error_errno(err, errno, "cannot make an eventfd");
    use_descriptors(&daemon->config);
    tell_confinement(&daemon->config);
    if (!data_dir_open(daemon->config.data_dir, &server->data, err) || !open_storage(server, err) ||
        !package_cache_open(daemon->config.package_cache_bytes, &daemon->cache, err) ||
        !plan_cache_open(&daemon->plan_cache, err))
        return false;
    daemon->thread_pool = thread_pool_start(WORKERS);
    return transfers_start((int64_t)daemon->config.transfer_stall_ms, daemon->config.least_rate,
                           progress_notify, daemon->progress, &daemon->transfers, err) &&
           scheduler_start(daemon, &daemon->scheduler, err) &&
           maintenance_start(daemon, &daemon->maintenance, err) &&
           prebuild_start(daemon, &daemon->prebuild, err) && open_listeners(server, err);
}

static int64_t left_ms(int64_t until_ms)
{
    int64_t left = until_ms - clock_boot_ms();
    return left > 0 ? left : 0;
}

static void end(struct server *server)
{
    struct daemon *daemon = &server->daemon;
    maintenance_stop(daemon->maintenance);
    scheduler_stop(daemon->scheduler);
    int64_t until_ms = clock_boot_ms() + DRAIN_MS;
    bool drained = !server->device || listener_drain(server->device, DRAIN_MS);
    drained = (!server->admin || listener_drain(server->admin, left_ms(until_ms))) && drained;
    if (daemon->ending_fd >= 0)
        eventfd_write(daemon->ending_fd, 1);
    /* Until a loop has ended it may take one more request whole, and each is answered by workers and writer. */
    listener_close(server->device);
    listener_close(server->admin);
    thread_pool_stop(daemon->thread_pool);
    prebuild_stop(daemon->prebuild);
    /* What was written may still be on its way: the same ten seconds hold for it. */
    drained = (!daemon->transfers || transfers_drain(daemon->transfers, left_ms(until_ms))) && drained;
    if (!drained)
        log_line(LOG_LEVEL_WARN, "connections-cut", "reason", "they were not done in time", NULL);
    transfers_stop(daemon->transfers);
    writer_stop(daemon->writer);
    scheduler_free(daemon->scheduler);
    checkin_counters_close(daemon->counters);
    refused_close(daemon->refused);
    progress_close(daemon->progress);
    reader_pool_close(daemon->reader_pool);
    package_cache_close(daemon->cache);
    plan_cache_close(daemon->plan_cache);
    blobs_close(daemon->blobs);
    free(daemon->tokens);
    cleanup_close(&daemon->ending_fd);
    file_watch_close(server->file_watch);
    data_dir_close(&server->data);
}

/* Once a second it is seen whether the files are where they were; writer and readers look for themselves. A server that
   has lost them refuses what it is asked and does not end: while it runs, a removed database can be saved from it. */
static int await_signal(struct server *server, const sigset_t *ending, struct error *err)
{
    static const struct timespec while_there = {.tv_sec = 1};
    for (;;) {
        int number = server->is_lost ? sigwaitinfo(ending, NULL) : sigtimedwait(ending, NULL, &while_there);
        if (!server->is_lost && !file_watch_check(server->file_watch, err)) {
            server->is_lost = true;
            log_line(LOG_LEVEL_ERROR, "data-lost", "error", err->text, NULL);
            tell_systemd("STATUS=the data directory was changed: nothing is stored");
        }
        if (number > 0)
            return number;
    }
}

bool daemon_run(const struct config *config, struct error *err)
{
    struct server server = {.daemon = {.config = *config, .device_url = "", .ending_fd = -1},
                            .data = DATA_DIR_CLOSED};
    sigset_t ending;
    /* Blocked before there are threads, so that all inherit it and this one waits for them. */
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ending, NULL);
    signal(SIGPIPE, SIG_IGN);
    umask(077); /* all that is made is the server's own */
    log_line(LOG_LEVEL_INFO, "start", "version", PACKAGE_VERSION, "data_dir", config->data_dir, NULL);
    bool ok = start(&server, err);
    if (ok) {
        tell_systemd("READY=1");
        int signal_number = await_signal(&server, &ending, err);
        tell_systemd("STOPPING=1");
        log_line(LOG_LEVEL_INFO, "stop", "signal", signal_number == SIGINT ? "SIGINT" : "SIGTERM", NULL);
    }
    end(&server);
    if (ok)
        log_line(LOG_LEVEL_INFO, "stopped", NULL);
    return ok && !server.is_lost;
}
