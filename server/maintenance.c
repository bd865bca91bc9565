/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/maintenance.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/thread.h"
#include "server/access/tokens.h"
#include "server/admin/backup_result.h"
#include "server/campaign/gate.h"
#include "server/campaign/move.h"
#include "server/growth.h"
#include "server/ledger/prune.h"
#include "server/core/log.h"
#include "server/ledger/event.h"
#include "server/core/uptime.h"
#include "server/db/snapshot.h"
#include "storage/fleet_day.h"
#include "storage/pending_report.h"
#include "storage/product.h"
#include "storage/traffic.h"
#include "upgrade/hours.h"

#define ROUND_MS         MINUTE_MS /* longest time between two rounds */
#define ROUND_LEAST_MS   50
#define SILENT_AT_ONCE   500 /* attempts in one transaction: check-ins wait meanwhile */
#define PRUNE_EVERY_MS   DAY_MS
#define SNAPSHOT_KEEP_MS HOUR_MS /* since it was read last */
#define EXPIRES_SOON_MS  (14 * DAY_MS)
#define CLOCK_BACK_MS    1000 /* events of the same moment may come into the ledger in another order */

struct maintenance {
    struct daemon *daemon;
    int64_t round_ms, prune_at_ms, traffic_at_ms, expiry_at_ms, backup_at_ms, growth_at_ms; /* boot clock */
    bool clock_was_back;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool stopping;
    pthread_t thread;
};

/* The wall clock */

struct look {
    struct ledger_row head;
};

static bool read_head(void *cls, struct db *db, struct error *err)
{
    struct look *look = cls;
    return ledger_head(db, &look->head, err);
}

/* The clock is behind the newest row of the ledger: it was set back, or it starts at zero at every boot. */
static bool clock_is_back(struct maintenance *maintenance)
{
    struct look look;
    struct error err;
    struct log_number behind;
    if (!writer_call(maintenance->daemon->writer, read_head, &look, &err))
        return true; /* without the database there is nothing to do */
    int64_t behind_ms = look.head.at_ms - clock_utc_ms();
    bool is_back = behind_ms > CLOCK_BACK_MS;
    if (is_back && !maintenance->clock_was_back)
        log_line(LOG_LEVEL_WARN, "clock-back", "behind_ms", log_i64(&behind, behind_ms), "then",
                 "until the clock is right again, nothing expires", NULL);
    maintenance->clock_was_back = is_back;
    return is_back;
}

/* Silence */

struct silence {
    int64_t after_ms;
    size_t due;
};

static bool call_silent(struct db *db, int64_t id, struct error *err)
{
    struct attempt attempt;
    enum attempt_state before, state;
    bool found;
    if (!attempt_by_id(db, id, &attempt, &found, err))
        return false;
    before = state = found ? attempt.state : ATTEMPT_ABANDONED;
    if (!attempt_apply(&state, EVENT_OVERDUE) || state == before)
        return true; /* a report has come meanwhile */
    attempt.state = state;
    attempt.ended_ms = clock_utc_ms();
    return attempt_update(db, &attempt, err) &&
           event_attempt_ended(db, &attempt, before, EVENT_OVERDUE, attempt.ended_ms, err) &&
           campaign_attempt_ended(db, &attempt, attempt.ended_ms, err);
}

/* Stored only while a device is waited for: an idle server writes nothing. */
static bool store_uptime(void *cls, struct db *db, struct error *err)
{
    bool any;
    (void)cls;
    return pending_report_any(db, &any, err) && (!any || uptime_store(db, uptime_now_ms(), err));
}

static bool look_for_silence(void *cls, struct db *db, struct error *err)
{
    struct silence *silence = cls;
    _cleanup_(cleanup_free) int64_t *ids = NULL;
    int64_t now_ms = uptime_now_ms();
    if (!pending_report_due(db, now_ms - silence->after_ms, SILENT_AT_ONCE, &ids, &silence->due, err))
        return false;
    for (size_t i = 0; i < silence->due; i++)
        if (!call_silent(db, ids[i], err) || !pending_report_drop(db, ids[i], err))
            return false;
    return store_uptime(NULL, db, err);
}

static void end_silent(struct maintenance *maintenance)
{
    struct silence silence = {.after_ms = (int64_t)maintenance->daemon->config->silent_after_ms};
    struct error err;
    do {
        if (!writer_call(maintenance->daemon->writer, look_for_silence, &silence, &err)) {
            log_line(LOG_LEVEL_WARN, "chore-failed", "error", err.text, NULL);
            return;
        }
    } while (silence.due == SILENT_AT_ONCE);
}

