/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The list of devices, in pages. A page reads at most ROWS_MAX rows, so it costs the same in a fleet of any
   size; a page with a narrow filter may have few devices, or none, and still name the next page. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/device.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "upgrade/filter_device.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX     1000
#define ROWS_MAX     20000

/* Parameters that select devices. Each is in the link to the next page. */
#define SELECTORS(X)                                                                                         \
    X(FIRMWARE, "firmware")                                                                                  \
    X(NOTICE, "notice")                                                                                      \
    X(CONFLICT, "conflict")                                                                                  \
    X(TAG, "tag")                                                                                            \
    X(VERSION, "version")                                                                                    \
    X(LAST_SEEN_BEFORE, "last_seen_before")                                                                  \
    X(RETIRED, "retired")                                                                                    \
    X(HELD, "held")                                                                                          \
    X(FILTER, "filter")                                                                                      \
    X(SORT, "sort")                                                                                          \
    X(DEVICE, "device")

enum selector {
#define X(id, name) SELECT_##id,
    SELECTORS(X)
#undef X
        SELECTOR_COUNT
};
static const char *const names[] = {
#define X(id, name) name,
    SELECTORS(X)
#undef X
};

struct page {
    struct admin_call *call;
    struct product product;
    char text[SELECTOR_COUNT][FILTER_TEXT_MAX + 1]; /* of each selector; "": not given */
    struct filter filter;
    bool only_noticed, only_conflicts;
    char version[VERSION_TEXT_SIZE]; /* normalised; "": none, or not given */
    uint64_t limit;
    int64_t last_seen_before_ms; /* 0: not given */
    struct device_walk walk;
    bool nothing; /* a firmware that does not exist: no device */

    /* while the rows are read */
    struct device row;
    bool shared;
    struct firmware firmware;
    json_t *items;
    int64_t now_ms, rows;
    int64_t last_id, last_ms; /* of the last row that was settled: its id, and when the device was seen */
    bool full;
    struct error *err;
    bool failed;
};

/* Reading the parameters */

static bool is_yes(const char *text)
{
    return strcmp(text, "yes") == 0 || strcmp(text, "1") == 0;
}

static bool read_flag(const struct page *page, enum selector selector, bool *ret, struct error *err)
{
    const char *text = page->text[selector];
    *ret = is_yes(text);
    return !text[0] || *ret || strcmp(text, "no") == 0 || strcmp(text, "0") == 0 ||
           error_set(err, ERROR_BAD_REQUEST, "%s is yes or no", names[selector]);
}

/* In a query a wrong filter is 400. */
static bool parse_filter(const char *text, struct filter *ret, struct error *err)
{
    if (filter_parse(slice_of(text), &filter_device, ret, err))
        return true;
    err->code = ERROR_BAD_REQUEST;
    return false;
}

static bool parse_version(struct page *page, struct error *err)
{
    const char *text = page->text[SELECT_VERSION];
    struct version version;
    if (!text[0] || strcmp(text, "none") == 0)
        return true;
    if (!version_parse(slice_of(text), &version))
        return error_set(err, ERROR_BAD_REQUEST, "version is numbers with dots between them, or none");
    version_format(&version, page->version);
    return true;
}

static bool read_selectors(struct page *page, struct error *err)
{
    const struct request *request = page->call->request;
    bool found, retired, held;
    for (unsigned i = 0; i < SELECTOR_COUNT; i++)
        if (!request_query(request, names[i], page->text[i], sizeof page->text[i], &found, err))
            return false;
    if (!read_flag(page, SELECT_NOTICE, &page->only_noticed, err) ||
        !read_flag(page, SELECT_CONFLICT, &page->only_conflicts, err) ||
        !read_flag(page, SELECT_RETIRED, &retired, err) || !read_flag(page, SELECT_HELD, &held, err) ||
        !call_query_time(request, names[SELECT_LAST_SEEN_BEFORE], true, &page->last_seen_before_ms, err))
        return false;
    if (retired && held)
        return error_set(err, ERROR_BAD_REQUEST, "a device is retired or held, not both");
    page->walk.state = retired ? DEVICE_RETIRED : held ? DEVICE_HELD : DEVICE_ACTIVE;
    return parse_filter(page->text[SELECT_FILTER], &page->filter, err) && parse_version(page, err);
}

static bool read_sort(struct page *page, struct error *err)
{
    const char *text = page->text[SELECT_SORT];
    if (strcmp(text, "last_seen") == 0)
        page->walk.sort = DEVICES_SEEN_FIRST;
    else if (strcmp(text, "-last_seen") == 0)
        page->walk.sort = DEVICES_SEEN_LAST;
    else
        return !text[0] || error_set(err, ERROR_BAD_REQUEST, "sort is last_seen or -last_seen");
    return true;
}

/* The cursor: ID, or with a sort MS.ID. */
static bool read_cursor(struct page *page, struct error *err)
{
    struct device_walk *walk = &page->walk;
    bool sorted = walk->sort != DEVICES_BY_ID, found;
    char text[48];
    uint64_t id, ms = 0;
    if (!request_query(page->call->request, "after", text, sizeof text, &found, err))
        return false;
    if (!found) {
        walk->after = walk->after_ms = walk->sort == DEVICES_SEEN_LAST ? INT64_MAX : 0;
        return true;
    }
    const char *dot = strchr(text, '.');
    if (sorted != !!dot || (dot && !slice_u64((struct slice){text, (size_t)(dot - text)}, &ms)) ||
        !slice_u64(slice_of(dot ? dot + 1 : text), &id) || id > INT64_MAX || ms > INT64_MAX)
        return error_set(err, ERROR_BAD_REQUEST, "after is not the cursor of a page of this list");
    walk->after = (int64_t)id;
    walk->after_ms = (int64_t)ms;
    return true;
}

