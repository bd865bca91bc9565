/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Opens the loop guard, for one device or for all blocked devices of a firmware. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "server/core/log.h"
#include "server/core/stop_point.h"
#include "server/ledger/event.h"
#include "storage/guard.h"
#include "storage/said.h"

#define PIECE 500 /* devices in one transaction: check-ins wait for it */

struct unblock {
    struct admin_call *call;
    struct product product;
    struct device device;
    char firmware_name[FIRMWARE_NAME_SIZE]; /* of many */
    struct filter filter;                   /* which of them */
    int64_t after;                          /* the last device that was looked at */
    json_t *items;                          /* the devices of all pieces */
    size_t looked, count;                   /* devices of this piece; of these: unblocked */
};

static bool unblock_device(struct unblock *change, struct db *db, struct device *device, struct error *err)
{
    struct said said;
    device->blocked = false;
    device->notice[0] = '\0';
    if (!said_of(db, device->id, &said, err))
        return false;
    said.before[0] = '\0'; /* two modules with this id are looked for again from now on */
    said.before_ms = said.shared_ms = 0;
    const struct event event = {
        .kind = LEDGER_DEVICE_UNBLOCKED, .product = change->product.product_key, .device = device};
    return said_set(db, &said, err) && guard_open(db, device->id, err) && device_update(db, device, err) &&
           event_add(db, &event, json_pack("{s:o}", "by", event_by(change->call->request)), err);
}

static bool unblock_one(void *cls, struct db *db, struct error *err)
{
    struct unblock *change = cls;
    return path_params_device(change->call->request, db, &change->product, &change->device, err) &&
           unblock_device(change, db, &change->device, err);
}

bool admin_device_unblock(struct admin_call *call, struct error *err)
{
    struct unblock change = {.call = call};
    if (!call_change(call, unblock_one, &change, err))
        return false;
    log_line(LOG_LEVEL_INFO, "device-unblocked", "product", change.product.product_key, "device",
             change.device.device, NULL);
    return admin_device_answer(call, &change.device, err);
}

static bool unblock_piece(void *cls, struct db *db, struct error *err)
{
    struct unblock *change = cls;
    _cleanup_(cleanup_free) int64_t *ids = NULL;
    struct firmware firmware;
    bool found;
    if (!path_params_product(change->call->request, db, &change->product, err) ||
        !firmware_get(db, change->product.id, change->firmware_name, &firmware, err) ||
        !guard_list_blocked(db, firmware.id, change->after, PIECE, &ids, &change->looked, err))
        return false;
    change->count = 0;
    for (size_t i = 0; i < change->looked; i++) {
        struct filter_subject subject;
        if (!device_by_id(db, ids[i], &change->device, &found, err))
            return false;
        change->after = ids[i];
        device_subject(&change->device, firmware.name, &subject);
        if (!found || !filter_selects(&change->filter, &subject, clock_utc_ms()))
            continue;
        if (!unblock_device(change, db, &change->device, err))
            return false;
        json_array_append_new(change->items,
                              json_pack("{s:s, s:s}", "device", change->device.device, "id_kind",
                                        identity_kind_name(change->device.id_kind)));
        change->count++;
    }
    change->call->idempotency.goes_on = change->looked == PIECE; /* the key counts from the last piece on */
    return true;
}

bool admin_device_unblock_all(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *items = json_array();
    struct unblock change = {.call = call, .items = items};
    struct log_number count;
    char filter[FILTER_TEXT_MAX + 1] = "";
    size_t total = 0;
    bool found, has_filter;
    if (!request_query(call->request, "firmware", change.firmware_name, sizeof change.firmware_name, &found,
                       err) ||
        !request_query(call->request, "q", filter, sizeof filter, &has_filter, err))
        return false;
    if (!filter_parse(slice_of(has_filter ? filter : ""), &filter_device, &change.filter, err)) {
        err->code = ERROR_BAD_REQUEST;
        return false;
    }
    if (!found)
        return error_set(err, ERROR_BAD_REQUEST, "name the firmware: ?firmware=NAME");
    do {
        if (!call_change(call, unblock_piece, &change, err))
            return false;
        total += change.count;
        stop_point("devices-unblocked");
    } while (change.looked == PIECE);
    if (total)
        log_line(LOG_LEVEL_INFO, "devices-unblocked", "product", change.product.product_key, "firmware",
                 change.firmware_name, "count", log_i64(&count, (int64_t)total), NULL);
    reply_json(&call->reply, 200,
               json_pack("{s:s, s:I, s:O}", "firmware", change.firmware_name, "unblocked", (json_int_t)total,
                         "items", items));
    return true;
}
