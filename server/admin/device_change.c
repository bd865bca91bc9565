/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Changes of one device by an admin: tags and note, held out of campaigns, retired or active, admitted, deleted. */
#include "server/admin/device_change.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/body.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "server/campaign/place.h"
#include "server/core/log.h"
#include "server/ledger/event.h"
#include "storage/removal.h"

struct change {
    struct admin_call *call;
    const json_t *tags, *add, *remove, *note, *held_out, *variant; /* NULL: left as it is */
    struct product product;
    struct device device;
};

static bool find(struct change *change, struct db *db, struct error *err)
{
    return path_params_device(change->call->request, db, &change->product, &change->device, err);
}

/* Takes over `detail`, and adds who made the change. */
static bool record(const struct change *change, struct db *db, enum ledger_kind kind, json_t *detail,
                   struct error *err)
{
    const struct event event = {
        .kind = kind, .product = change->product.product_key, .device = &change->device};
    json_object_set_new(detail, "by", event_by(change->call->request));
    return event_add(db, &event, detail, err);
}

static bool run(struct change *change, writer_function *function, const char *log_event, struct error *err)
{
    if (!call_change(change->call, function, change, err))
        return false;
    log_line(LOG_LEVEL_INFO, log_event, "product", change->product.product_key, "device",
             change->device.device, NULL);
    return true;
}

static bool run_and_show(struct change *change, writer_function *function, const char *log_event,
                         struct error *err)
{
    return run(change, function, log_event, err) && admin_device_answer(change->call, &change->device, err);
}

/* Tags and note */

static bool check_tags(const char *name, const json_t *list, struct error *err)
{
    size_t i;
    json_t *tag;
    bool ok = !list || json_is_array(list);
    if (ok)
        json_array_foreach (list, i, tag)
            ok = ok && json_is_string(tag);
    return ok || error_set(err, ERROR_INVALID, "%s is a list of texts", name);
}

static struct slice text_of(const json_t *text)
{
    return (struct slice){json_string_value(text), json_string_length(text)};
}

static bool set_tags(const struct change *change, char tags[TAGS_SIZE], struct error *err)
{
    size_t i;
    json_t *tag;
    if (change->tags)
        tags[0] = '\0';
    json_array_foreach (change->tags, i, tag)
        if (!tags_add(tags, text_of(tag), err))
            return false;
    json_array_foreach (change->remove, i, tag)
        tags_remove(tags, text_of(tag));
    json_array_foreach (change->add, i, tag)
        if (!tags_add(tags, text_of(tag), err))
            return false;
    return true;
}

static bool end_attempt(struct db *db, int64_t device_id, bool beside, bool delivered, int64_t now_ms,
                        struct error *err)
{
    struct attempt attempt;
    bool found;
    if (!attempt_open_of(db, device_id, beside, &attempt, &found, err))
        return false;
    enum attempt_state before = found ? attempt.state : ATTEMPT_ABANDONED;
    if (!found || (!delivered && attempt.delivered_ms) || !attempt_apply(&attempt.state, EVENT_SUPERSEDE) ||
        attempt_is_open(attempt.state))
        return true;
    attempt.ended_ms = now_ms;
    return attempt_update(db, &attempt, err) &&
           event_attempt_ended(db, &attempt, before, EVENT_SUPERSEDE, now_ms, err);
}

/* A device that is held out gets nothing more. Whether it applied what it has got is still of interest. */
static bool hold_out(struct db *db, const struct device *before, const struct device *device,
                     struct error *err)
{
    int64_t now_ms = clock_utc_ms();
    if (!before->held_out_ms == !device->held_out_ms)
        return true;
    return campaign_device_changed(db, device->id, now_ms, err) &&
           (!device->held_out_ms || (end_attempt(db, device->id, false, false, now_ms, err) &&
                                     end_attempt(db, device->id, true, false, now_ms, err)));
}

/* An admin knows which build of its confirmed version the device runs; null: nobody knows. */
static bool set_build(const struct change *change, struct db *db, struct device *device, struct error *err)
{
    struct image image = {.id = 0};
    if (!change->variant)
        return true;
    if (json_is_string(change->variant) && !device->confirmed_version[0])
        return error_set(err, ERROR_INVALID,
                         "no version of the device is confirmed: report its version first");
    if (json_is_string(change->variant) &&
        !image_get_build(db, device->firmware_id, device->confirmed_version,
                         json_string_value(change->variant), &image, err)) {
        if (err->code == ERROR_IMAGE_NOT_FOUND)
            err->code = ERROR_INVALID;
        return false;
    }
    device->build = image.sha256;
    return true;
}

static bool set(void *cls, struct db *db, struct error *err)
{
    struct change *change = cls;
    struct device *device = &change->device;
    if (!find(change, db, err))
        return false;
    const struct device before = *device;
    if (!set_tags(change, device->tags, err) || !set_build(change, db, device, err))
        return false;
    if (change->note)
        snprintf(device->note, sizeof device->note, "%s",
                 json_is_string(change->note) ? json_string_value(change->note) : "");
    if (change->held_out && json_is_true(change->held_out) != (device->held_out_ms != 0))
        device->held_out_ms = json_is_true(change->held_out) ? clock_utc_ms() : 0;
    if (device_equal(&before, device))
        return true;
    return device_update(db, device, err) && hold_out(db, &before, device, err) &&
           record(change, db, LEDGER_DEVICE_SET,
                  json_pack("{s:o*, s:b, s:o*, s:s}", "build_sha256",
                            sha256_is_zero(&device->build) ? NULL : event_hash(&device->build), "held_out",
                            device->held_out_ms != 0, "note", event_text(device->note), "tags", device->tags),
                  err);
}

