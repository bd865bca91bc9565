/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/webhook/sender.h"

#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/core/log.h"
#include "server/webhook/post.h"
#include "server/webhook/retry.h"

#define AT_ONCE  4 /* requests of one webhook: one that hangs takes nothing from the others */
#define FLIGHTS  (AT_ONCE * WEBHOOKS_MAX)
#define ROUND_MS 500   /* while there is an enabled webhook */
#define REST_MS  60000 /* while there is none */
#define PAUSE_MS 5000  /* after storage did not work */

struct flight {        /* a request under way, or whose end is not recorded yet */
    struct post *post; /* NULL: free */
    struct outbox_row row;
    char name[WEBHOOK_NAME_SIZE];
    bool ended, gave_up;
    struct post_result result;
};

struct sender {
    struct sender_config config;
    CURLM *multi;
    pthread_t thread;
    atomic_bool stopping;
    struct flight flight[FLIGHTS];
};

/* Starting requests */

static bool is_under_way(const struct sender *sender, const struct outbox_row *row)
{
    for (size_t i = 0; i < FLIGHTS; i++) {
        const struct flight *flight = &sender->flight[i];
        if (flight->post && flight->row.webhook_id == row->webhook_id &&
            strcmp(flight->row.order_key, row->order_key) == 0)
            return true;
    }
    return false;
}

static unsigned count_flights(const struct sender *sender, int64_t webhook_id) /* 0: of all */
{
    unsigned count = 0;
    for (size_t i = 0; i < FLIGHTS; i++)
        count += sender->flight[i].post && (!webhook_id || sender->flight[i].row.webhook_id == webhook_id);
    return count;
}

static bool start_flight(struct sender *sender, const struct webhook *webhook, const struct outbox_row *row,
                         struct error *err)
{
    struct flight *flight = sender->flight;
    while (flight < sender->flight + FLIGHTS && flight->post)
        flight++;
    if (flight == sender->flight + FLIGHTS)
        return true; /* of a webhook that was removed meanwhile some are under way */
    *flight = (struct flight){.row = *row};
    memcpy(flight->name, webhook->name, sizeof flight->name);
    if (!post_make(webhook, row, &flight->post, err))
        return false;
    if (curl_multi_add_handle(sender->multi, post_handle(flight->post)) == CURLM_OK)
        return true;
    post_free(flight->post);
    flight->post = NULL;
    return error_set(err, ERROR_INTERNAL, "libcurl takes no further request");
}

static bool clamp(void *cls, struct db *db, struct error *err)
{
    const int64_t *webhook_id = cls;
    int64_t now_ms = clock_utc_ms();
    return outbox_clamp(db, *webhook_id, now_ms + RETRY_LATEST_MS, now_ms, err);
}

/* A clock that ran ahead has put rows off for too long. */
static bool check_clock(struct sender *sender, struct db *db, int64_t webhook_id, struct error *err)
{
    int64_t latest_ms;
    return outbox_latest(db, webhook_id, &latest_ms, err) &&
           (latest_ms <= clock_utc_ms() + RETRY_LATEST_MS ||
            writer_call(sender->config.writer, clamp, &webhook_id, err));
}

static bool start_due(struct sender *sender, struct db *db, const struct webhook *webhook, struct error *err)
{
    _cleanup_(cleanup_free) struct outbox_row *list = NULL;
    size_t count;
    unsigned busy = count_flights(sender, webhook->id);
    if (busy >= AT_ONCE)
        return true;
    /* Those under way are among the rows that are due. */
    if (!check_clock(sender, db, webhook->id, err) ||
        !outbox_due(db, webhook->id, clock_utc_ms(), AT_ONCE + busy, &list, &count, err))
        return false;
    for (size_t i = 0; i < count && busy < AT_ONCE; i++) {
        if (is_under_way(sender, &list[i]))
            continue;
        if (!start_flight(sender, webhook, &list[i], err))
            return false;
        busy++;
    }
    return true;
}

static bool start_all(struct sender *sender, struct db *db, unsigned *ret_enabled, struct error *err)
{
    _cleanup_(cleanup_free) struct webhook *list = NULL;
    size_t count;
    if (!webhook_list(db, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!list[i].enabled)
            continue;
        ++*ret_enabled;
        if (!start_due(sender, db, &list[i], err))
            return false;
    }
    return true;
}

static bool find_ready(struct sender *sender, struct db *db, bool *ret_more, struct error *err)
{
    int64_t ids[WEBHOOKS_MAX];
    unsigned count;
    if (!webhook_listening(db, 0, WEBHOOK_PACKAGE_READY, ids, &count, err))
        return false;
    *ret_more = count > 0 && sender->config.find_ready(sender->config.cls);
    return true;
}

/* How long to wait then. */
static int run_round(struct sender *sender)
{
    struct db *db = NULL;
    struct error err;
    unsigned enabled = 0;
    bool more = false;
    bool ok = reader_pool_take(sender->config.reader_pool, &db, &err) &&
              find_ready(sender, db, &more, &err) && start_all(sender, db, &enabled, &err);
    reader_pool_give(sender->config.reader_pool, db);
    if (!ok)
        log_line(LOG_LEVEL_WARN, "webhook-round-failed", "error", err.text, NULL);
    if (!ok)
        return PAUSE_MS;
    return more ? 0 : enabled || count_flights(sender, 0) ? ROUND_MS : REST_MS;
}

