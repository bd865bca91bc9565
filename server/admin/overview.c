/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* GET /overview: the next things to do, and counts of the whole server. GET …/firmware/{firmware}/versions: devices by
   confirmed version, day by day. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/access.h"
#include "server/admin/handlers.h"
#include "server/admin/list_kinds.h"
#include "server/admin/matrix.h"
#include "server/admin/overview.h"
#include "server/admin/path_params.h"
#include "storage/fleet_day.h"
#include "storage/package.h"

#define FIRMWARES_MAX 100 /* in the list */
#define DAYS_DEFAULT  90

void overview_free(struct overview *overview)
{
    free(overview->row);
    json_decref(overview->attention.items);
}

static bool add_rows(struct admin_call *call, const struct product *product, struct overview *overview,
                     struct error *err)
{
    _cleanup_(cleanup_free) struct firmware *list = NULL;
    size_t count;
    if (!firmware_list(call->db, product->id, &list, &count, err))
        return false;
    struct overview_row *more = reallocarray(overview->row, overview->count + count + 1, sizeof *more);
    if (!more)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    overview->row = more;
    for (size_t i = 0; i < count; i++) {
        struct overview_row *row = &overview->row[overview->count++];
        row->product = *product;
        row->firmware = list[i];
        if (!overview_counts(call->db, list[i].id, &row->counts, err))
            return false;
    }
    return true;
}

static bool is_led(struct admin_call *call, const struct firmware *firmware, bool *ret, struct error *err)
{
    struct campaign campaign;
    *ret = firmware->target[0];
    return *ret || campaign_live_of(call->db, firmware->id, &campaign, ret, err);
}

static bool sum_up(struct admin_call *call, const struct overview_row *row, struct overview *sums,
                   struct error *err)
{
    const struct overview_counts *counts = &row->counts;
    bool led;
    if (!is_led(call, &row->firmware, &led, err))
        return false;
    sums->all.devices += counts->devices;
    sums->all.asked += counts->asked;
    sums->all.blocked += counts->blocked;
    sums->all.waiting += counts->waiting;
    sums->all.sending += counts->sending;
    sums->all.delivered += counts->delivered;
    sums->all.silent += counts->silent;
    sums->all.images += counts->images;
    sums->all.bytes_sent += counts->bytes_sent;
    sums->all.bytes_full += counts->bytes_full;
    sums->two_images |= counts->images >= 2;
    sums->format |= counts->images && row->firmware.format[0];
    sums->target |= led;
    return true;
}

static int by_devices(const void *a, const void *b)
{
    int64_t left = ((const struct overview_row *)a)->counts.devices;
    int64_t right = ((const struct overview_row *)b)->counts.devices;
    return left > right ? -1 : left < right;
}

static json_t *devices_json(const struct overview_counts *counts)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "all", (json_int_t)counts->devices, "waiting",
                     (json_int_t)counts->waiting, "sending", (json_int_t)counts->sending, "delivered",
                     (json_int_t)counts->delivered, "silent", (json_int_t)counts->silent, "blocked",
                     (json_int_t)counts->blocked);
}

static json_t *firmwares_json(const struct overview *rows)
{
    json_t *list = json_array();
    for (size_t i = 0; i < rows->count && i < FIRMWARES_MAX; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:I, s:o}", "product",
                                              rows->row[i].product.product_key, "firmware",
                                              rows->row[i].firmware.name, "format",
                                              field_text(rows->row[i].firmware.format), "target",
                                              field_text(rows->row[i].firmware.target), "images",
                                              (json_int_t)rows->row[i].counts.images, "devices",
                                              devices_json(&rows->row[i].counts)));
    return list;
}

