/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Start and end of the server: makes every part in order and ends the parts in the opposite order. */
#include "server/daemon.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <config.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/attempts.h"
#include "server/access/signing_key.h"
#include "server/access/tokens.h"
#include "server/admin_token.h"
#include "server/build/scheduler.h"
#include "server/checkin/counters.h"
#include "server/checkin/refused.h"
#include "server/checkin/unchanged.h"
#include "server/checkin/waiting.h"
#include "server/config/firmware_section.h"
#include "server/console/live.h"
#include "server/console/sessions.h"
#include "server/context.h"
#include "server/db/data_dir.h"
#include "server/db/sizes.h"
#include "server/db/snapshot.h"
#include "server/delivery/package_cache.h"
#include "server/delivery/progress.h"
#include "server/descriptors.h"
#include "server/listeners.h"
#include "server/maintenance.h"
#include "server/planning/plan_cache.h"
#include "server/planning/prebuild.h"
#include "server/planning/ready.h"
#include "server/process/filter.h"
#include "server/process/process.h"
#include "server/process/sandbox.h"
#include "server/recovery.h"
#include "server/reload.h"
#include "server/watchdog.h"
#include "server/webhook/sender.h"
#include "storage/file_watch.h"
#include "upgrade/allowance.h"

#define DRAIN_MS 10000
#define FLUSH_MS 2000
#define WORKERS  4 /* admin requests and first reads of a package at once */

struct server {
    struct daemon daemon;
    struct data_dir data;
    struct file_watch *file_watch; /* files that must not be moved or removed */
    bool is_lost;                  /* one of them was */
    struct listeners listeners;
    struct config *config; /* of daemon; changed before the first thread starts */
    struct reload *reload;
    atomic_bool is_listening; /* from then on the address is known that links begin with */
    struct ready_finder *ready_finder;
};

static bool flush(void *cls, struct db *db, struct error *err)
{
    struct daemon *daemon = cls;
    return checkin_counters_store(daemon->counters, db, err) && refused_store(daemon->refused, db, err) &&
           progress_store_kept(daemon->progress, db, err) && sessions_store(daemon->sessions, db, err) &&
           tokens_store(daemon->tokens, db, clock_boot_ms(), err);
}

static void flushed(void *cls, bool committed)
{
    struct daemon *daemon = cls;
    checkin_counters_flushed(daemon->counters, committed);
    refused_flushed(daemon->refused, committed);
    progress_flushed(daemon->progress, committed);
    sessions_flushed(daemon->sessions, committed);
    tokens_flushed(daemon->tokens, committed);
}

static void committed(void *cls, unsigned touched)
{
    struct daemon *daemon = cls;
    live_wake(daemon->live, touched);
}

/* The log files exist as soon as the database is open. */
static bool watch_files(struct server *server, const char *path, struct error *err)
{
    const char *directory = server->daemon.config->data_dir;
    char blobs[PATH_MAX + 8], log[PATH_MAX + 8], index[PATH_MAX + 8];
    snprintf(blobs, sizeof blobs, "%s/blobs", directory);
    snprintf(log, sizeof log, "%s-wal", path);
    snprintf(index, sizeof index, "%s-shm", path);
    return file_watch_open(&server->file_watch, err) && file_watch_add(server->file_watch, directory, err) &&
           file_watch_add(server->file_watch, path, err) && file_watch_add(server->file_watch, log, err) &&
           file_watch_add(server->file_watch, index, err) && file_watch_add(server->file_watch, blobs, err);
}

static void log_upgrade(struct db *db)
{
    struct log_number from, to;
    unsigned schema;
    struct error err;
    if (db_upgraded_from(db) && db_check_schema(db, &schema, &err))
        log_line(LOG_LEVEL_INFO, "database-upgraded", "from", log_i64(&from, db_upgraded_from(db)), "to",
                 log_i64(&to, schema), "then",
                 "dfota.db.schema-NNN in the data directory is the database as it was before: doc/upgrade.md",
                 NULL);
}

static bool open_storage(struct server *server, struct error *err)
{
    struct daemon *daemon = &server->daemon;
    char path[PATH_MAX];
    struct db *db = NULL;
    snprintf(path, sizeof path, "%s/dfota.db", daemon->config->data_dir);
    if (!blobs_open(daemon->config->data_dir, daemon->config->disk_reserve_bytes, &daemon->blobs, err) ||
        !db_open_writer(path, &db, err))
        return false;
    log_upgrade(db);
    if (!watch_files(server, path, err) || !recovery_run(daemon, db, err) ||
        !admin_token_load(daemon->config->data_dir, db, err) ||
        !signing_key_load(daemon->config->data_dir, &daemon->signing_key, err) ||
        !tokens_open(db, &daemon->tokens, err) || !attempts_open(&daemon->attempts, err) ||
        !sessions_open(db, daemon->tokens, &daemon->sessions, err) ||
        !live_open(daemon->sessions, &daemon->live, err) || !checkin_counters_open(&daemon->counters, err) ||
        !refused_open(&daemon->refused, err) || !waiting_open(&daemon->waiting, err) ||
        !unchanged_open(&daemon->unchanged, err) || !progress_open(&daemon->progress, err) ||
        !snapshot_open(&daemon->snapshot, err) || !sizes_open(&daemon->sizes, err)) {
        db_close(db);
        return false;
    }
    db_watch(db, server->file_watch);
    struct writer_flush later = {
        .run = flush, .flushed = flushed, .cls = daemon, .every_ms = FLUSH_MS, .committed = committed};
    if (!writer_start(db, &later, &daemon->writer, err))
        return false;
    progress_set_writer(daemon->progress, daemon->writer);
    if (!reader_pool_open(path, &daemon->reader_pool, err))
        return false;
    reader_pool_watch(daemon->reader_pool, server->file_watch);
    return true;
}

