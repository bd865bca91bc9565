/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The target of a firmware: the version that its devices shall run. */
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/body.h"
#include "server/admin/campaign_forecast.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "server/campaign/gate.h"
#include "server/core/log.h"
#include "server/ledger/event.h"
#include "storage/firmware.h"
#include "storage/image.h"

struct target {
    const struct request *request;
    const char *version; /* as it was written; NULL: the target is removed */
    struct product product;
    struct firmware firmware;
    char forecast[CAMPAIGN_FORECAST_SIZE];
};

static bool note_target(const struct target *target, struct db *db, const char *before,
                        const struct image *image, struct error *err)
{
    const struct event event = {.kind = image->version[0] ? LEDGER_TARGET_SET : LEDGER_TARGET_DROPPED,
                                .product = target->product.product_key,
                                .firmware = target->firmware.name};
    return event_add(db, &event,
                     json_pack("{s:o*, s:o, s:o*, s:o*}", "before", event_text(before), "by",
                               event_by(target->request), "sha256",
                               image->id ? event_hash(&image->sha256) : NULL, "version",
                               event_text(image->version)),
                     err);
}

static bool change_target(void *cls, struct db *db, struct error *err)
{
    struct target *target = cls;
    struct firmware *firmware = &target->firmware;
    struct image image = {.id = 0};
    bool found;
    char text[VERSION_TEXT_SIZE], before[VERSION_TEXT_SIZE], by[ADMIN_NAME_SIZE];
    if (!path_params_firmware(target->request, db, &target->product, firmware, err))
        return false;
    if (target->version && (!campaign_read_target(db, firmware, target->version, text, err) ||
                            !image_find(db, firmware->id, text, &image, &found, err)))
        return false;
    if (target->version)
        memcpy(image.version, text, sizeof text); /* also of several builds */
    memcpy(before, firmware->target, sizeof before);
    event_by_text(target->request, by);
    return campaign_set_plain(db, firmware, image.version, by, target->forecast, clock_utc_ms(), err) &&
           note_target(target, db, before, &image, err);
}

/* What the target would do: the answer of a dry run, else the forecast that is stored. */
static bool look_ahead(struct admin_call *call, struct target *target, bool dry, struct error *err)
{
    struct campaign plain = {.id = 0}, made = {.name = CAMPAIGN_PLAIN_NAME, .plain = true};
    struct firmware *firmware = &target->firmware;
    json_t *json;
    bool found;
    if (!path_params_firmware(call->request, call->db, &target->product, firmware, err) ||
        !campaign_read_target(call->db, firmware, target->version, made.target, err) ||
        !campaign_plain_of(call->db, firmware->id, &plain, &found, err))
        return false;
    made.firmware_id = firmware->id;
    if (!dry)
        return campaign_forecast(call, call->db, firmware, &made, plain.id, target->forecast, err);
    if (!campaign_effect(call, call->db, firmware, &made, plain.id, &json, err))
        return false;
    reply_json(&call->reply, 200, json);
    return true;
}

bool admin_target_set(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct target target = {.request = call->request};
    if (!call_body(call, &body, err))
        return false;
    if (!body_unpack(body, err, "{s:s}", "version", &target.version))
        return false;
    bool dry;
    if (!campaign_is_dry_run(call->request, &dry, err))
        return false;
    if (!look_ahead(call, &target, dry, err))
        return false;
    if (dry)
        return true;
    if (!call_change(call, change_target, &target, err))
        return false;
    log_line(LOG_LEVEL_INFO, "target-set", "product", target.product.product_key, "firmware",
             target.firmware.name, "version", target.firmware.target, NULL);
    return admin_firmware_answer(call, &target.firmware, err);
}

bool admin_target_drop(struct admin_call *call, struct error *err)
{
    struct target target = {.request = call->request};
    if (!call_change(call, change_target, &target, err))
        return false;
    log_line(LOG_LEVEL_INFO, "target-dropped", "product", target.product.product_key, "firmware",
             target.firmware.name, NULL);
    reply_init(&call->reply, 204);
    return true;
}