static bool find_firmware(struct page *page, struct error *err)
{
    struct firmware firmware;
    bool found;
    if (!page->text[SELECT_FIRMWARE][0])
        return true;
    if (!firmware_find(page->call->db, page->product.id, page->text[SELECT_FIRMWARE], &firmware, &found, err))
        return false;
    page->nothing = !found;
    page->walk.firmware_id = found ? firmware.id : 0;
    return true;
}

static bool read_page(struct page *page, struct error *err)
{
    const struct request *request = page->call->request;
    page->limit = PAGE_DEFAULT;
    if (!call_query_number(request, "limit", 1, PAGE_MAX, &page->limit, err) || !read_selectors(page, err) ||
        !read_sort(page, err) || !read_cursor(page, err) || !find_firmware(page, err))
        return false;
    page->walk.product_id = page->product.id;
    page->last_id = page->walk.after;
    page->last_ms = page->walk.after_ms;
    page->walk.most = ROWS_MAX;
    page->now_ms = clock_utc_ms();
    return true;
}

/* Reading the rows */

static bool is_selected(const struct page *page)
{
    const struct device *device = &page->row;
    struct filter_subject subject;
    device_subject(device, page->firmware.name, &subject);
    const char *tag = page->text[SELECT_TAG];
    return (!page->walk.firmware_id || device->firmware_id == page->walk.firmware_id) &&
           (!page->only_noticed || device->notice[0] || page->shared) &&
           (!page->only_conflicts || device->claim.version[0]) &&
           (!tag[0] || tags_have(device->tags, slice_of(tag))) &&
           (!page->text[SELECT_VERSION][0] || strcmp(device->confirmed_version, page->version) == 0) &&
           (!page->last_seen_before_ms || device->last_seen_ms < page->last_seen_before_ms) &&
           filter_selects(&page->filter, &subject, page->now_ms);
}

static bool add_item(struct page *page)
{
    struct said said;
    if (!said_of(page->call->db, page->row.id, &said, page->err))
        return false;
    json_array_append_new(page->items, device_to_json(&page->row, page->firmware.name, &said));
    return true;
}

/* Stops at the first device that does not fit into the page: then there is a next page. */
static bool take(void *cls)
{
    struct page *page = cls;
    page->rows++;
    page->failed = !device_name_firmware(page->call->db, page->row.firmware_id, &page->firmware, page->err);
    if (page->failed)
        return false;
    if (is_selected(page)) {
        page->full = json_array_size(page->items) == page->limit;
        page->failed = !page->full && !add_item(page);
        if (page->full || page->failed)
            return false;
    }
    page->last_id = page->row.id;
    page->last_ms = page->row.last_seen_ms;
    return page->rows < ROWS_MAX;
}

/* Answering */

static void link_next_page(struct page *page)
{
    char value[3 * (FILTER_TEXT_MAX + 1)],
        query[SELECTOR_COUNT * (sizeof value + sizeof "&last_seen_before=")];
    size_t used = 0;
    query[0] = '\0';
    for (unsigned i = 0; i < SELECTOR_COUNT; i++)
        if (page->text[i][0] && slice_percent_encode(slice_of(page->text[i]), value, sizeof value))
            used += (size_t)snprintf(query + used, sizeof query - used, "&%s=%s", names[i], value);
    char time[24] = "";
    if (page->walk.sort != DEVICES_BY_ID)
        snprintf(time, sizeof time, "%lld.", (long long)page->last_ms);
    reply_header(
        &page->call->reply, "Link", "</api/v1/products/%s/devices?limit=%llu&after=%s%lld%s>; rel=\"next\"",
        page->product.product_key, (unsigned long long)page->limit, time, (long long)page->last_id, query);
}

/* The device with this id, whatever the other parameters say. An id that no device can have is not an error. */
static bool list_one(struct page *page, struct error *err)
{
    struct db *db = page->call->db;
    bool found;
    if (!device_look_up(db, page->product.id, slice_of(page->text[SELECT_DEVICE]), &page->row, &found, err) ||
        (found &&
         (!device_name_firmware(db, page->row.firmware_id, &page->firmware, err) || !add_item(page))))
        return false;
    call_answer_items(page->call, json_incref(page->items));
    return true;
}

static bool list(struct page *page, struct error *err)
{
    struct admin_call *call = page->call;
    page->err = err;
    if (page->text[SELECT_DEVICE][0])
        return list_one(page, err);
    if (!page->nothing &&
        (!device_walk(call->db, &page->walk, &page->row, &page->shared, take, page, err) || page->failed))
        return false;
    call_answer_items(call, json_incref(page->items));
    if (page->full || page->rows == ROWS_MAX)
        link_next_page(page);
    return true;
}

bool admin_device_list(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) struct page *page = calloc(1, sizeof *page);
    if (!page)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    page->call = call;
    call_store_counts(call);
    if (!path_params_product(call->request, call->db, &page->product, err) || !read_page(page, err))
        return false;
    page->items = json_array();
    bool ok = list(page, err);
    json_decref(page->items);
    return ok;
}
