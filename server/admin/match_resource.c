/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/match_resource.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "server/admin/campaign.h"
#include "server/admin/path_params.h"
#include "server/admin/webhook.h"
#include "storage/image_about.h"
#include "storage/token.h"

#define PRODUCT  "/api/v1/products/{}"
#define FIRMWARE PRODUCT "/firmware/{}"

static bool product_load(const struct request *request, struct db *db, int64_t *id, json_t **ret,
                         struct error *err)
{
    struct product product;
    bool found = true;
    if (!(*id ? product_by_id(db, *id, &product, &found, err)
              : path_params_product(request, db, &product, err)))
        return false;
    *id = found ? product.id : *id;
    *ret = found ? json_pack("[I, o, I, i, i]", (json_int_t)product.id, field_text(product.name),
                             (json_int_t)product.check_ins_trusted_ms, (int)product.unknown_devices,
                             (int)product.device_secret)
                 : NULL;
    return true;
}

static bool firmware_load(const struct request *request, struct db *db, int64_t *id, json_t **ret,
                          struct error *err)
{
    struct product product;
    struct firmware firmware;
    bool found = true;
    if (!(*id ? firmware_by_id(db, *id, &firmware, &found, err)
              : path_params_firmware(request, db, &product, &firmware, err)))
        return false;
    *id = found ? firmware.id : *id;
    *ret = found ? json_pack("[I, o, s, b, I, s, b, I, I, s, I, i]", (json_int_t)firmware.id,
                             field_text(firmware.name), firmware.format, firmware.format_is_default,
                             (json_int_t)firmware.max_package_bytes, firmware.target, firmware.downgrades,
                             (json_int_t)firmware.canary_confirmations, (json_int_t)firmware.quarantine_after,
                             firmware.hours, (json_int_t)firmware.max_bytes_per_month,
                             (int)firmware.full_packages)
                 : NULL;
    return true;
}

/* Without what came of the stage. */
static json_t *stage_to_json(const struct stage *stage)
{
    return json_pack("[i, I, I, I, I, I, I, I, I, I, I]", (int)stage->kind, (json_int_t)stage->size,
                     (json_int_t)stage->least_confirmed, (json_int_t)stage->confirmed_percent,
                     (json_int_t)stage->most_failed, (json_int_t)stage->most_silent,
                     (json_int_t)stage->accepted_failed, (json_int_t)stage->accepted_silent,
                     (json_int_t)stage->settle_ms, (json_int_t)stage->approvals, (json_int_t)stage->approved);
}

/* Only the list of a draft can be changed. */
static bool add_devices(struct db *db, const struct campaign *campaign, json_t *list, struct error *err)
{
    _cleanup_(cleanup_free) int64_t *ids = NULL;
    struct sha256 hash;
    size_t count = 0;
    if (campaign->state != CAMPAIGN_DRAFT || campaign->audience != AUDIENCE_LIST)
        return true;
    if (!campaign_device_ids(db, campaign->id, &ids, &count, err))
        return false;
    sha256_of(ids ? (const void *)ids : "", count * sizeof *ids, &hash);
    json_array_append_new(list, field_hash(&hash));
    return true;
}

static bool campaign_load(const struct request *request, struct db *db, int64_t *id, json_t **ret,
                          struct error *err)
{
    struct campaign_path path;
    const struct campaign *campaign = &path.campaign;
    struct stages stages;
    bool found = true;
    *ret = NULL;
    if (!(*id ? campaign_by_id(db, *id, &path.campaign, &found, err)
              : campaign_path_find(request, db, &path, err)))
        return false;
    if (!found)
        return true;
    *id = campaign->id;
    if (!campaign_stages_load(db, campaign->id, &stages, err))
        return false;
    *ret =
        json_pack("[I, o, s, i, i, o, i, I, b, b, I, I, o, i]", (json_int_t)campaign->id,
                  field_text(campaign->name), campaign->target, (int)campaign->state, (int)campaign->audience,
                  field_text(campaign->filter), (int)campaign->order, (json_int_t)campaign->firsts,
                  campaign->pause_when_done, campaign->finish_transfers, (json_int_t)campaign->started_ms,
                  (json_int_t)campaign->stage, field_text(campaign->paused_why), (int)campaign->breach);
    for (unsigned i = 0; i < stages.count; i++)
        json_array_append_new(*ret, stage_to_json(&stages.stage[i]));
    return add_devices(db, campaign, *ret, err);
}

