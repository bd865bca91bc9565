/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Deletes firmwares and products that have no images and no devices. */
#include "storage/removal.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "server/core/log.h"
#include "server/ledger/event.h"
#include "storage/campaign.h"
#include "storage/token.h"

struct removal {
    const struct request *request;
    struct product product;
    struct firmware firmware;
};

static bool check_firmware(struct db *db, const struct firmware *firmware, struct error *err)
{
    struct firmware_uses uses;
    struct campaign live;
    char live_text[CAMPAIGN_NAME_SIZE + VERSION_TEXT_SIZE + 60] = "";
    bool found;
    if (!removal_firmware_uses(db, firmware->id, &uses, err) ||
        !campaign_live_of(db, firmware->id, &live, &found, err))
        return false;
    if (found)
        snprintf(live_text, sizeof live_text, "; the campaign %s to %s is %s", live.name, live.target,
                 campaign_state_name(live.state));
    if (uses.images || uses.devices || found)
        return error_set(
            err, ERROR_FIRMWARE_IN_USE,
            "the firmware %s has %lld images and %lld devices (held and retired ones included)%s",
            firmware->name, (long long)uses.images, (long long)uses.devices, live_text);
    return !(uses.links || uses.attempts || uses.claims) ||
           error_set(
               err, ERROR_FIRMWARE_IN_USE,
               "devices that have another firmware now have %lld links, %lld attempts and %lld claims of the "
               "firmware %s",
               (long long)uses.links, (long long)uses.attempts, (long long)uses.claims, firmware->name);
}

static bool record_firmware(const struct removal *removal, struct db *db, const struct firmware *firmware,
                            struct error *err)
{
    const struct event event = {
        .kind = LEDGER_FIRMWARE_DELETED, .product = removal->product.product_key, .firmware = firmware->name};
    return event_add(db, &event, json_pack("{s:o}", "by", event_by(removal->request)), err);
}

static bool remove_firmware(void *cls, struct db *db, struct error *err)
{
    struct removal *removal = cls;
    return path_params_firmware(removal->request, db, &removal->product, &removal->firmware, err) &&
           check_firmware(db, &removal->firmware, err) &&
           record_firmware(removal, db, &removal->firmware, err) &&
           removal_firmware(db, removal->firmware.id, err);
}

bool admin_firmware_delete(struct admin_call *call, struct error *err)
{
    struct removal removal = {.request = call->request};
    if (!call_change(call, remove_firmware, &removal, err))
        return false;
    log_line(LOG_LEVEL_INFO, "firmware-deleted", "product", removal.product.product_key, "firmware",
             removal.firmware.name, NULL);
    reply_init(&call->reply, 204);
    return true;
}

static bool remove_firmwares(struct removal *removal, struct db *db, struct error *err)
{
    _cleanup_(cleanup_free) struct firmware *list = NULL;
    size_t count;
    if (!firmware_list(db, removal->product.id, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!check_firmware(db, &list[i], err)) {
            if (err->code == ERROR_FIRMWARE_IN_USE)
                err->code = ERROR_PRODUCT_IN_USE;
            return false;
        }
    for (size_t i = 0; i < count; i++)
        if (!record_firmware(removal, db, &list[i], err) || !removal_firmware(db, list[i].id, err))
            return false;
    return true;
}

static bool remove_product(void *cls, struct db *db, struct error *err)
{
    struct removal *removal = cls;
    const struct product *product = &removal->product;
    int64_t devices, tokens;
    if (!path_params_product(removal->request, db, &removal->product, err) ||
        !removal_product_devices(db, product->id, &devices, err))
        return false;
    if (devices)
        return error_set(err, ERROR_PRODUCT_IN_USE,
                         "the product %s has %lld devices (held and retired ones included)",
                         product->product_key, (long long)devices);
    if (!token_count_of_product(db, product->product_key, &tokens, err))
        return false;
    if (tokens)
        return error_set(err, ERROR_PRODUCT_IN_USE,
                         "%lld tokens are only for the product %s: revoke them first", (long long)tokens,
                         product->product_key);
    const struct event event = {.kind = LEDGER_PRODUCT_DELETED, .product = product->product_key};
    return remove_firmwares(removal, db, err) &&
           event_add(
               db, &event,
               json_pack("{s:o, s:o*}", "by", event_by(removal->request), "name", event_text(product->name)),
               err) &&
           removal_product(db, product->id, err);
}

bool admin_product_delete(struct admin_call *call, struct error *err)
{
    struct removal removal = {.request = call->request};
    if (!call_change(call, remove_product, &removal, err))
        return false;
    log_line(LOG_LEVEL_INFO, "product-deleted", "product", removal.product.product_key, "name",
             removal.product.name, NULL);
    reply_init(&call->reply, 204);
    return true;
}