/* Start and end */

/* The log says before the first job what child processes may do. */
static void log_confinement(const struct config *config)
{
    if (!filter_is_there())
        log_line(LOG_LEVEL_WARN, "children-unfiltered", "then",
                 "this build or the kernel has no seccomp: dfota and external commands can use the network",
                 NULL);
    for (size_t i = 0; i < config->firmware_count; i++)
        if (config->firmware[i].value[FIRMWARE_EXTERNAL_COMMAND][0] && !sandbox_is_there()) {
            log_line(
                LOG_LEVEL_WARN, "external-unconfined", "firmware", config->firmware[i].name, "then",
                "the kernel has no Landlock, or a filter blocks it: the command can write wherever the server can",
                NULL);
            return;
        }
}

/* Another program of the configuration may need other files: only the dfota beside this program is confined. */
static bool confine_dfota(const struct config *config, struct error *err)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - sizeof "dfota");
    while (len > 0 && path[len - 1] != '/')
        len--;
    if (len <= 0)
        return true;
    memcpy(path + len, "dfota", sizeof "dfota");
    return strcmp(path, config->dfota_path) != 0 ||
           process_confine(config->dfota_path, config->data_dir, err);
}

static bool find_ready(void *cls)
{
    struct server *server = cls;
    return atomic_load(&server->is_listening) && ready_finder_run(server->ready_finder);
}

static bool start_sender(struct server *server, struct error *err)
{
    struct daemon *daemon = &server->daemon;
    const struct sender_config config = {.reader_pool = daemon->reader_pool,
                                         .writer = daemon->writer,
                                         .find_ready = find_ready,
                                         .cls = server};
    return ready_finder_open(daemon, &server->ready_finder, err) &&
           sender_start(&config, &daemon->sender, err);
}

static bool start_transfers(struct daemon *daemon, struct error *err)
{
    const struct transfers_config config = {.stall_ms = (int64_t)daemon->config->transfer_stall_ms,
                                            .least_rate = daemon->config->least_rate,
                                            .max_rate = daemon->config->max_bytes_per_second,
                                            .share_rate = ALLOWANCE_LEAST_RATE,
                                            .notify = progress_notify,
                                            .cls = daemon->progress};
    return transfers_start(&config, &daemon->transfers, err);
}

static bool start(struct server *server, struct error *err)
{
    struct daemon *daemon = &server->daemon;
    daemon->started_ms = clock_boot_ms();
    daemon->ending_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (daemon->ending_fd < 0)
        return error_errno(err, errno, "cannot make an eventfd");
    descriptors_raise(server->config);
    log_confinement(daemon->config);
    if (!confine_dfota(daemon->config, err) || !data_dir_open(daemon->config->data_dir, &server->data, err) ||
        !open_storage(server, err) ||
        !package_cache_open(daemon->config->package_cache_bytes, &daemon->cache, err) ||
        !plan_cache_open(&daemon->plan_cache, err))
        return false;
    bool ok = thread_pool_start(WORKERS, &daemon->thread_pool, err) && start_transfers(daemon, err) &&
              scheduler_start(daemon, &daemon->scheduler, err) &&
              maintenance_start(daemon, &daemon->maintenance, err) &&
              prebuild_start(daemon, &daemon->prebuild, err) && start_sender(server, err) &&
              live_start(daemon->live, daemon->reader_pool, err) &&
              listeners_open(daemon, &server->listeners, err);
    atomic_store(&server->is_listening, ok);
    atomic_store(&daemon->is_serving, ok);
    return ok;
}

static int64_t left_ms(int64_t until_ms)
{
    int64_t left = until_ms - clock_boot_ms();
    return left > 0 ? left : 0;
}

static void close_access(struct daemon *daemon)
{
    sessions_close(daemon->sessions);
    attempts_close(daemon->attempts);
    signing_key_free(daemon->signing_key);
    tokens_close(daemon->tokens);
}