/* Ends of requests */

static uint32_t draw(void)
{
    uint32_t random = 0;
    RAND_bytes((unsigned char *)&random, sizeof random); /* without it there is only no spread */
    return random;
}

static bool record_one(struct db *db, struct flight *flight, int64_t now_ms, struct error *err)
{
    const struct outbox_row *row = &flight->row;
    if (flight->result.delivered)
        return outbox_delivered(db, row->id, now_ms, err);
    flight->gave_up = retry_is_over(row->since_ms, now_ms);
    if (flight->gave_up)
        return outbox_give_up(db, row->id, flight->result.error, now_ms, err);
    return outbox_put_off(db, row->id, now_ms + retry_delay_ms(row->tries + 1, draw()), flight->result.error,
                          err);
}

static bool record(void *cls, struct db *db, struct error *err)
{
    struct sender *sender = cls;
    int64_t now_ms = clock_utc_ms();
    for (size_t i = 0; i < FLIGHTS; i++)
        if (sender->flight[i].ended && !record_one(db, &sender->flight[i], now_ms, err))
            return false;
    return true;
}

static void tell(const struct flight *flight)
{
    const struct outbox_row *row = &flight->row;
    struct log_number webhook, tries;
    log_line(flight->result.delivered ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
             flight->result.delivered ? "webhook-delivered"
             : flight->gave_up        ? "webhook-gave-up"
                                      : "webhook-not-delivered",
             "webhook", log_i64(&webhook, row->webhook_id), "name", flight->name, "kind", row->kind, "id",
             row->event_id, "tries", log_i64(&tries, row->tries + 1), "error",
             flight->result.delivered ? NULL : flight->result.error, NULL);
}

static void release(struct flight *flight)
{
    post_free(flight->post);
    flight->post = NULL;
    flight->ended = false;
}

/* True where something has ended and is recorded: more may be due at once. */
static bool record_ended(struct sender *sender)
{
    struct error err;
    bool any = false;
    for (size_t i = 0; i < FLIGHTS; i++)
        any = any || sender->flight[i].ended;
    if (!any)
        return false;
    if (!writer_call(sender->config.writer, record, sender, &err)) {
        log_line(LOG_LEVEL_WARN, "webhook-round-failed", "error", err.text, NULL);
        return false;
    }
    for (size_t i = 0; i < FLIGHTS; i++)
        if (sender->flight[i].ended) {
            tell(&sender->flight[i]);
            release(&sender->flight[i]);
        }
    return true;
}

static void take_ended(struct sender *sender)
{
    const CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(sender->multi, &left))) {
        CURL *curl = message->easy_handle;
        CURLcode code = message->data.result;
        struct flight *flight = sender->flight;
        while (!flight->post || post_handle(flight->post) != curl)
            flight++;
        post_read(flight->post, code, &flight->result);
        flight->ended = true;
        curl_multi_remove_handle(sender->multi, curl);
    }
}

static void wait_for_news(struct sender *sender, int timeout_ms)
{
    int running;
    curl_multi_perform(sender->multi, &running);
    curl_multi_poll(sender->multi, NULL, 0, timeout_ms, NULL);
    curl_multi_perform(sender->multi, &running);
    take_ended(sender);
}

/* The thread */

static void end_flights(struct sender *sender)
{
    int64_t until_ms = clock_boot_ms() + SENDER_END_MS;
    while (count_flights(sender, 0) > 0 && clock_boot_ms() < until_ms) {
        wait_for_news(sender, 100);
        record_ended(sender);
    }
    for (size_t i = 0; i < FLIGHTS; i++)
        if (sender->flight[i].post) {
            curl_multi_remove_handle(sender->multi, post_handle(sender->flight[i].post));
            release(&sender->flight[i]);
        }
}

static void *work(void *cls)
{
    struct sender *sender = cls;
    while (!atomic_load(&sender->stopping)) {
        wait_for_news(sender, run_round(sender));
        record_ended(sender);
    }
    end_flights(sender);
    return NULL;
}

bool sender_start(const struct sender_config *config, struct sender **ret, struct error *err)
{
    struct sender *sender = calloc(1, sizeof *sender);
    if (!sender)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    sender->config = *config;
    sender->multi = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_multi_init() : NULL;
    if (!sender->multi) {
        free(sender);
        return error_set(err, ERROR_INTERNAL, "libcurl does not start");
    }
    int failed = pthread_create(&sender->thread, NULL, work, sender);
    if (failed) {
        curl_multi_cleanup(sender->multi);
        free(sender);
        return error_errno(err, failed, "cannot start a thread");
    }
    *ret = sender;
    return true;
}

void sender_wake(struct sender *sender)
{
    curl_multi_wakeup(sender->multi);
}

void sender_stop(struct sender *sender)
{
    if (!sender)
        return;
    atomic_store(&sender->stopping, true);
    curl_multi_wakeup(sender->multi);
    pthread_join(sender->thread, NULL);
    curl_multi_cleanup(sender->multi);
    curl_global_cleanup();
    free(sender);
}
