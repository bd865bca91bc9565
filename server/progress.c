#include "server/progress.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/log.h"
#include "server/writer.h"

static bool move(struct attempt *attempt, enum attempt_event event)
{
    enum attempt_state before = attempt_state_of(attempt), state = before;
    if (!attempt_apply(&state, event) || state == before)
        return false;
    strcpy(attempt->state, attempt_state_name(state));
    return true;
}

bool progress_apply(struct attempt *attempt, const struct transfer_event *event, int64_t now_ms)
{
    struct acked_ranges acked = {.count = 0};
    bool changed = false;
    acked_parse(slice_of(attempt->acked), &acked);
    int64_t before = attempt->bytes_acked;
    acked_add(&acked, event->first, event->acked_end);
    attempt->bytes_acked = (int64_t)acked_total(&acked);
    if (attempt->bytes_acked != before) {
        acked_format(&acked, attempt->acked);
        if (attempt->active_ms) /* else the pin has ended: what is still on its way does not bring it back */
            attempt->active_ms = now_ms;
        changed = true;
    }
    if (acked_covers(&acked, (uint64_t)attempt->size_bytes)) {
        if (!attempt->delivered_ms) {
            attempt->delivered_ms = now_ms;
            changed = true;
        }
        return move(attempt, EVENT_ALL_ACKED) || changed;
    }
    return (event->over && move(attempt, EVENT_CUT)) || changed;
}

struct news {
    struct writer_task task;
    struct transfer_event event;
    int64_t now_ms;
    struct attempt attempt; /* as it is afterwards */
};

static bool store(struct writer_task *task, struct db *db, struct error *err)
{
    struct news *news = (struct news *)task;
    bool found;
    if (!attempt_by_id(db, news->event.attempt, &news->attempt, &found, err))
        return false;
    return !found || !progress_apply(&news->attempt, &news->event, news->now_ms) ||
           attempt_update(db, &news->attempt, err);
}

static void tell(struct writer_task *task, const struct error *err)
{
    struct news *news = (struct news *)task;
    struct log_number attempt, acked, size;
    log_i64(&attempt, news->event.attempt);
    if (err)
        log_line(LOG_LEVEL_WARN, "progress-lost", "attempt", attempt.text, "error", err->text, NULL);
    else if (news->event.over)
        log_line(LOG_LEVEL_INFO, "transfer-over", "attempt", attempt.text, "state", news->attempt.state,
                 "bytes_acked", log_i64(&acked, news->attempt.bytes_acked), "size",
                 log_i64(&size, news->attempt.size_bytes), NULL);
    free(news);
}

void progress_notify(void *cls, const struct transfer_event *event)
{
    struct news *news = calloc(1, sizeof *news);
    if (!news)
        return; /* the attempt stays `sending`: less is claimed than happened, never more */
    news->task.run = store;
    news->task.done = tell;
    news->event = *event;
    news->now_ms = clock_utc_ms();
    writer_add(*(struct writer **)cls, &news->task);
}