/* After the last task of the writer. */
static void close_parts(struct daemon *daemon)
{
    scheduler_free(daemon->scheduler);
    checkin_counters_close(daemon->counters);
    refused_close(daemon->refused);
    unchanged_close(daemon->unchanged);
    waiting_close(daemon->waiting);
    progress_close(daemon->progress);
    live_close(daemon->live);
    close_access(daemon);
    reader_pool_close(daemon->reader_pool);
    package_cache_close(daemon->cache);
    plan_cache_close(daemon->plan_cache);
    snapshot_close(daemon->snapshot);
    sizes_close(daemon->sizes);
    blobs_close(daemon->blobs);
}

static void end(struct server *server)
{
    struct daemon *daemon = &server->daemon;
    maintenance_stop(daemon->maintenance);
    scheduler_stop(daemon->scheduler);
    live_stop(daemon->live);
    int64_t until_ms = clock_boot_ms() + DRAIN_MS;
    bool drained = listeners_drain(&server->listeners, until_ms);
    if (daemon->ending_fd >= 0)
        eventfd_write(daemon->ending_fd, 1);
    /* Until a loop has ended it may receive one more whole request. Workers and writer are needed for the
       answer. */
    listeners_close(&server->listeners);
    thread_pool_stop(daemon->thread_pool);
    prebuild_stop(daemon->prebuild);
    sender_stop(daemon->sender);
    ready_finder_close(server->ready_finder);
    /* Bytes that were written may still be on their way to the peer: the same ten seconds hold for them. */
    drained = (!daemon->transfers || transfers_drain(daemon->transfers, left_ms(until_ms))) && drained;
    if (!drained)
        log_line(LOG_LEVEL_WARN, "connections-cut", "reason", "they were not finished in time", NULL);
    transfers_stop(daemon->transfers);
    tokens_end(daemon->tokens);
    writer_stop(daemon->writer);
    close_parts(daemon);
    cleanup_close(&daemon->ending_fd);
    file_watch_close(server->file_watch);
    data_dir_close(&server->data);
}

static long long monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* "READY=1" follows. The time tells systemd which reload this is the answer to (Type=notify-reload). */
static void notify_reload(void)
{
    char text[64];
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld", monotonic_us());
    watchdog_notify(text);
}

static void check_files(struct server *server, struct error *err)
{
    if (server->is_lost || file_watch_check(server->file_watch, err))
        return;
    server->is_lost = true;
    log_line(LOG_LEVEL_ERROR, "data-lost", "error", err->text, NULL);
    watchdog_notify("STATUS=the data directory was changed: nothing is stored");
}

/* Checks once a second that the files are where they were; the writer and the readers check on their own.
   A server that has lost its files refuses every request and does not end: while it runs, a removed
   database can still be rescued. */
static int await_signal(struct server *server, const sigset_t *awaited, struct error *err)
{
    static const struct timespec second = {.tv_sec = 1};
    int64_t warned_ms = clock_boot_ms();
    struct watchdog watchdog;
    watchdog_open(&watchdog);
    for (;;) {
        int number = sigtimedwait(awaited, NULL, &second);
        watchdog_tick(&watchdog, &server->listeners, server->daemon.writer);
        check_files(server, err);
        if (clock_boot_ms() - warned_ms >= DAY_MS) {
            warned_ms = clock_boot_ms();
            listeners_warn(&server->daemon);
        }
        if (number == SIGHUP) {
            notify_reload();
            reload_run(server->reload, &server->listeners);
            watchdog_notify("READY=1");
        } else if (number > 0)
            return number;
    }
}

/* Blocked before the first thread starts: all threads inherit the mask, and the main thread waits for the signals. */
static void block_signals(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGINT);
    sigaddset(ret, SIGHUP);
    pthread_sigmask(SIG_BLOCK, ret, NULL);
    signal(SIGPIPE, SIG_IGN);
}

bool daemon_run(const struct config *config, int argc, char **argv, struct error *err)
{
    struct server server = {.daemon = {.device_url = "", .ending_fd = -1}, .data = DATA_DIR_CLOSED};
    sigset_t awaited;
    block_signals(&awaited);
    umask(077); /* other users may not read the server's files */
    log_line(LOG_LEVEL_INFO, "start", "version", PACKAGE_VERSION, "data_dir", config->data_dir, NULL);
    if (!reload_open(&server.daemon, config, argc, argv, &server.config, &server.reload, err))
        return false;
    bool ok = start(&server, err);
    if (ok) {
        watchdog_notify("READY=1");
        int signal_number = await_signal(&server, &awaited, err);
        watchdog_notify("STOPPING=1");
        atomic_store(&server.daemon.is_serving, false);
        log_line(LOG_LEVEL_INFO, "stop", "signal", signal_number == SIGINT ? "SIGINT" : "SIGTERM", NULL);
    }
    end(&server);
    reload_close(server.reload);
    if (ok)
        log_line(LOG_LEVEL_INFO, "stopped", NULL);
    return ok && !server.is_lost;
}
