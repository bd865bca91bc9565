/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Changes of a stored image by an admin: withdraw, restore, set its use as a waypoint, delete. */
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/campaign/gate.h"
#include "server/admin/firmware_limit.h"
#include "server/admin/body.h"
#include "server/admin/handlers.h"
#include "server/admin/image.h"
#include "server/admin/path_params.h"
#include "server/db/blob_commit.h"
#include "server/core/log.h"
#include "server/planning/prebuild.h"
#include "server/admin/event_by.h"
#include "server/ledger/event.h"
#include "storage/image_uses.h"
#include "storage/package.h"

#define REASON_MAX 300

struct change {
    const struct request *request;
    const json_t *withdrawn;  /* true or false; NULL: not changed */
    const json_t *is_default; /* true or false; NULL: not changed */
    bool sets_waypoint;
    enum waypoint waypoint; /* with sets_waypoint */
    const char *reason;     /* "": none */
    struct product product;
    struct firmware firmware;
    struct image image;
    char dropped[VERSION_TEXT_SIZE]; /* the target that this change removed; "": none */
};

/* Reading */

static bool read_waypoint(const json_t *value, struct change *change, struct error *err)
{
    unsigned waypoint = json_is_true(value) ? WAYPOINT_ALLOWED : WAYPOINT_FORBIDDEN;
    if (!json_is_boolean(value) && !enum_find(&waypoint_names, slice_of(json_string_value(value)), &waypoint))
        return error_set(err, ERROR_INVALID,
                         "waypoint must be true, false, \"allowed\", \"forbidden\" or \"required\"");
    change->waypoint = (enum waypoint)waypoint;
    change->sets_waypoint = true;
    return true;
}

static bool check_reason(const struct change *change, struct error *err)
{
    bool withdraws = json_is_true(change->withdrawn);
    bool marks = change->sets_waypoint && change->waypoint != WAYPOINT_ALLOWED;
    size_t length = strlen(change->reason);
    if (!slice_is_clean_utf8(slice_of(change->reason)) || length > REASON_MAX)
        return error_set(err, ERROR_INVALID, "reason must be 1 to %d bytes without control characters",
                         REASON_MAX);
    if (length && !withdraws && !marks)
        return error_set(err, ERROR_INVALID, "this change needs no reason: leave it out");
    if (!length && withdraws)
        return error_set(err, ERROR_INVALID, "give the reason for the withdrawal (reason)");
    return length || !marks || change->waypoint != WAYPOINT_REQUIRED ||
           error_set(err, ERROR_INVALID, "give the reason why every path must stop at this version (reason)");
}

static const struct body_field fields[] = {{"withdrawn", "false"},
                                           {"waypoint", "\"allowed\""},
                                           {"default", "false"},
                                           {"reason", "\"\""},
                                           {NULL, NULL}};

static bool read_change(json_t *body, struct change *change, struct error *err)
{
    json_t *waypoint = NULL, *withdrawn = NULL, *is_default = NULL;
    if (!body_unpack(body, err, "{s?o, s?o, s?o, s?s}", "withdrawn", &withdrawn, "waypoint", &waypoint,
                     "default", &is_default, "reason", &change->reason))
        return false;
    if (withdrawn && !json_is_boolean(withdrawn))
        return error_set(err, ERROR_INVALID, "withdrawn must be true or false");
    if (is_default && !json_is_boolean(is_default))
        return error_set(err, ERROR_INVALID, "default must be true or false");
    change->withdrawn = withdrawn;
    change->is_default = is_default;
    return (!waypoint || read_waypoint(waypoint, change, err)) && check_reason(change, err);
}

/* Changing */

static bool note_change(const struct change *change, enum ledger_kind kind, json_t *detail, struct db *db,
                        struct error *err)
{
    const struct event event = {
        .kind = kind, .product = change->product.product_key, .firmware = change->firmware.name};
    json_object_set_new(detail, "by", event_by(change->request));
    return event_add(db, &event, detail, err);
}

/* One row for each thing that the call changed. */
static bool note_changes(const struct change *change, struct db *db, struct error *err)
{
    const struct image *image = &change->image;
    if (json_is_true(change->withdrawn) &&
        !note_change(change, LEDGER_IMAGE_WITHDRAWN,
                     json_pack("{s:o*, s:o, s:o*, s:s}", "reason", event_text(change->reason), "sha256",
                               event_hash(&image->sha256), "variant", event_text(image->variant), "version",
                               image->version),
                     db, err))
        return false;
    if (json_is_false(change->withdrawn) &&
        !note_change(change, LEDGER_IMAGE_RESTORED,
                     json_pack("{s:o, s:o*, s:s}", "sha256", event_hash(&image->sha256), "variant",
                               event_text(image->variant), "version", image->version),
                     db, err))
        return false;
    if (change->dropped[0] &&
        !note_change(change, LEDGER_TARGET_DROPPED, json_pack("{s:s}", "before", change->dropped), db, err))
        return false;
    if (change->is_default &&
        !note_change(change, LEDGER_IMAGE_SET,
                     json_pack("{s:b, s:o, s:o*, s:s}", "default", (int)image->is_default, "sha256",
                               event_hash(&image->sha256), "variant", event_text(image->variant), "version",
                               image->version),
                     db, err))
        return false;
    return !change->sets_waypoint ||
           note_change(change, LEDGER_IMAGE_SET,
                       json_pack("{s:o*, s:o*, s:s, s:s}", "reason", event_text(image->waypoint_reason),
                                 "variant", event_text(image->variant), "version", image->version, "waypoint",
                                 enum_name(&waypoint_names, image->waypoint)),
                       db, err);
}