bool overview_load(struct admin_call *call, struct overview *ret, struct error *err)
{
    _cleanup_(cleanup_free) struct product *products = NULL;
    *ret = (struct overview){.attention = {.call = call, .items = json_array()}};
    if (!product_list(call->db, &products, &ret->products, err) || !attention_server(&ret->attention, err))
        return false;
    for (size_t i = 0; i < ret->products; i++)
        if (access_sees(call->request, products[i].product_key) &&
            (!add_rows(call, &products[i], ret, err) ||
             !attention_product(&ret->attention, &products[i], err)))
            return false;
    if (ret->count)
        qsort(ret->row, ret->count, sizeof *ret->row, by_devices);
    for (size_t i = 0; i < ret->count; i++)
        if (!sum_up(call, &ret->row[i], ret, err) ||
            !attention_firmware(&ret->attention, &ret->row[i].product, &ret->row[i].firmware,
                                &ret->row[i].counts, err))
            return false;
    return true;
}

static bool answer(struct admin_call *call, const struct overview *overview, struct error *err)
{
    const struct overview_counts *all = &overview->all;
    struct package_counts packages;
    json_t *estimate;
    bool any_link;
    if (!package_count(call->db, &packages, err) || !overview_any_link(call->db, &any_link, err) ||
        !admin_backlog_estimate(call, &estimate, err))
        return false;
    reply_json(
        &call->reply, 200,
        json_pack("{s:O, s:b, s:o, s:{s:I, s:I, s:o}, s:{s:I, s:I, s:I}, s:{s:b, s:b, s:b, s:b, s:b}, s:o}",
                  "next", overview->attention.items, "more", overview->attention.more, "devices",
                  devices_json(all), "queue", "queued", (json_int_t)packages.queued, "generating",
                  (json_int_t)packages.generating, "estimate_ms", estimate, "bytes", "sent",
                  (json_int_t)all->bytes_sent, "full", (json_int_t)all->bytes_full, "saved",
                  (json_int_t)(all->bytes_full - all->bytes_sent), "steps", "product", overview->products > 0,
                  "images", overview->two_images, "format", overview->format, "target", overview->target,
                  "link", any_link || all->asked > 0, "firmwares", firmwares_json(overview)));
    return true;
}

bool admin_overview_show(struct admin_call *call, struct error *err)
{
    struct overview overview;
    bool ok = overview_load(call, &overview, err) && answer(call, &overview, err);
    overview_free(&overview);
    return ok;
}

/* ---- Versions by day ---- */

static json_t *day_of(json_t *days, int64_t day)
{
    size_t count = json_array_size(days);
    json_t *last = count ? json_array_get(days, count - 1) : NULL;
    if (!last || json_integer_value(json_object_get(last, "day")) != day * DAY_MS) {
        last = json_pack("{s:I, s:{}}", "day", (json_int_t)(day * DAY_MS), "devices");
        json_array_append_new(days, last);
    }
    return json_object_get(last, "devices");
}

static void add_days(json_t *days, const struct fleet_day *rows, size_t count, int64_t today)
{
    for (size_t i = 0; i < count; i++)
        if (!rows[i].day || rows[i].day < today) /* today: as it is now */
            json_object_set_new(day_of(days, rows[i].day ? rows[i].day : today), rows[i].version,
                                json_integer((json_int_t)rows[i].devices));
}

bool admin_firmware_versions(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) struct fleet_day *past = NULL, *now = NULL;
    struct product product;
    struct firmware firmware;
    uint64_t days = DAYS_DEFAULT;
    size_t past_count, now_count;
    int64_t today = clock_utc_ms() / DAY_MS;
    if (!call_query_number(call->request, "days", 1, FLEET_DAYS, &days, err) ||
        !path_params_firmware(call->request, call->db, &product, &firmware, err) ||
        !fleet_day_list(call->db, firmware.id, today - (int64_t)days + 1, &past, &past_count, err) ||
        !fleet_day_now(call->db, firmware.id, &now, &now_count, err))
        return false;
    json_t *items = json_array();
    add_days(items, past, past_count, today);
    add_days(items, now, now_count, today);
    return list_answer(call, &list_versions, items, err);
}
