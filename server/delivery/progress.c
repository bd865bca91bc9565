/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/delivery/progress.h"

#include <stdlib.h>

#include "base/clock.h"
#include "server/core/log.h"
#include "server/core/metrics.h"
#include "server/ledger/event.h"
#include "server/core/uptime.h"
#include "storage/firmware.h"
#include "storage/pending_report.h"
#include "storage/traffic.h"

static bool move(struct attempt *attempt, enum attempt_event event, int64_t now_ms)
{
    enum attempt_state before = attempt->state, state = before;
    if (before == ATTEMPT_NOT_BY_US && !clock_is_within(attempt->ended_ms, ATTEMPT_LATE_ACK_MS, now_ms))
        return false;
    if (!attempt_apply(&state, event) || state == before)
        return false;
    attempt->state = state;
    return true;
}

bool progress_apply(struct attempt *attempt, const struct transfer_event *event, int64_t now_ms)
{
    struct acked_ranges acked = {.count = 0};
    bool changed = false;
    /* The device has started again from the first byte since then. What its TCP still acknowledges of the
       earlier answer says nothing about this one, which may have other bytes. */
    if (event->fetch != attempt->fetches)
        return false;
    acked_parse(slice_of(attempt->acked), &acked);
    int64_t before = attempt->bytes_acked;
    acked_add(&acked, event->first, event->acked_end);
    attempt->bytes_acked = (int64_t)acked_total(&acked);
    if (attempt->bytes_acked != before) {
        acked_format(&acked, attempt->acked);
        if (attempt->active_ms) /* else the pin has ended; late acknowledgements do not restore it */
            attempt->active_ms = now_ms;
        changed = true;
    }
    if (acked_covers(&acked, (uint64_t)attempt->size_bytes)) {
        if (!attempt->delivered_ms) {
            attempt->delivered_ms = now_ms;
            changed = true;
        }
        return move(attempt, attempt->by_proxy ? EVENT_HANDED_OVER : EVENT_ALL_ACKED, now_ms) || changed;
    }
    return (event->over && move(attempt, EVENT_CUT, now_ms)) || changed;
}

static json_t *bytes_of(const struct attempt *attempt)
{
    return json_pack("{s:I, s:I}", "bytes_acked", (json_int_t)attempt->bytes_acked, "size",
                     (json_int_t)attempt->size_bytes);
}

bool progress_store(struct db *db, const struct attempt *attempt, int64_t before_ms, struct error *err)
{
    if (!attempt_update(db, attempt, err))
        return false;
    return before_ms || !attempt->delivered_ms ||
           ((!attempt_is_open(attempt->state) || pending_report_add(db, attempt->id, uptime_now_ms(), err)) &&
            event_attempt(db, attempt->by_proxy ? LEDGER_BYTES_HANDED_OVER : LEDGER_BYTES_DELIVERED,
                          attempt->delivered_ms, attempt, bytes_of(attempt), err));
}

/* A transfer that ended before all of the package was acknowledged. */
static bool note_cut(struct db *db, const struct attempt *attempt, int64_t now_ms, struct error *err)
{
    return attempt->delivered_ms ||
           event_attempt(db, LEDGER_BYTES_INTERRUPTED, now_ms, attempt, bytes_of(attempt), err);
}