/* The version stays a target while devices can be led to another build of it. The version alone means the default. */
static bool stays_target(const struct image *image, struct db *db, bool *ret, struct error *err)
{
    *ret = false;
    return image->is_default || image_any_served(db, image->firmware_id, image->version, image->id, ret, err);
}

/* From now on no path leads to the image: it is not the target, and its queued packages are not made. */
static bool withdraw(struct change *change, struct db *db, struct error *err)
{
    struct firmware *firmware = &change->firmware;
    bool stays;
    if (!package_unqueue(db, &change->image.sha256, err) || !stays_target(&change->image, db, &stays, err))
        return false;
    if (stays)
        return true;
    if (!campaign_withdraw(db, firmware->id, change->image.version, clock_utc_ms(), err))
        return false;
    if (strcmp(firmware->target, change->image.version) != 0)
        return true;
    snprintf(change->dropped, sizeof change->dropped, "%s", change->image.version);
    return campaign_set_plain(db, firmware, "", "", "", clock_utc_ms(), err);
}

static bool set(void *cls, struct db *db, struct error *err)
{
    struct change *change = cls;
    struct image *image = &change->image;
    if (!path_params_named_image(change->request, db, &change->product, &change->firmware, image, err))
        return false;
    if (json_is_true(change->withdrawn)) {
        if (!image->withdrawn_ms)
            image->withdrawn_ms = clock_utc_ms();
        snprintf(image->withdrawn_reason, sizeof image->withdrawn_reason, "%s", change->reason);
    } else if (change->withdrawn) {
        image->withdrawn_ms = 0;
        image->withdrawn_reason[0] = '\0';
    }
    if (change->sets_waypoint) {
        image->waypoint = change->waypoint;
        bool marks = change->waypoint != WAYPOINT_ALLOWED;
        snprintf(image->waypoint_reason, sizeof image->waypoint_reason, "%s", marks ? change->reason : "");
    }
    if (change->is_default && !image_set_default(db, image, json_is_true(change->is_default), err))
        return false;
    return image_update(db, image, err) && (!json_is_true(change->withdrawn) || withdraw(change, db, err)) &&
           note_changes(change, db, err);
}

static void log_change(const struct change *change)
{
    const char *product = change->product.product_key, *firmware = change->firmware.name;
    const char *version = change->image.version;
    if (json_is_true(change->withdrawn))
        log_line(LOG_LEVEL_INFO, "image-withdrawn", "product", product, "firmware", firmware, "version",
                 version, "reason", change->reason, NULL);
    else if (change->withdrawn)
        log_line(LOG_LEVEL_INFO, "image-restored", "product", product, "firmware", firmware, "version",
                 version, NULL);
    if (change->dropped[0])
        log_line(LOG_LEVEL_WARN, "target-dropped", "product", product, "firmware", firmware, "version",
                 version, "reason", "the image was withdrawn", NULL);
    if (change->sets_waypoint)
        log_line(LOG_LEVEL_INFO, "waypoint-set", "product", product, "firmware", firmware, "version", version,
                 "waypoint", enum_name(&waypoint_names, change->waypoint), "reason",
                 change->image.waypoint_reason, NULL);
}

bool admin_image_set(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct change change = {.request = call->request, .reason = ""};
    if (!body_patch(call, fields, &body, err) || !read_change(body, &change, err))
        return false;
    if (!json_object_size(body))
        return admin_image_show(call, err);
    if (!call_change(call, set, &change, err))
        return false;
    log_change(&change);
    if (json_is_false(change.withdrawn) || change.is_default)
        prebuild_add(call->daemon->prebuild, change.firmware.id,
                     json_is_false(change.is_default) ? 0 : change.image.id);
    return admin_image_answer(call, &change.firmware, &change.image, err);
}

/* Deleting */

struct removal {
    const struct request *request;
    const struct config *config;
    struct product product;
    struct firmware firmware;
    struct image image;
    struct sha256 *packages; /* packages made from or to it, which are removed with it */
    size_t package_count;
};

