/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The ledger: list, head, removal of the oldest rows under a checkpoint. */
#include "storage/ledger.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/access.h"
#include "server/admin/body.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "storage/device.h"
#include "storage/product.h"
#include "server/ledger/prune.h"
#include "server/ledger/row_json.h"
#include "server/core/log.h"
#include "server/admin/event_by.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX     1000
#define DAYS_MAX     1000

/* The list */

struct page {
    uint64_t limit, after, before;
    bool newest_first;
    int64_t since_ms, until_ms;                                                         /* 0: no bound */
    char kind[LEDGER_KIND_SIZE], product[PRODUCT_KEY_SIZE], device[LEDGER_DEVICE_SIZE]; /* "": any */
};

/* The device as the ledger names it: in the form in which it is stored, in the given product or in the
   first product that has it. */
static bool read_device(const struct request *request, struct db *db, const char *product_key,
                        char out[LEDGER_DEVICE_SIZE], struct error *err)
{
    _cleanup_(cleanup_free) struct product *products = NULL;
    char text[256];
    struct identity identity;
    size_t count;
    bool found;
    if (!request_query(request, "device", text, sizeof text, &found, err) || !found)
        return !found;
    if (!identity_parse(slice_of(text), &identity))
        return error_set(err, ERROR_BAD_DEVICE, "'%s' is not a device id", text);
    if (!product_list(db, &products, &count, err))
        return false;
    found = false;
    for (size_t i = 0; i < count && !found; i++) {
        struct device device;
        if (product_key[0] && strcmp(product_key, products[i].product_key) != 0)
            continue;
        if (!device_look_up(db, products[i].id, slice_of(text), &device, &found, err))
            return false;
        if (found)
            snprintf(out, LEDGER_DEVICE_SIZE, "%s:%s", identity_kind_name(device.id_kind), device.device);
    }
    if (found)
        return true;
    snprintf(out, LEDGER_DEVICE_SIZE, "%s:%s", identity_kind_name(identity.kind), identity.id);
    return true;
}

static bool read_order(const struct request *request, struct page *ret, struct error *err)
{
    char order[8] = "";
    bool found;
    if (!request_query(request, "order", order, sizeof order, &found, err))
        return false;
    ret->newest_first = strcmp(order, "newest") == 0;
    return !found || ret->newest_first || strcmp(order, "oldest") == 0 ||
           error_set(err, ERROR_BAD_REQUEST, "order is oldest or newest");
}

static bool read_page(const struct request *request, struct db *db, struct page *ret, struct error *err)
{
    bool found;
    *ret = (struct page){.limit = PAGE_DEFAULT};
    if (!call_query_number(request, "limit", 1, PAGE_MAX, &ret->limit, err) ||
        !call_query_number(request, "after", 0, INT64_MAX, &ret->after, err) ||
        !call_query_number(request, "before", 0, INT64_MAX, &ret->before, err) ||
        !read_order(request, ret, err) || !call_query_time(request, "since", true, &ret->since_ms, err) ||
        !call_query_time(request, "until", true, &ret->until_ms, err) ||
        !access_product(request, ret->product, err) ||
        !request_query(request, "kind", ret->kind, sizeof ret->kind, &found, err) ||
        !read_device(request, db, ret->product, ret->device, err))
        return false;
    return !ret->kind[0] || ledger_kind_is_known(ret->kind) ||
           error_set(err, ERROR_BAD_REQUEST, "'%s' is not a kind of ledger row", ret->kind);
}

static void link_next_page(struct admin_call *call, const struct page *page, int64_t last)
{
    char device[3 * LEDGER_DEVICE_SIZE] = "", times[64] = "", bounds[80] = "";
    /* The bound on the side that the pages do not move. */
    int64_t other = (int64_t)(page->newest_first ? page->after : page->before);
    if (other)
        snprintf(bounds, sizeof bounds, "&%s=%lld", page->newest_first ? "after" : "before",
                 (long long)other);
    slice_percent_encode(slice_of(page->device), device, sizeof device);
    if (page->since_ms)
        snprintf(times, sizeof times, "&since=%lld", (long long)page->since_ms);
    if (page->until_ms)
        snprintf(times + strlen(times), sizeof times - strlen(times), "&until=%lld",
                 (long long)page->until_ms);
    reply_header(&call->reply, "Link", "</api/v1/ledger?limit=%llu&%s=%lld%s%s%s%s%s%s%s%s>; rel=\"next\"",
                 (unsigned long long)page->limit, page->newest_first ? "order=newest&before" : "after",
                 (long long)last, bounds, page->kind[0] ? "&kind=" : "", page->kind,
                 page->product[0] ? "&product=" : "", page->product, device[0] ? "&device=" : "", device,
                 times);
}

