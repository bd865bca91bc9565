/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Hops that are out of service, and canaries that an admin gives up on. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/body.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/admin/package.h"
#include "server/core/log.h"
#include "server/webhook/notify.h"
#include "storage/quarantine.h"
#include "storage/trial.h"

struct order {
    const struct request *request;
    const char *reason; /* to take a hop out of service */
    bool lifted;
    struct hop hop;
};

/* A hop that is out of service already was told before. */
static bool tell(struct db *db, const struct hop *hop, const struct quarantine *quarantine, struct error *err)
{
    const struct notify_quarantine told = {.firmware_id = hop->firmware.id,
                                           .from = hop->from.version,
                                           .to = hop->to.version,
                                           .why = "admin",
                                           .reason = quarantine->reason};
    struct quarantine known;
    bool found;
    return quarantine_find(db, hop->firmware.id, &hop->from.sha256, &hop->to.sha256, &known, &found, err) &&
           (found || notify_quarantined(db, &told, quarantine->at_ms, err));
}

static bool take_out(void *cls, struct db *db, struct error *err)
{
    struct order *order = cls;
    struct hop *hop = &order->hop;
    struct quarantine quarantine = {.at_ms = clock_utc_ms()};
    if (!hop_find(order->request, db, hop, err))
        return false;
    quarantine.firmware_id = hop->firmware.id;
    quarantine.from = hop->from.sha256;
    quarantine.to = hop->to.sha256;
    snprintf(quarantine.reason, sizeof quarantine.reason, "%s", order->reason);
    return tell(db, hop, &quarantine, err) && quarantine_add(db, &quarantine, err) &&
           hop_note(order->request, db, hop, LEDGER_PACKAGE_QUARANTINED, NULL,
                    json_pack("{s:o}", "reason", event_text(order->reason)), err);
}

bool admin_package_quarantine(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct order order = {.request = call->request};
    if (!call_body(call, &body, err))
        return false;
    if (!body_unpack(body, err, "{s:s}", "reason", &order.reason))
        return false;
    if (!call_check_text("reason", order.reason, QUARANTINE_REASON_SIZE - 1, err) ||
        !call_change(call, take_out, &order, err))
        return false;
    log_line(LOG_LEVEL_WARN, "package-quarantined", "product", order.hop.product.product_key, "firmware",
             order.hop.firmware.name, "from", order.hop.from.version, "to", order.hop.to.version, "reason",
             order.reason, NULL);
    return true;
}

static bool lift(void *cls, struct db *db, struct error *err)
{
    struct order *order = cls;
    struct hop *hop = &order->hop;
    return hop_find(order->request, db, hop, err) &&
           quarantine_lift(db, hop->firmware.id, &hop->from.sha256, &hop->to.sha256, &order->lifted, err) &&
           (!order->lifted || hop_note(order->request, db, hop, LEDGER_QUARANTINE_LIFTED, NULL, NULL, err));
}

bool admin_package_lift(struct admin_call *call, struct error *err)
{
    struct order order = {.request = call->request};
    if (!call_change(call, lift, &order, err))
        return false;
    if (order.lifted)
        log_line(LOG_LEVEL_INFO, "quarantine-lifted", "product", order.hop.product.product_key, "firmware",
                 order.hop.firmware.name, "from", order.hop.from.version, "to", order.hop.to.version, NULL);
    return true;
}

/* A full package */

struct full_order {
    const struct request *request;
    bool lifted;
    struct product product;
    struct firmware firmware;
    struct image image;
};

static bool lift_full(void *cls, struct db *db, struct error *err)
{
    static const struct sha256 any = {{0}};
    struct full_order *order = cls;
    const struct event event = {.kind = LEDGER_QUARANTINE_LIFTED,
                                .product = order->product.product_key,
                                .firmware = order->firmware.name,
                                .package = &order->image.sha256};
    return path_params_named_image(order->request, db, &order->product, &order->firmware, &order->image,
                                   err) &&
           quarantine_lift(db, order->firmware.id, &any, &order->image.sha256, &order->lifted, err) &&
           (!order->lifted ||
            event_add(db, &event,
                      json_pack("{s:o, s:s}", "by", event_by(order->request), "to", order->image.version),
                      err));
}

bool admin_image_lift(struct admin_call *call, struct error *err)
{
    struct full_order order = {.request = call->request};
    if (!call_change(call, lift_full, &order, err))
        return false;
    if (order.lifted)
        log_line(LOG_LEVEL_INFO, "quarantine-lifted", "product", order.product.product_key, "firmware",
                 order.firmware.name, "to", order.image.version, NULL);
    return true;
}

/* The canary's place */

struct write_off {
    const struct request *request;
    bool changed;
    struct product product;
    struct device device;
};

static bool write_off(void *cls, struct db *db, struct error *err)
{
    struct write_off *order = cls;
    if (!path_params_device(order->request, db, &order->product, &order->device, err) ||
        !trial_write_off(db, order->device.id, &order->changed, err))
        return false;
    const struct event event = {
        .kind = LEDGER_DEVICE_WRITTEN_OFF, .product = order->product.product_key, .device = &order->device};
    return !order->changed || event_add(db, &event, json_pack("{s:o}", "by", event_by(order->request)), err);
}

bool admin_device_write_off(struct admin_call *call, struct error *err)
{
    struct write_off order = {.request = call->request};
    if (!call_change(call, write_off, &order, err))
        return false;
    if (order.changed)
        log_line(LOG_LEVEL_INFO, "device-written-off", "product", order.product.product_key, "device",
                 order.device.device, NULL);
    return admin_device_answer(call, &order.device, err);
}
