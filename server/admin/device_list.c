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
#include "server/admin/list_kinds.h"
#include "server/admin/path_params.h"
#include "upgrade/filter_device.h"

#define ROWS_MAX 20000

/* Parameters that select devices, beside q. */
#define SELECTORS(X)                                                                                         \
    X(FIRMWARE, "firmware")                                                                                  \
    X(NOTICE, "notice")                                                                                      \
    X(RETIRED, "retired")                                                                                    \
    X(HELD, "held")                                                                                          \
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

const struct list_kind list_devices = {.language = &filter_device, .sorts = "last_seen -last_seen"};

struct page {
    struct list_query query;
    struct product product;
    char text[SELECTOR_COUNT][256]; /* of each selector; "": not given */
    bool only_noticed;
    uint64_t limit;
    struct device_walk walk;
    bool nothing; /* a firmware that does not exist: no device */

    /* while the rows are read */
    struct device row;
    bool shared;
    struct firmware firmware;
    json_t *items;
    int64_t rows;
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

static bool read_selectors(struct page *page, struct error *err)
{
    bool found, retired, held;
    for (unsigned i = 0; i < SELECTOR_COUNT; i++)
        if (!request_query(page->query.call->request, names[i], page->text[i], sizeof page->text[i], &found,
                           err))
            return false;
    if (!read_flag(page, SELECT_NOTICE, &page->only_noticed, err) ||
        !read_flag(page, SELECT_RETIRED, &retired, err) || !read_flag(page, SELECT_HELD, &held, err))
        return false;
    if (retired && held)
        return error_set(err, ERROR_BAD_REQUEST, "a device is retired or held, not both");
    page->walk.state = retired ? DEVICE_RETIRED : held ? DEVICE_HELD : DEVICE_ACTIVE;
    return true;
}

/* The cursor: ID, or with a sort MS.ID. */
static bool read_cursor(struct page *page, struct error *err)
{
    struct device_walk *walk = &page->walk;
    const char *text = page->query.after;
    bool sorted = walk->sort != DEVICES_BY_ID;
    uint64_t id, ms = 0;
    if (!text[0]) {
        walk->after = walk->after_ms = walk->sort == DEVICES_SEEN_LAST ? INT64_MAX : 0;
        return true;
    }
    const char *dot = strchr(text, '.');
    if (sorted != !!dot || (dot && !slice_u64((struct slice){text, (size_t)(dot - text)}, &ms)) ||
        !slice_u64(slice_of(dot ? dot + 1 : text), &id) || id > INT64_MAX || ms > INT64_MAX)
        return list_refuse_after(err);
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
    if (!firmware_find(page->query.call->db, page->product.id, page->text[SELECT_FIRMWARE], &firmware, &found,
                       err))
        return false;
    page->nothing = !found;
    page->walk.firmware_id = found ? firmware.id : 0;
    return true;
}

static bool read_page(struct page *page, struct error *err)
{
    const struct list_query *query = &page->query;
    page->limit = query->limit ? query->limit : LIST_PAGE_DEFAULT;
    page->walk.sort = !query->sort[0]    ? DEVICES_BY_ID
                      : query->downwards ? DEVICES_SEEN_LAST
                                         : DEVICES_SEEN_FIRST;
    if (!read_selectors(page, err) || !read_cursor(page, err) || !find_firmware(page, err))
        return false;
    page->walk.product_id = page->product.id;
    page->last_id = page->walk.after;
    page->last_ms = page->walk.after_ms;
    page->walk.most = ROWS_MAX;
    return true;
}

/* Reading the rows */

static bool is_selected(const struct page *page)
{
    const struct device *device = &page->row;
    struct filter_subject subject;
    device_subject(device, page->firmware.name, &subject);
    return (!page->walk.firmware_id || device->firmware_id == page->walk.firmware_id) &&
           (!page->only_noticed || device->notice[0] || page->shared) &&
           filter_selects(&page->query.filter, &subject, page->query.now_ms);
}

static bool add_item(struct page *page)
{
    struct said said;
    if (!said_of(page->query.call->db, page->row.id, &said, page->err))
        return false;
    json_t *json = device_to_json(&page->row, page->firmware.name, &said);
    json_array_append_new(page->items, json);
    return device_add_build(page->query.call->db, &page->row, json, page->err);
}

/* Stops at the first device that does not fit into the page: then there is a next page. */
static bool take(void *cls)
{
    struct page *page = cls;
    page->rows++;
    page->failed =
        !device_name_firmware(page->query.call->db, page->row.firmware_id, &page->firmware, page->err);
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

static void link_next_page(const struct page *page)
{
    char after[48], time[24] = "";
    if (page->walk.sort != DEVICES_BY_ID)
        snprintf(time, sizeof time, "%lld.", (long long)page->last_ms);
    snprintf(after, sizeof after, "%s%lld", time, (long long)page->last_id);
    list_link(&page->query, after);
}

/* The device with this id, whatever the other parameters say. An id that no device can have is not an error. */
static bool list_one(struct page *page, struct error *err)
{
    struct db *db = page->query.call->db;
    bool found;
    if (!device_look_up(db, page->product.id, slice_of(page->text[SELECT_DEVICE]), &page->row, &found, err) ||
        (found &&
         (!device_name_firmware(db, page->row.firmware_id, &page->firmware, err) || !add_item(page))))
        return false;
    call_answer_items(page->query.call, json_incref(page->items));
    return true;
}

static bool list(struct page *page, struct error *err)
{
    struct admin_call *call = page->query.call;
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
    call_store_counts(call);
    if (!list_read(call, &list_devices, &page->query, err) ||
        !path_params_product(call->request, call->db, &page->product, err) || !read_page(page, err))
        return false;
    page->items = json_array();
    bool ok = list(page, err);
    json_decref(page->items);
    return ok;
}