static const struct body_field fields[] = {{"tags", "[]"},   {"add_tags", "[]"},    {"remove_tags", "[]"},
                                           {"note", "null"}, {"held_out", "false"}, {"variant", "null"},
                                           {NULL, NULL}};

bool admin_device_set(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct change change = {.call = call};
    json_t *tags = NULL, *add = NULL, *remove = NULL, *note = NULL, *held_out = NULL, *variant = NULL;
    if (!body_patch(call, fields, &body, err))
        return false;
    if (!body_unpack(body, err, "{s?o, s?o, s?o, s?o, s?o, s?o}", "tags", &tags, "add_tags", &add,
                     "remove_tags", &remove, "note", &note, "held_out", &held_out, "variant", &variant))
        return false;
    if (!check_tags("tags", tags, err) || !check_tags("add_tags", add, err) ||
        !check_tags("remove_tags", remove, err))
        return false;
    if (note && !json_is_null(note) && !json_is_string(note))
        return error_set(err, ERROR_INVALID, "note is a text, or null");
    if (json_string_length(note) && !call_check_text("note", json_string_value(note), NOTE_SIZE - 1, err))
        return false;
    if (held_out && !json_is_boolean(held_out))
        return error_set(err, ERROR_INVALID, "held_out is true or false");
    if (variant && !json_is_null(variant) && !json_is_string(variant))
        return error_set(err, ERROR_INVALID, "variant is a text, or null");
    if (!json_object_size(body))
        return admin_device_show(call, err);
    change.tags = tags;
    change.add = add;
    change.remove = remove;
    change.note = note;
    change.held_out = held_out;
    change.variant = variant;
    return run_and_show(&change, set, "device-set", err);
}

/* Retired or active */

bool device_retire(struct db *db, struct device *device, int64_t successor, int64_t now_ms, struct error *err)
{
    device->state = DEVICE_RETIRED;
    device->state_ms = now_ms;
    device->replaced_by = successor;
    return device_update(db, device, err) && campaign_device_changed(db, device->id, now_ms, err) &&
           end_attempt(db, device->id, false, true, now_ms, err) &&
           end_attempt(db, device->id, true, true, now_ms, err);
}

void device_make_active(struct device *device)
{
    device->state = DEVICE_ACTIVE;
    device->state_ms = device->replaced_by = 0;
}

static bool retire(void *cls, struct db *db, struct error *err)
{
    struct change *change = cls;
    if (!find(change, db, err))
        return false;
    if (change->device.state == DEVICE_RETIRED)
        return true;
    return device_retire(db, &change->device, 0, clock_utc_ms(), err) &&
           record(change, db, LEDGER_DEVICE_RETIRED, json_object(), err);
}

bool admin_device_retire(struct admin_call *call, struct error *err)
{
    struct change change = {.call = call};
    return run_and_show(&change, retire, "device-retired", err);
}

static bool activate(struct change *change, struct db *db, enum device_state from, enum ledger_kind kind,
                     struct error *err)
{
    if (!find(change, db, err))
        return false;
    if (change->device.state != from)
        return true;
    device_make_active(&change->device);
    return device_update(db, &change->device, err) &&
           campaign_device_changed(db, change->device.id, clock_utc_ms(), err) &&
           record(change, db, kind, json_object(), err);
}

static bool restore(void *cls, struct db *db, struct error *err)
{
    return activate(cls, db, DEVICE_RETIRED, LEDGER_DEVICE_RESTORED, err);
}

bool admin_device_restore(struct admin_call *call, struct error *err)
{
    struct change change = {.call = call};
    return run_and_show(&change, restore, "device-restored", err);
}

static bool admit(void *cls, struct db *db, struct error *err)
{
    return activate(cls, db, DEVICE_HELD, LEDGER_DEVICE_ADMITTED, err);
}

bool admin_device_admit(struct admin_call *call, struct error *err)
{
    struct change change = {.call = call};
    return run_and_show(&change, admit, "device-admitted", err);
}

/* Deleted */

static bool check_unused(const struct device *device, const struct device_uses *uses, struct error *err)
{
    if (device->first_seen_ms || device->check_ins)
        return error_set(err, ERROR_DEVICE_IN_USE, "the device %s has checked in: retire it instead",
                         device->device);
    if (device->confirmed_version[0] || device->claim.version[0] || uses->transcripts)
        return error_set(err, ERROR_DEVICE_IN_USE,
                         "a version of the device %s was reported: retire it instead", device->device);
    if (uses->attempts)
        return error_set(err, ERROR_DEVICE_IN_USE, "the device %s has %lld attempts: retire it instead",
                         device->device, (long long)uses->attempts);
    return !uses->replaces ||
           error_set(err, ERROR_DEVICE_IN_USE, "the device %s replaced another one: retire it instead",
                     device->device);
}

static bool delete (void *cls, struct db *db, struct error *err)
{
    struct change *change = cls;
    struct device_uses uses;
    return find(change, db, err) && removal_device_uses(db, change->device.id, &uses, err) &&
           check_unused(&change->device, &uses, err) &&
           record(change, db, LEDGER_DEVICE_DELETED, json_object(), err) &&
           campaign_device_forget(db, change->device.id, clock_utc_ms(), err) &&
           removal_device(db, change->device.id, err);
}

bool admin_device_delete(struct admin_call *call, struct error *err)
{
    struct change change = {.call = call};
    call_store_counts(call);
    if (!run(&change, delete, "device-deleted", err))
        return false;
    reply_init(&call->reply, 204);
    return true;
}