/* Old rows of the ledger */

static void prune(struct maintenance *maintenance)
{
    int64_t days = (int64_t)maintenance->daemon->config->ledger_keep_days;
    struct ledger_pruned pruned;
    struct error err;
    if (!days || clock_boot_ms() < maintenance->prune_at_ms)
        return;
    maintenance->prune_at_ms = clock_boot_ms() + PRUNE_EVERY_MS;
    json_t *by = json_pack("{s:s}", "config", "ledger_keep_days");
    if (!ledger_prune(maintenance->daemon->writer, clock_utc_ms() - days * DAY_MS, by, &pruned, &err))
        log_line(LOG_LEVEL_WARN, "chore-failed", "error", err.text, NULL);
    json_decref(by);
}

/* Tokens that expire soon */

static void warn_of_expiry(struct maintenance *maintenance)
{
    int64_t now_ms = clock_utc_ms();
    struct token token = {.id = 0};
    struct log_number number, left;
    if (clock_boot_ms() < maintenance->expiry_at_ms)
        return;
    maintenance->expiry_at_ms = clock_boot_ms() + DAY_MS;
    while (
        tokens_next_expiring(maintenance->daemon->tokens, token.id, now_ms, now_ms + EXPIRES_SOON_MS, &token))
        log_line(LOG_LEVEL_WARN, "token-expires", "token_number", log_i64(&number, token.id), "token_name",
                 token.name, "left_ms", log_i64(&left, token.expires_ms - now_ms), "then",
                 "give it a later expiry: dfotactl token rotate", NULL);
}

/* Backups */

static void warn_of_backup(struct maintenance *maintenance)
{
    struct db *db = NULL;
    struct backup_state state;
    struct error err;
    struct log_number days;
    if (clock_boot_ms() < maintenance->backup_at_ms)
        return;
    maintenance->backup_at_ms = clock_boot_ms() + DAY_MS;
    bool ok =
        reader_pool_take(maintenance->daemon->reader_pool, &db, &err) && backup_state_load(db, &state, &err);
    reader_pool_give(maintenance->daemon->reader_pool, db);
    if (!ok)
        log_line(LOG_LEVEL_WARN, "chore-failed", "error", err.text, NULL);
    else if (backup_is_due(maintenance->daemon->config, &state, clock_utc_ms()))
        log_line(LOG_LEVEL_WARN, "backup-due", "days",
                 log_i64(&days, backup_age_ms(&state, clock_utc_ms()) / DAY_MS), "then",
                 "make one: dfotactl backup", NULL);
}

/* Growth */

static void limit_growth(struct maintenance *maintenance)
{
    if (clock_boot_ms() < maintenance->growth_at_ms)
        return;
    maintenance->growth_at_ms = clock_boot_ms() + DAY_MS;
    growth_run(maintenance->daemon);
}

/* Budgets of past days */

static bool end_budgets(void *cls, struct db *db, struct error *err)
{
    bool *more = cls;
    int64_t now_ms = clock_utc_ms();
    return note_budgets(db, now_ms, more, err) && product_networks_remove(db, now_ms / DAY_MS, err);
}

static void record_budgets(struct maintenance *maintenance)
{
    struct error err;
    bool more = true;
    while (more)
        if (!writer_call(maintenance->daemon->writer, end_budgets, &more, &err)) {
            log_line(LOG_LEVEL_WARN, "chore-failed", "error", err.text, NULL);
            return;
        }
}

/* Traffic of past months */

#define TRAFFIC_AT_ONCE     500 /* rows in one transaction */
#define TRAFFIC_KEPT_MONTHS 1   /* before this one; the clocks of firmwares differ by less than a day */

static bool forget_traffic(void *cls, struct db *db, struct error *err)
{
    const struct hours utc = hours_of(HOURS_ALWAYS);
    return traffic_remove(db, hours_month(&utc, clock_utc_ms()) - TRAFFIC_KEPT_MONTHS, TRAFFIC_AT_ONCE, cls,
                          err);
}

static void end_traffic(struct maintenance *maintenance)
{
    int64_t removed = TRAFFIC_AT_ONCE;
    struct error err;
    if (clock_boot_ms() < maintenance->traffic_at_ms)
        return;
    maintenance->traffic_at_ms = clock_boot_ms() + DAY_MS;
    while (removed == TRAFFIC_AT_ONCE)
        if (!writer_call(maintenance->daemon->writer, forget_traffic, &removed, &err)) {
            log_line(LOG_LEVEL_WARN, "chore-failed", "error", err.text, NULL);
            return;
        }
}

