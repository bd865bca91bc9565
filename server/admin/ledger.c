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
#include "server/admin/list_kinds.h"
#include "server/admin/path_params.h"
#include "storage/device.h"
#include "storage/product.h"
#include "server/ledger/prune.h"
#include "server/ledger/row_json.h"
#include "server/core/log.h"
#include "server/admin/event_by.h"

#define DAYS_MAX 1000

/* The list */

#define PIECES_MAX 10 /* of LIST_PAGE_MAX rows, that one call with q reads */

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

static bool read_filter(const struct list_query *query, struct ledger_filter *ret, struct error *err)
{
    const struct request *request = query->call->request;
    int64_t after = 0;
    bool found;
    *ret = (struct ledger_filter){.newest_first = query->downwards};
    if (!list_read_after(query, &after, err) ||
        !call_query_time(request, "since", true, &ret->since_ms, err) ||
        !call_query_time(request, "until", true, &ret->until_ms, err) ||
        !access_product(request, ret->product, err) ||
        !request_query(request, "kind", ret->kind, sizeof ret->kind, &found, err) ||
        !read_device(request, query->call->db, ret->product, ret->device, err))
        return false;
    *(query->downwards ? &ret->before : &ret->after) = after;
    return !ret->kind[0] || ledger_kind_is_known(ret->kind) ||
           error_set(err, ERROR_BAD_REQUEST, "'%s' is not a kind of ledger row", ret->kind);
}

struct page {
    struct list_query query;
    struct ledger_filter filter;
    json_t *items;
    int64_t limit, next; /* the last row that was settled; 0: there are no more rows */
};

/* Adds the rows that q selects; full: the page has no room for the last one. */
static void add_rows(struct page *page, const struct ledger_row *rows, size_t count, bool *ret_full)
{
    *ret_full = false;
    for (size_t i = 0; i < count && !*ret_full; i++) {
        json_t *item = row_json_make(&rows[i]);
        bool selected = list_selects(&page->query, item);
        *ret_full = selected && (int64_t)json_array_size(page->items) == page->limit;
        if (selected && !*ret_full)
            json_array_append(page->items, item);
        if (!*ret_full)
            page->next = rows[i].seq;
        json_decref(item);
    }
}

/* Reads rows until the page is full, there are no more, or one call has read enough. With q a page may have few
   rows although others follow. */
static bool fill(struct page *page, struct db *db, struct error *err)
{
    struct ledger_filter *filter = &page->filter;
    bool narrow = page->query.filter.count > 0, full = false;
    /* One row more than the page has room for shows whether there are others. */
    const int64_t piece = narrow ? LIST_PAGE_MAX : page->limit + 1;
    for (unsigned i = 0; i < (narrow ? PIECES_MAX : 1) && !full; i++) {
        _cleanup_(cleanup_free) struct ledger_row *rows = NULL;
        int64_t until;
        size_t count;
        if (!ledger_list(db, filter, piece, &rows, &count, &until, err))
            return false;
        add_rows(page, rows, count, &full);
        if (!full && (int64_t)count < piece) {
            page->next = until == INT64_MAX ? 0 : until;
            return true;
        }
        *(filter->newest_first ? &filter->before : &filter->after) = page->next;
    }
    return true;
}

bool admin_ledger_list(struct admin_call *call, struct error *err)
{
    struct page page = {.limit = LIST_PAGE_DEFAULT};
    int64_t total = 0;
    if (!list_read(call, &list_ledger, &page.query, err) || !read_filter(&page.query, &page.filter, err))
        return false;
    if (page.query.limit)
        page.limit = (int64_t)page.query.limit;
    bool counts = page.query.filter.count == 0;
    if (counts && !ledger_count(call->db, &page.filter, &total, err))
        return false;
    page.items = json_array();
    if (!fill(&page, call->db, err)) {
        json_decref(page.items);
        return false;
    }
    call_answer_items(call, page.items);
    if (counts)
        list_total(&page.query, total);
    if (page.next)
        list_link_number(&page.query, page.next);
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
    return list_answer(call, &list_check_ins, items, err);
}
