/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A device is exchanged for another one: the new one takes its tags, its note and its places in campaigns, and gets a
   link; the old one is retired. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/body.h"
#include "server/admin/device_change.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/admin/link.h"
#include "server/admin/path_params.h"
#include "server/campaign/place.h"
#include "server/core/log.h"
#include "server/ledger/event.h"

struct replacement {
    struct admin_call *call;
    const char *id; /* of the new device, as it was written */
    struct product product;
    struct firmware firmware;
    struct device old, made;
    bool has_link, is_new; /* is_new: the new device was not known before */
    struct link_order order;
};

static bool find_new(struct replacement *replacement, struct db *db, struct error *err)
{
    struct identity *identity = &replacement->order.identity;
    struct device *made = &replacement->made;
    bool found;
    if (!names_identity_in(db, replacement->product.id, slice_of(replacement->id), identity, err) ||
        !device_find(db, replacement->product.id, identity, made, &found, err))
        return false;
    replacement->is_new = !found;
    if (!found)
        return device_add(db, replacement->product.id, identity, replacement->old.firmware_id, made, err);
    if (made->id == replacement->old.id)
        return error_set(err, ERROR_INVALID, "a device cannot replace itself");
    return made->state != DEVICE_RETIRED ||
           error_set(err, ERROR_DEVICE_RETIRED, "the device %s is retired", made->device);
}

/* Tags of both; the note of the old one, unless the new one has its own. */
static bool hand_over(struct replacement *replacement, struct error *err)
{
    struct device *made = &replacement->made;
    struct slice rest = slice_of(replacement->old.tags), tag;
    while (rest.len && slice_split(&rest, ' ', &tag))
        if (!tags_add(made->tags, tag, err))
            return false;
    if (!made->note[0])
        memcpy(made->note, replacement->old.note, sizeof made->note);
    device_make_active(made);
    return true;
}

static bool make_link(struct replacement *replacement, struct db *db, int64_t now_ms, struct error *err)
{
    struct daemon *daemon = replacement->call->daemon;
    struct link_memo memo = {.needed = ""};
    bool found;
    replacement->has_link = daemon->device_url[0];
    return !replacement->has_link ||
           (firmware_by_id(db, replacement->made.firmware_id, &replacement->firmware, &found, err) &&
            link_order_make(daemon, db, &replacement->firmware, now_ms, &memo, &replacement->order, err) &&
            link_order_note(replacement->call->request, db, &replacement->product, &replacement->firmware,
                            &replacement->order, err));
}

static bool record(const struct replacement *replacement, struct db *db, struct error *err)
{
    const struct event event = {.kind = LEDGER_DEVICE_REPLACED,
                                .product = replacement->product.product_key,
                                .device = &replacement->old};
    return event_add(db, &event,
                     json_pack("{s:o, s:o}", "by", event_by(replacement->call->request), "successor",
                               json_sprintf("%s:%s", identity_kind_name(replacement->made.id_kind),
                                            replacement->made.device)),
                     err);
}

static bool replace(void *cls, struct db *db, struct error *err)
{
    struct replacement *replacement = cls;
    int64_t now_ms = clock_utc_ms();
    if (!path_params_device(replacement->call->request, db, &replacement->product, &replacement->old, err))
        return false;
    if (replacement->old.state == DEVICE_RETIRED)
        return error_set(err, ERROR_DEVICE_RETIRED, "the device %s is retired already",
                         replacement->old.device);
    return find_new(replacement, db, err) && hand_over(replacement, err) &&
           device_update(db, &replacement->made, err) &&
           campaign_device_replaced(db, replacement->old.id, replacement->made.id, now_ms, err) &&
           make_link(replacement, db, now_ms, err) &&
           device_retire(db, &replacement->old, replacement->made.id, now_ms, err) &&
           record(replacement, db, err);
}

bool admin_device_replace(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct replacement replacement = {.call = call};
    if (!call_body(call, &body, err))
        return false;
    if (!body_unpack(body, err, "{s:s}", "device", &replacement.id))
        return false;
    if (!call_change(call, replace, &replacement, err))
        return false;
    const struct device *old = &replacement.old, *made = &replacement.made;
    log_line(LOG_LEVEL_INFO, "device-replaced", "product", replacement.product.product_key, "device",
             old->device, "successor", made->device, NULL);
    char name[IDENTITY_SIZE + 8];
    snprintf(name, sizeof name, "%s:%s", identity_kind_name(made->id_kind), made->device);
    reply_json(&call->reply, replacement.is_new ? 201 : 200,
               json_pack("{s:s, s:s, s:s, s:s, s:o}", "device", made->device, "id_kind",
                         identity_kind_name(made->id_kind), "replaces", old->device, "replaces_id_kind",
                         identity_kind_name(old->id_kind), "link",
                         replacement.has_link
                             ? link_order_json(call->daemon, &replacement.firmware, &replacement.order)
                             : json_null()));
    LOCATE(call, "products", replacement.product.product_key, "devices", name);
    return true;
}
