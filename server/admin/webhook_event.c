/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Events of a webhook: a test, those that wait and those that could not be delivered, sent again or forgotten. */
#include <pthread.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/access.h"
#include "server/admin/handlers.h"
#include "server/admin/list_kinds.h"
#include "server/admin/webhook.h"
#include "server/core/log.h"
#include "server/webhook/notify_row.h"
#include "server/webhook/post.h"
#include "server/webhook/sender.h"

#define PIECES_MAX 20 /* of one page each, that one call with q reads */

/* A test */

static bool send_test(const struct webhook *webhook, struct post_result *ret, struct error *err)
{
    struct outbox_row row;
    struct post *post;
    char summary[NOTIFY_SUMMARY_SIZE];
    snprintf(summary, sizeof summary, "This is a test of the webhook %s.", webhook->name);
    if (!notify_make_row(WEBHOOK_TEST, clock_utc_ms(), summary,
                         json_pack("{s:o}", "name", field_text(webhook->name)), &row, err) ||
        !post_make(webhook, &row, &post, err))
        return false;
    post_read(post, curl_easy_perform(post_handle(post)), ret);
    post_free(post);
    return true;
}

bool admin_webhook_test(struct admin_call *call, struct error *err)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER; /* each holds one of the few workers */
    struct webhook webhook;
    struct post_result result;
    struct log_number number, status;
    if (!webhook_of_path(call->request, call->db, &webhook, err))
        return false;
    if (pthread_mutex_trylock(&one_at_a_time) != 0)
        return error_set(err, ERROR_UNAVAILABLE, "another test of a webhook is under way: try again");
    int64_t begun_ms = clock_boot_ms();
    bool ok = send_test(&webhook, &result, err);
    pthread_mutex_unlock(&one_at_a_time);
    if (!ok)
        return false;
    log_line(LOG_LEVEL_INFO, "webhook-tested", "webhook", log_i64(&number, webhook.id), "name", webhook.name,
             "status", result.status ? log_i64(&status, result.status) : NULL, "error",
             result.delivered ? NULL : result.error, NULL);
    reply_json(&call->reply, 200,
               json_pack("{s:b, s:o, s:o, s:I}", "delivered", result.delivered, "status",
                         field_number(result.status), "error", field_text(result.error), "took_ms",
                         (json_int_t)(clock_boot_ms() - begun_ms)));
    return true;
}

/* Lists */

static json_t *to_json(const struct request *request, struct outbox_row *row)
{
    if (!access_sees_links(request))
        access_hide_links(row->facts, strlen(row->facts));
    json_t *facts = json_loads(row->facts, 0, NULL);
    return json_pack("{s:I, s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o}", "event", (json_int_t)row->id, "id",
                     row->event_id, "kind", row->kind, "order", row->order_key, "since",
                     (json_int_t)row->since_ms, "tries", (json_int_t)row->tries, "next_try_at",
                     field_number(row->next_try_ms), "gave_up_at", field_number(row->gave_up_ms), "error",
                     field_text(row->error), "facts", facts ? facts : json_null());
}

static bool read_state(const struct request *request, bool *ret_failed, struct error *err)
{
    char state[8];
    bool found;
    if (!request_query(request, "state", state, sizeof state, &found, err))
        return false;
    *ret_failed = !found || strcmp(state, "failed") == 0;
    return *ret_failed || strcmp(state, "waiting") == 0 ||
           error_set(err, ERROR_BAD_REQUEST, "state is failed or waiting");
}

struct page {
    struct list_query query;
    int64_t limit, after;
    bool full; /* there are others */
    json_t *items;
};

/* Stops before the first one that does not fit into the page. */
static void add_events(struct page *page, struct outbox_row *list, size_t count)
{
    for (size_t i = 0; i < count && !page->full; i++) {
        json_t *item = to_json(page->query.call->request, &list[i]);
        bool selected = list_selects(&page->query, item);
        page->full = selected && (int64_t)json_array_size(page->items) == page->limit;
        if (selected && !page->full)
            json_array_append(page->items, item);
        if (!page->full)
            page->after = list[i].id;
        json_decref(item);
    }
}