/* An image keeps its path. */
static bool image_load(const struct request *request, struct db *db, int64_t *id, json_t **ret,
                       struct error *err)
{
    struct product product;
    struct firmware firmware;
    struct image image;
    struct image_about about;
    *ret = NULL;
    if (!path_params_image(request, db, &product, &firmware, &image, err))
        return *id && (err->code == ERROR_IMAGE_NOT_FOUND || err->code == ERROR_SEVERAL_BUILDS);
    *id = image.id;
    if (!image_about_load(db, image.id, &about, err))
        return false;
    *ret =
        json_pack("[I, b, o, I, o, i, o, i, o, o, o]", (json_int_t)image.id, (int)image.is_default,
                  field_hash(&image.sha256), (json_int_t)image.withdrawn_ms,
                  field_text(image.withdrawn_reason), (int)image.waypoint, field_text(image.waypoint_reason),
                  (int)about.purpose, field_text(about.release_note), field_text(about.advisory),
                  about.sbom_size ? field_hash(&about.sbom_sha256) : json_null());
    return true;
}

static bool device_load(const struct request *request, struct db *db, int64_t *id, json_t **ret,
                        struct error *err)
{
    struct product product;
    struct device device;
    bool found = true;
    if (!(*id ? device_by_id(db, *id, &device, &found, err)
              : path_params_device(request, db, &product, &device, err)))
        return false;
    *id = found ? device.id : *id;
    *ret = found ? json_pack("[I, o, o, o, b, i, I]", (json_int_t)device.id, field_text(device.tags),
                             field_text(device.note), field_hash(&device.build), device.held_out_ms != 0,
                             (int)device.state, (json_int_t)device.replaced_by)
                 : NULL;
    return true;
}

/* Without the events that wait or failed. */
static bool webhook_load(const struct request *request, struct db *db, int64_t *id, json_t **ret,
                         struct error *err)
{
    struct webhook webhook;
    *ret = NULL;
    if (!webhook_of_path(request, db, &webhook, err))
        return *id && err->code == ERROR_WEBHOOK_NOT_FOUND;
    *id = webhook.id;
    *ret = json_pack("[I, o, o, o, s, o, b]", (json_int_t)webhook.id, field_text(webhook.name),
                     field_text(webhook.url), field_text(webhook.secret), webhook.kinds,
                     field_text(webhook.template), webhook.enabled);
    explicit_bzero(&webhook, sizeof webhook);
    return true;
}

/* Without its use. */
static bool token_load(const struct request *request, struct db *db, int64_t *id, json_t **ret,
                       struct error *err)
{
    struct token token;
    if (!path_params_token(request, db, &token, err))
        return false;
    *id = token.id;
    *ret =
        json_pack("[I, o, I, I, I]", (json_int_t)token.id, field_hash(&token.hash),
                  (json_int_t)token.expires_ms, (json_int_t)token.old_until_ms, (json_int_t)token.revoked_ms);
    return true;
}

static const struct match_resource resources[] = {
    {PRODUCT, "the product", "PATCH DELETE", "", product_load},
    {FIRMWARE, "the firmware", "PATCH DELETE PUT/target DELETE/target", "", firmware_load},
    {FIRMWARE "/campaigns/{}", "the campaign",
     "PATCH DELETE POST/start POST/pause POST/resume POST/cancel POST/approve POST/retarget", "PUT/devices",
     campaign_load},
    {FIRMWARE "/images/{}", "the image", "PATCH DELETE", "PUT/about PUT/sbom DELETE/sbom", image_load},
    {PRODUCT "/devices/{}", "the device",
     "PATCH DELETE POST/retire POST/restore POST/admit POST/unblock POST/write-off POST/claim DELETE/claim",
     "POST/replace", device_load},
    {"/api/v1/webhooks/{}", "the webhook", "PATCH DELETE", "", webhook_load},
    {"/api/v1/tokens/{}", "the token", "DELETE POST/rotate", "", token_load},
};

static bool has_call(const char *calls, const char *method, const char *rest)
{
    struct slice left = slice_of(calls), call;
    size_t len = strlen(method);
    while (slice_split(&left, ' ', &call))
        if (slice_starts(call, method) && slice_is((struct slice){call.ptr + len, call.len - len}, rest))
            return true;
    return false;
}

const struct match_resource *match_resource_find(const struct route *route, bool *ret_changes,
                                                 bool *ret_answers)
{
    bool reads = strcmp(route->method, "GET") == 0;
    for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
        const struct match_resource *resource = &resources[i];
        size_t len = strlen(resource->pattern);
        if (strncmp(route->pattern, resource->pattern, len) != 0)
            continue;
        const char *rest = route->pattern + len;
        *ret_answers = reads ? !*rest : has_call(resource->changes, route->method, rest);
        *ret_changes = !reads && (*ret_answers || has_call(resource->others, route->method, rest));
        if (*ret_answers || *ret_changes)
            return resource;
    }
    return NULL;
}