bool progress_recover(struct db *db, struct error *err)
{
    struct attempt *list;
    size_t count;
    if (!attempt_list_sending(db, &list, &count, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        json_t *detail = bytes_of(&list[i]);
        json_object_set_new(detail, "why", json_string("the server ended"));
        ok = event_attempt(db, LEDGER_BYTES_INTERRUPTED, clock_utc_ms(), &list[i], detail, err);
    }
    free(list);
    return ok && attempt_interrupt_all(db, err);
}

#define KEPT_MAX 4096 /* events of transfers that could not be stored yet; further ones are lost */

struct news {
    struct writer_task task;
    struct progress *progress;
    struct transfer_event event;
    int64_t now_ms;
    struct attempt attempt; /* the attempt after the change */
    struct news *next;
};

struct progress {
    struct writer *writer;
    struct news *first, **last; /* kept for a later flush, oldest first; used in the writer's thread */
    unsigned count;
};

bool progress_open(struct progress **ret, struct error *err)
{
    struct progress *progress = calloc(1, sizeof *progress);
    if (!progress)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    progress->last = &progress->first;
    *ret = progress;
    return true;
}

void progress_set_writer(struct progress *progress, struct writer *writer)
{
    progress->writer = writer;
}

/* In the month of the clock that the firmware's hours have. */
static bool count_sent(const struct news *news, struct db *db, struct error *err)
{
    struct firmware firmware = {.hours = HOURS_ALWAYS};
    bool found;
    if (!news->event.sent)
        return true;
    if (!firmware_by_id(db, news->attempt.firmware_id, &firmware, &found, err))
        return false;
    const struct hours hours = hours_of(firmware.hours);
    return traffic_add(db, news->attempt.device_id, hours_month(&hours, news->now_ms),
                       (int64_t)news->event.sent, err);
}

static bool store_one(struct news *news, struct db *db, struct error *err)
{
    struct attempt *attempt = &news->attempt;
    bool found;
    if (!attempt_by_id(db, news->event.attempt, attempt, &found, err) ||
        (found && !count_sent(news, db, err)))
        return false;
    if (!found || attempt->fetches != news->event.fetch)
        return true;
    int64_t before_ms = attempt->delivered_ms;
    enum attempt_state before = attempt->state;
    return (!progress_apply(attempt, &news->event, news->now_ms) ||
            progress_store(db, attempt, before_ms, err)) &&
           (before != ATTEMPT_NOT_BY_US || attempt->state == before ||
            event_attempt_ended(db, attempt, before, attempt->by_proxy ? EVENT_HANDED_OVER : EVENT_ALL_ACKED,
                                news->now_ms, err)) &&
           (!news->event.over || note_cut(db, attempt, news->now_ms, err));
}

static bool store(struct writer_task *task, struct db *db, struct error *err)
{
    struct news *news = (struct news *)task;
    bool ok = store_one(news, db, err);
    task->device_id = news->attempt.device_id;
    return ok;
}

static void tell(const struct news *news)
{
    struct log_number attempt, acked, size;
    if (!news->event.over)
        return;
    log_line(LOG_LEVEL_INFO, "transfer-over", "attempt", log_i64(&attempt, news->event.attempt), "state",
             attempt_state_name(news->attempt.state), "bytes_acked",
             log_i64(&acked, news->attempt.bytes_acked), "size", log_i64(&size, news->attempt.size_bytes),
             NULL);
}

static void log_failure(const struct news *news, const char *event, const char *why)
{
    struct log_number attempt;
    log_line(LOG_LEVEL_WARN, event, "attempt", log_i64(&attempt, news->event.attempt), "error", why, NULL);
}

static void keep(struct news *news)
{
    struct progress *progress = news->progress;
    *progress->last = news;
    progress->last = &news->next;
    progress->count++;
}

/* Acknowledged bytes are told again by a later event, but sent bytes are not. Adds them to a kept event of the same
   transfer. */
static bool keep_sent(struct news *news)
{
    struct news *other = news->progress->first;
    while (other && (other->event.attempt != news->event.attempt || other->event.fetch != news->event.fetch))
        other = other->next;
    if (!other)
        return false;
    other->event.sent += news->event.sent;
    return true;
}

static void stored(struct writer_task *task, const struct error *err)
{
    struct news *news = (struct news *)task;
    bool over = news->event.over;
    if (err && !over && news->event.sent && !keep_sent(news) && news->progress->count < KEPT_MAX) {
        keep(news);
        return;
    }
    if (err && over && news->progress->count < KEPT_MAX) {
        log_failure(news, "progress-kept", err->text);
        keep(news);
        return;
    }
    if (err && over)
        log_failure(news, "progress-lost", err->text);
    else if (over)
        tell(news);
    free(news);
}

void progress_notify(void *cls, const struct transfer_event *event)
{
    struct progress *progress = cls;
    metric_count(METRIC_SENT_BYTES, event->sent);
    struct news *news = calloc(1, sizeof *news);
    if (!news)
        return; /* the attempt stays `sending`: the record claims less than happened, never more */
    news->task.run = store;
    news->task.done = stored;
    news->task.repeatable = true;
    news->progress = progress;
    news->event = *event;
    news->now_ms = clock_utc_ms();
    writer_add(progress->writer, &news->task);
}

bool progress_store_kept(struct progress *progress, struct db *db, struct error *err)
{
    for (struct news *news = progress->first; news; news = news->next)
        if (!store_one(news, db, err))
            return false;
    return true;
}

/* Calls `each` for each kept end, and empties the list. */
static void let_go(struct progress *progress, void (*each)(const struct news *news))
{
    for (struct news *news = progress->first, *next; news; news = next) {
        next = news->next;
        each(news);
        free(news);
    }
    progress->first = NULL;
    progress->last = &progress->first;
    progress->count = 0;
}

void progress_flushed(struct progress *progress, bool committed)
{
    if (committed)
        let_go(progress, tell);
}

static void log_lost(const struct news *news)
{
    if (!news->event.over)
        return;
    log_failure(news, "progress-lost", "the server ended before it could be stored");
}

void progress_close(struct progress *progress)
{
    if (progress)
        let_go(progress, log_lost);
    free(progress);
}