bool admin_ledger_list(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) struct ledger_row *rows = NULL;
    struct ledger_filter filter = {.after = 0};
    struct page page;
    size_t count;
    int64_t total, until;
    if (!read_page(call->request, call->db, &page, err))
        return false;
    filter.after = (int64_t)page.after;
    filter.before = (int64_t)page.before;
    filter.newest_first = page.newest_first;
    filter.since_ms = page.since_ms;
    filter.until_ms = page.until_ms;
    snprintf(filter.kind, sizeof filter.kind, "%s", page.kind);
    snprintf(filter.product, sizeof filter.product, "%s", page.product);
    snprintf(filter.device, sizeof filter.device, "%s", page.device);
    if (!ledger_list(call->db, &filter, (int64_t)page.limit + 1, &rows, &count, &until,
                     err) || /* one more row shows whether there are more */
        !ledger_count(call->db, &filter, &total, err))
        return false;
    json_t *items = json_array();
    for (size_t i = 0; i < count && i < page.limit; i++)
        json_array_append_new(items, row_json_make(&rows[i]));
    call_answer_items(call, items);
    reply_header(&call->reply, "X-Total-Count", "%lld", (long long)total);
    if (count > page.limit)
        link_next_page(call, &page, rows[page.limit - 1].seq);
    else if (until != INT64_MAX)
        link_next_page(call, &page, until);
    return true;
}

bool admin_ledger_head(struct admin_call *call, struct error *err)
{
    struct ledger_row head;
    if (!ledger_head(call->db, &head, err))
        return false;
    reply_json(&call->reply, 200,
               json_pack("{s:I, s:o, s:o}", "seq", (json_int_t)head.seq, "hash", field_hash(&head.hash), "at",
                         field_number(head.at_ms)));
    return true;
}

/* Removing what is old */

bool admin_ledger_prune(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct ledger_pruned pruned;
    const json_t *time;
    int64_t before;
    const char *by = NULL;
    if (!call_body(call, &body, err))
        return false;
    if (!body_unpack(body, err, "{s:o, s?s}", "before", &time, "by", &by))
        return false;
    if (!call_body_time("before", time, true, &before, err))
        return false;
    if (clock_is_ahead(before, clock_utc_ms()))
        return error_set(err, ERROR_INVALID, "before is in the future: that would remove the whole ledger");
    if (by && !call_check_text("by", by, ADMIN_NAME_SIZE - 1, err))
        return false;
    json_t *who = by ? event_by_name(call->request, by) : event_by(call->request);
    bool ok = ledger_prune(call->daemon->writer, before, who, &pruned, err);
    json_decref(who);
    if (!ok)
        return false;
    reply_json(&call->reply, 200,
               json_pack("{s:I, s:o, s:o, s:I}", "removed", (json_int_t)pruned.rows, "first",
                         field_number(pruned.first), "last", field_number(pruned.last), "days",
                         (json_int_t)pruned.days));
    return true;
}

/* Check-ins of a device that changed nothing */

bool admin_device_check_ins(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) struct ledger_day *days = NULL;
    struct product product;
    struct device device;
    struct error ignored;
    size_t count;
    if (!writer_flush_now(call->daemon->writer, &ignored))
        log_line(LOG_LEVEL_WARN, "flush-failed", "error", ignored.text, NULL);
    if (!path_params_device(call->request, call->db, &product, &device, err) ||
        !ledger_day_list(call->db, device.id, DAYS_MAX, &days, &count, err))
        return false;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items,
                              json_pack("{s:I, s:I, s:I, s:I}", "day", (json_int_t)(days[i].day * DAY_MS),
                                        "first_at", (json_int_t)days[i].first_ms, "last_at",
                                        (json_int_t)days[i].last_ms, "count", (json_int_t)days[i].count));
    call_answer_items(call, items);
    return true;
}
