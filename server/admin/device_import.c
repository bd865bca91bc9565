/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A list of devices with tags, notes and firmware: all lines or none. */
#include <stdio.h>

#include "base/clock.h"
#include "server/admin/device_change.h"
#include "server/admin/device_csv.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/admin/link.h"
#include "server/admin/path_params.h"
#include "server/campaign/place.h"
#include "server/core/log.h"
#include "server/ledger/event.h"

struct import {
    struct admin_call *call;
    struct product product;
    struct device_csv list;
    struct firmware named; /* of the line before; id 0: none */
    struct firmware only;  /* for lines that name none; id 0: not looked for yet */
    int64_t added, changed, admitted, firmware_kept;
    struct csv_faults faults;
    json_t *items; /* what happened with each line */
};

/* For a device that is new, or of which nothing better is known. */
static bool find_firmware(struct import *import, struct db *db, const char *name, int64_t *ret,
                          struct error *err)
{
    struct firmware *firmware = name[0] ? &import->named : &import->only;
    bool ok = true;
    if (!name[0] && !firmware->id)
        ok = link_only_firmware(db, import->product.id, firmware, err);
    else if (name[0] && (!firmware->id || strcmp(firmware->name, name) != 0))
        ok = firmware_get(db, import->product.id, name, firmware, err);
    *ret = firmware->id;
    if (!ok && error_status(err->code) == 404) /* the list is wrong, not the path */
        err->code = ERROR_INVALID;
    return ok;
}

/* The firmware of a device that has reported a version stays. */
static bool move(struct import *import, struct db *db, const char *name, struct device *device,
                 struct error *err)
{
    int64_t firmware;
    if (!name[0])
        return true;
    if (!find_firmware(import, db, name, &firmware, err))
        return false;
    if (firmware != device->firmware_id && device->confirmed_version[0])
        import->firmware_kept++;
    else
        device->firmware_id = firmware;
    return true;
}

static void note_item(struct import *import, const struct device_csv_row *row, const struct device *device,
                      const char *result, bool kept, bool admitted)
{
    json_array_append_new(import->items,
                          json_pack("{s:I, s:s, s:s, s:s, s:b, s:b}", "line", (json_int_t)row->line, "device",
                                    device->device, "id_kind", identity_kind_name(device->id_kind), "result",
                                    result, "firmware_kept", (int)kept, "admitted", (int)admitted));
}

static bool import_row(struct import *import, struct db *db, const struct device_csv_row *row,
                       struct error *err)
{
    const char *tags = device_csv_text(&import->list, row->tags);
    const char *note = device_csv_text(&import->list, row->note);
    const char *name = device_csv_text(&import->list, row->firmware);
    struct device device;
    int64_t firmware;
    bool found;
    if (!device_find(db, import->product.id, &row->identity, &device, &found, err))
        return false;
    if (!found && (!find_firmware(import, db, name, &firmware, err) ||
                   !device_add(db, import->product.id, &row->identity, firmware, &device, err)))
        return false;
    const struct device before = device;
    const int64_t kept = import->firmware_kept;
    if (found && !move(import, db, name, &device, err))
        return false;
    if (tags[0])
        snprintf(device.tags, sizeof device.tags, "%s", tags);
    if (note[0])
        snprintf(device.note, sizeof device.note, "%s", note);
    if (device.state == DEVICE_HELD)
        device_make_active(&device);
    bool changed = !device_equal(&before, &device);
    import->added += !found;
    import->changed += found && changed;
    import->admitted += before.state == DEVICE_HELD;
    note_item(import, row, &device,
              !found    ? "added"
              : changed ? "changed"
                        : "unchanged",
              import->firmware_kept > kept, before.state == DEVICE_HELD);
    return !changed ||
           (device_update(db, &device, err) && (before.firmware_id == device.firmware_id ||
                                                campaign_device_changed(db, device.id, clock_utc_ms(), err)));
}

static bool import_all(void *cls, struct db *db, struct error *err)
{
    struct import *import = cls;
    struct error why;
    if (!path_params_product(import->call->request, db, &import->product, err))
        return false;
    for (size_t i = 0; i < import->list.count; i++)
        if (!import_row(import, db, &import->list.rows[i], &why) &&
            !csv_note_fault(&import->faults, import->list.rows[i].line, &why, err))
            return false;
    if (!csv_end_faults(&import->faults, err))
        return false;
    const struct event event = {.kind = LEDGER_DEVICES_IMPORTED, .product = import->product.product_key};
    struct sha256 hash;
    sha256_of(import->call->request->body.ptr, import->call->request->body.len, &hash);
    return event_add(db, &event,
                     json_pack("{s:I, s:I, s:o, s:I, s:I, s:o}", "added", (json_int_t)import->added,
                               "admitted", (json_int_t)import->admitted, "by",
                               event_by(import->call->request), "changed", (json_int_t)import->changed,
                               "devices", (json_int_t)import->list.count, "sha256", event_hash(&hash)),
                     err);
}

static bool run(struct import *import, struct error *err)
{
    struct admin_call *call = import->call;
    struct log_number devices, added;
    if (!path_params_product(call->request, call->db, &import->product, err) ||
        !call_check_type(call, "text/csv", "the list of devices", err) ||
        !device_csv_parse(call->request->body, &import->list, &import->faults, err))
        return false;
    if (!import->list.count)
        return error_set(err, ERROR_INVALID, "the list has no devices");
    if (!call_change(call, import_all, import, err))
        return false;
    log_line(LOG_LEVEL_INFO, "devices-imported", "product", import->product.product_key, "devices",
             log_i64(&devices, (long long)import->list.count), "added", log_i64(&added, import->added), NULL);
    reply_json(&call->reply, 200,
               json_pack("{s:I, s:I, s:I, s:I, s:I, s:O}", "devices", (json_int_t)import->list.count, "added",
                         (json_int_t)import->added, "changed", (json_int_t)import->changed, "admitted",
                         (json_int_t)import->admitted, "firmware_kept", (json_int_t)import->firmware_kept,
                         "items", import->items));
    return true;
}

bool admin_device_import(struct admin_call *call, struct error *err)
{
    struct import import = {.call = call, .items = json_array()};
    bool ok = run(&import, err);
    if (!ok)
        call_show_faults(call, &import.faults);
    json_decref(import.items);
    device_csv_free(&import.list);
    return ok;
}