#define USES_SIZE 400

/* If the count is not 0, adds it to the text: "12 devices run it, 3 are on the way to it". */
static void say(char text[USES_SIZE], int64_t count, const char *one, const char *many)
{
    size_t used = strlen(text);
    if (!count)
        return;
    used += (size_t)snprintf(text + used, USES_SIZE - used, "%s", used ? ", " : "");
    if (count == 1)
        snprintf(text + used, USES_SIZE - used, "%s", one);
    else
        snprintf(text + used, USES_SIZE - used, "%lld %s", (long long)count, many);
}

/* Of devices whose build is not known. */
static void say_unclear(char text[USES_SIZE], const struct image_uses *uses)
{
    if (uses->builds == 1)
        say(text, uses->running + uses->unclear, "one device runs it", "devices run it");
    else
        say(text, uses->running, "one device runs it", "devices run it");
    if (uses->builds > 1)
        say(text, uses->unclear, "one device may run it, because its build is not known",
            "devices may run it, because their build is not known");
}

/* What is not known of a device counts for the default: then this build is free. */
static const char *way_out(const struct image_uses *uses)
{
    bool helps = uses->builds > 1 && !uses->running && (uses->unclear || uses->linked);
    return helps ? ". If they run another build, make that one the default first" : "";
}

static bool check_unused(const struct removal *removal, struct db *db, struct error *err)
{
    struct image_uses uses;
    char text[USES_SIZE] = "", name[BUILD_NAME_SIZE];
    _cleanup_(cleanup_free) struct campaign *campaigns = NULL;
    size_t leading;
    if (!image_count_uses(db, &removal->image, &uses, err) ||
        !campaign_list_leading(db, removal->firmware.id, removal->image.version, &campaigns, &leading, err))
        return false;
    if (uses.leads) {
        say(text, strcmp(removal->firmware.target, removal->image.version) == 0, "it is the target", "");
        say(text, (int64_t)leading, "a campaign leads to it", "campaigns lead to it");
    }
    say_unclear(text, &uses);
    say(text, uses.coming, "one is on the way to it", "are on the way to it");
    if (uses.builds > 1)
        say(text, uses.leaving, "one gets a package from it", "get a package from it");
    say(text, uses.linked, "one has a link from it and has not asked yet",
        "have a link from it and have not asked yet");
    if (!text[0])
        say(text, uses.generating > 0, "a package of it is being made now, try again later", "");
    image_build_name(&removal->image, name);
    return !text[0] ||
           error_set(err, ERROR_IMAGE_IN_USE, "version %s is in use: %s%s", name, text, way_out(&uses));
}

static bool note_removal(const struct removal *removal, struct db *db, struct error *err)
{
    const struct image *image = &removal->image;
    struct event event = {.kind = LEDGER_IMAGE_DELETED,
                          .product = removal->product.product_key,
                          .firmware = removal->firmware.name};
    if (!event_add(db, &event,
                   json_pack("{s:o, s:o, s:I, s:o*, s:s}", "by", event_by(removal->request), "sha256",
                             event_hash(&image->sha256), "size", (json_int_t)image->size_bytes, "variant",
                             event_text(image->variant), "version", image->version),
                   err))
        return false;
    event.kind = LEDGER_PACKAGE_FORGOTTEN;
    for (size_t i = 0; i < removal->package_count; i++) {
        event.package = &removal->packages[i];
        if (!event_add(db, &event, json_pack("{s:o}", "by", event_by(removal->request)), err))
            return false;
    }
    return true;
}

static bool take_out(void *cls, struct db *db, struct error *err)
{
    struct removal *removal = cls;
    return path_params_named_image(removal->request, db, &removal->product, &removal->firmware,
                                   &removal->image, err) &&
           check_unused(removal, db, err) && image_remove(db, &removal->image, err) &&
           firmware_limit_lower(removal->config, db, &removal->product, &removal->firmware, err) &&
           package_forget_image(db, &removal->image.sha256, &removal->packages, &removal->package_count,
                                err) &&
           note_removal(removal, db, err);
}

bool admin_image_remove(struct admin_call *call, struct error *err)
{
    struct removal removal = {.request = call->request, .config = call->daemon->config};
    struct log_number count;
    if (!call_change(call, take_out, &removal, err)) {
        free(removal.packages);
        return false;
    }
    log_line(LOG_LEVEL_INFO, "image-deleted", "product", removal.product.product_key, "firmware",
             removal.firmware.name, "version", removal.image.version, "packages",
             log_i64(&count, (long long)removal.package_count), NULL);
    blob_remove_unused(call->daemon->writer, call->daemon->blobs, &removal.image.sha256, 1);
    blob_remove_unused(call->daemon->writer, call->daemon->blobs, removal.packages, removal.package_count);
    free(removal.packages);
    reply_init(&call->reply, 204);
    return true;
}