static bool fill(struct page *page, int64_t webhook_id, bool failed, struct error *err)
{
    for (unsigned i = 0; i < PIECES_MAX; i++) {
        _cleanup_(cleanup_free) struct outbox_row *list = NULL;
        size_t count;
        if (!outbox_list(page->query.call->db, webhook_id, failed, page->after, page->limit + 1, &list,
                         &count, err))
            return false;
        add_events(page, list, count);
        if (page->full || (int64_t)count <= page->limit)
            return true;
    }
    page->full = true;
    return true;
}

bool admin_webhook_events(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *items = json_array();
    struct page page = {.items = items};
    struct webhook webhook;
    bool failed;
    if (!webhook_of_path(call->request, call->db, &webhook, err) ||
        !list_read(call, &list_events, &page.query, err) || !list_read_after(&page.query, &page.after, err) ||
        !read_state(call->request, &failed, err))
        return false;
    page.limit = page.query.limit ? (int64_t)page.query.limit : LIST_PAGE_DEFAULT;
    if (!fill(&page, webhook.id, failed, err))
        return false;
    call_answer_items(call, json_incref(items));
    if (!page.query.filter.count)
        list_total(&page.query, failed ? webhook.failed : webhook.waiting);
    if (page.full)
        list_link_number(&page.query, page.after);
    return true;
}

/* Sent again, or forgotten */

struct sweep {
    const struct request *request;
    bool (*run)(struct db *db, int64_t webhook_id, int64_t id, int64_t now_ms, int64_t *ret_count,
                struct error *err);
    struct webhook webhook;
    int64_t event; /* 0: all failed ones */
    int64_t count;
};

static bool run_sweep(void *cls, struct db *db, struct error *err)
{
    struct sweep *sweep = cls;
    return webhook_of_path(sweep->request, db, &sweep->webhook, err) &&
           sweep->run(db, sweep->webhook.id, sweep->event, clock_utc_ms(), &sweep->count, err);
}

static bool answer_sweep(struct admin_call *call, struct sweep *sweep, const char *event, struct error *err)
{
    struct log_number number, count;
    sweep->request = call->request;
    if (!call_change(call, run_sweep, sweep, err))
        return false;
    sender_wake(call->daemon->sender);
    log_line(LOG_LEVEL_INFO, event, "webhook", log_i64(&number, sweep->webhook.id), "name",
             sweep->webhook.name, "count", log_i64(&count, sweep->count), NULL);
    reply_json(&call->reply, 200, json_pack("{s:I}", "events", (json_int_t)sweep->count));
    return true;
}

static bool read_event(const struct request *request, int64_t *ret, struct error *err)
{
    uint64_t id;
    if (!slice_u64(request->param[1], &id) || id == 0 || id > INT64_MAX)
        return error_set(err, ERROR_EVENT_NOT_FOUND, "an event is a number");
    *ret = (int64_t)id;
    return true;
}

bool admin_webhook_resend_all(struct admin_call *call, struct error *err)
{
    struct sweep sweep = {.run = outbox_resend};
    return answer_sweep(call, &sweep, "webhook-events-resent", err);
}

bool admin_webhook_resend(struct admin_call *call, struct error *err)
{
    struct sweep sweep = {.run = outbox_resend};
    return read_event(call->request, &sweep.event, err) &&
           answer_sweep(call, &sweep, "webhook-events-resent", err);
}

bool admin_webhook_forget_all(struct admin_call *call, struct error *err)
{
    struct sweep sweep = {.run = outbox_forget};
    return answer_sweep(call, &sweep, "webhook-events-forgotten", err);
}

bool admin_webhook_forget(struct admin_call *call, struct error *err)
{
    struct sweep sweep = {.run = outbox_forget};
    return read_event(call->request, &sweep.event, err) &&
           answer_sweep(call, &sweep, "webhook-events-forgotten", err);
}