/* Gates of campaigns that wait for a time */

static bool look_at_gates(void *cls, struct db *db, struct error *err)
{
    (void)cls;
    return campaign_evaluate_all(db, clock_utc_ms(), err);
}

static void evaluate_campaigns(struct maintenance *maintenance)
{
    struct error err;
    if (!writer_call(maintenance->daemon->writer, look_at_gates, NULL, &err))
        log_line(LOG_LEVEL_WARN, "chore-failed", "error", err.text, NULL);
}

/* Counts of the day */

static bool store_day(void *cls, struct db *db, struct error *err)
{
    return fleet_day_store(db, *(const int64_t *)cls, clock_utc_ms() / DAY_MS, err);
}

/* Most rounds change nothing: so they only read. */
static bool count_firmware(const struct daemon *daemon, struct db *db, int64_t *id, struct error *err)
{
    bool differs;
    return fleet_day_differs(db, *id, clock_utc_ms() / DAY_MS, &differs, err) &&
           (!differs || writer_call(daemon->writer, store_day, id, err));
}

static void count_day(struct maintenance *maintenance)
{
    const struct daemon *daemon = maintenance->daemon;
    _cleanup_(cleanup_free) int64_t *ids = NULL;
    struct db *db = NULL;
    struct error err;
    size_t count = 0;
    bool ok = reader_pool_take(daemon->reader_pool, &db, &err) && fleet_day_firmwares(db, &ids, &count, &err);
    for (size_t i = 0; ok && i < count; i++)
        ok = count_firmware(daemon, db, &ids[i], &err);
    reader_pool_give(daemon->reader_pool, db);
    if (!ok)
        log_line(LOG_LEVEL_WARN, "chore-failed", "error", err.text, NULL);
}

/* The thread */

static bool await_round(struct maintenance *maintenance)
{
    int64_t deadline_ms = clock_monotonic_ms() + maintenance->round_ms;
    bool in_time = true;
    pthread_mutex_lock(&maintenance->mutex);
    while (!maintenance->stopping && in_time)
        in_time = thread_wait_until(&maintenance->changed, &maintenance->mutex, deadline_ms);
    bool go_on = !maintenance->stopping;
    pthread_mutex_unlock(&maintenance->mutex);
    return go_on;
}

static void *work(void *cls)
{
    struct maintenance *maintenance = cls;
    do {
        if (clock_is_back(maintenance))
            continue;
        end_silent(maintenance);
        record_budgets(maintenance);
        end_traffic(maintenance);
        evaluate_campaigns(maintenance);
        count_day(maintenance);
        prune(maintenance);
        warn_of_expiry(maintenance);
        warn_of_backup(maintenance);
        limit_growth(maintenance);
        snapshot_drop(maintenance->daemon->snapshot, clock_boot_ms() - SNAPSHOT_KEEP_MS);
    } while (await_round(maintenance));
    return NULL;
}

bool maintenance_start(struct daemon *daemon, struct maintenance **ret, struct error *err)
{
    struct maintenance *maintenance = calloc(1, sizeof *maintenance);
    if (!maintenance)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    int64_t wanted_ms = (int64_t)daemon->config->silent_after_ms / 4;
    maintenance->daemon = daemon;
    maintenance->round_ms = wanted_ms > ROUND_MS         ? ROUND_MS
                            : wanted_ms < ROUND_LEAST_MS ? ROUND_LEAST_MS
                                                         : wanted_ms;
    pthread_mutex_init(&maintenance->mutex, NULL);
    pthread_cond_init(&maintenance->changed, NULL);
    if (!thread_start("maintenance", work, maintenance, &maintenance->thread, err)) {
        free(maintenance);
        return false;
    }
    *ret = maintenance;
    return true;
}

/* Else the time since the last round is lost, and the server waits that much longer for reports. */
static void end_uptime(const struct maintenance *maintenance)
{
    struct error err;
    if (!writer_call(maintenance->daemon->writer, store_uptime, NULL, &err))
        log_line(LOG_LEVEL_WARN, "chore-failed", "error", err.text, NULL);
}

void maintenance_stop(struct maintenance *maintenance)
{
    if (!maintenance)
        return;
    pthread_mutex_lock(&maintenance->mutex);
    maintenance->stopping = true;
    pthread_cond_signal(&maintenance->changed);
    pthread_mutex_unlock(&maintenance->mutex);
    thread_join(maintenance->thread);
    end_uptime(maintenance);
    pthread_cond_destroy(&maintenance->changed);
    pthread_mutex_destroy(&maintenance->mutex);
    free(maintenance);
}
