/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Secrets of devices: made, listed, rotated and revoked. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/access.h"
#include "server/admin/body.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/admin/list_kinds.h"
#include "server/admin/path_params.h"
#include "server/core/log.h"
#include "server/ledger/event.h"
#include "storage/device_secret.h"

#define OVERLAP_MS     (30 * DAY_MS)
#define OVERLAP_MAX_MS (366 * DAY_MS)

static const char *state_of(const struct device_secret *secret, int64_t now_ms)
{
    return secret->revoked_ms                        ? "revoked"
           : !device_secret_is_valid(secret, now_ms) ? "ended"
           : secret->ends_ms                         ? "ending"
                                                     : "valid";
}

static json_t *to_json(const struct device_secret_row *row, bool is_open)
{
    const struct device_secret *secret = &row->secret;
    char device[IDENTITY_SIZE + 8] = "", path[DEVICE_SECRET_SIZE + 4];
    int64_t now_ms = clock_utc_ms();
    if (secret->device_id)
        snprintf(device, sizeof device, "%s:%s", row->id_kind, row->device);
    snprintf(path, sizeof path, "/t/%s", secret->value);
    json_t *json =
        json_pack("{s:I, s:s, s:o, s:o, s:o, s:s, s:I, s:o, s:o, s:I, s:o}", "secret", (json_int_t)secret->id,
                  "of", secret->device_id ? "device" : "product", "device", field_text(device), "value",
                  field_text(is_open ? secret->value : ""), "path", field_text(is_open ? path : ""), "state",
                  state_of(secret, now_ms), "created_at", (json_int_t)secret->created_ms, "ends_at",
                  field_number(secret->ends_ms), "revoked_at", field_number(secret->revoked_ms), "devices",
                  (json_int_t)row->devices, "used_at", field_number(clock_clamp(row->used_ms, now_ms)));
    explicit_bzero(path, sizeof path);
    return json;
}

/* ---- Lists ---- */

static bool answer_list(struct admin_call *call, int64_t product_id, int64_t device_id, struct error *err)
{
    _cleanup_(cleanup_free) struct device_secret_row *list = NULL;
    size_t count;
    if (!device_secret_list(call->db, product_id, device_id, &list, &count, err))
        return false;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, to_json(&list[i], access_sees_links(call->request)));
    if (!list_answer(call, &list_secrets, items, err))
        return false;
    reply_header(&call->reply, "Cache-Control", "no-store");
    return true;
}

bool admin_secret_list(struct admin_call *call, struct error *err)
{
    struct product product;
    return path_params_product(call->request, call->db, &product, err) &&
           answer_list(call, product.id, 0, err);
}

bool admin_secret_list_device(struct admin_call *call, struct error *err)
{
    struct product product;
    struct device device;
    return path_params_device(call->request, call->db, &product, &device, err) &&
           answer_list(call, product.id, device.id, err);
}

static bool read_id(const struct request *request, uint64_t *ret, struct error *err)
{
    return (slice_u64(request->param[1], ret) && *ret <= INT64_MAX) ||
           error_set(err, ERROR_SECRET_NOT_FOUND, "a secret has a number: see GET …/secrets");
}

bool admin_secret_show(struct admin_call *call, struct error *err)
{
    struct product product;
    struct device_secret_row row;
    uint64_t id;
    if (!path_params_product(call->request, call->db, &product, err) || !read_id(call->request, &id, err) ||
        !device_secret_show(call->db, product.id, (int64_t)id, &row, err))
        return false;
    reply_json(&call->reply, 200, to_json(&row, access_sees_links(call->request)));
    reply_header(&call->reply, "Cache-Control", "no-store");
    explicit_bzero(&row.secret, sizeof row.secret);
    return true;
}

/* ---- Changes, in the writer's thread ---- */

struct change {
    struct admin_call *call;
    uint64_t id;
    int64_t overlap_ms;
    bool of_device;
    struct product product;
    struct device device;
    struct device_secret secret, old;
};

static bool note(struct db *db, const struct change *change, enum ledger_kind kind, struct error *err)
{
    const struct device_secret *secret = &change->secret;
    const struct event event = {.kind = kind,
                                .product = change->product.product_key,
                                .device = secret->device_id ? &change->device : NULL,
                                .by_admin = true};
    json_t *detail =
        json_pack("{s:o, s:I}", "by", event_by(change->call->request), "secret", (json_int_t)secret->id);
    if (kind == LEDGER_SECRET_ADDED || kind == LEDGER_SECRET_ROTATED)
        json_object_set_new(detail, "token", json_stringn(secret->value, DEVICE_SECRET_SHOWN));
    if (kind == LEDGER_SECRET_ROTATED) {
        json_object_set_new(detail, "old_secret", json_integer(change->old.id));
        json_object_set_new(detail, "old_until", json_integer(change->old.ends_ms));
    }
    return event_add(db, &event, detail, err);
}

static bool add(void *cls, struct db *db, struct error *err)
{
    struct change *change = cls;
    const struct request *request = change->call->request;
    if (!(change->of_device ? path_params_device(request, db, &change->product, &change->device, err)
                            : path_params_product(request, db, &change->product, err)))
        return false;
    change->secret.product_id = change->product.id;
    change->secret.device_id = change->of_device ? change->device.id : 0;
    return device_secret_add(db, &change->secret, err) && note(db, change, LEDGER_SECRET_ADDED, err);
}

/* The secret that the path names, which must still be valid. */
static bool get_valid(struct db *db, struct change *change, struct device_secret *ret, struct error *err)
{
    bool found = true;
    if (!path_params_product(change->call->request, db, &change->product, err) ||
        !device_secret_get(db, change->product.id, (int64_t)change->id, ret, err) ||
        (ret->device_id && !device_by_id(db, ret->device_id, &change->device, &found, err)))
        return false;
    return (found && device_secret_is_valid(ret, clock_utc_ms())) ||
           error_set(err, ERROR_SECRET_ENDED, "the secret %lld is not valid any more", (long long)ret->id);
}

static bool rotate(void *cls, struct db *db, struct error *err)
{
    struct change *change = cls;
    struct device_secret *old = &change->old, *fresh = &change->secret;
    if (!get_valid(db, change, old, err))
        return false;
    fresh->product_id = old->product_id;
    fresh->device_id = old->device_id;
    int64_t ends_ms = fresh->created_ms + change->overlap_ms;
    if (!old->ends_ms || ends_ms < old->ends_ms)
        old->ends_ms = ends_ms;
    return device_secret_end(db, old, err) && device_secret_add(db, fresh, err) &&
           note(db, change, LEDGER_SECRET_ROTATED, err);
}

static bool revoke_it(void *cls, struct db *db, struct error *err)
{
    struct change *change = cls;
    if (!get_valid(db, change, &change->secret, err))
        return false;
    change->secret.revoked_ms = clock_utc_ms();
    return device_secret_end(db, &change->secret, err) && note(db, change, LEDGER_SECRET_REVOKED, err);
}

/* ---- Handlers ---- */

static bool run(struct change *change, writer_function *what, const char *event, struct error *err)
{
    struct log_number number;
    if (!call_change(change->call, what, change, err))
        return false;
    log_line(LOG_LEVEL_INFO, event, "product", change->product.product_key, "device",
             change->secret.device_id ? change->device.device : NULL, "secret",
             log_i64(&number, change->secret.id), NULL);
    return true;
}

/* The value that the admin chose; without one a random one. */
static bool take_value(const char *value, struct device_secret *secret, struct error *err)
{
    if (!value)
        return device_secret_make(secret->value, err);
    return (device_secret_is_text(slice_of(value)) &&
            slice_copy(slice_of(value), secret->value, sizeof secret->value)) ||
           error_set(err, ERROR_INVALID, "a secret has %d to %d characters of A-Z a-z 0-9 . _ -",
                     DEVICE_SECRET_LEAST, DEVICE_SECRET_SIZE - 1);
}

static bool read_body(struct change *change, bool rotates, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    json_int_t overlap_ms = OVERLAP_MS;
    const char *value = NULL;
    if (change->call->request->body.len && !call_body(change->call, &body, err))
        return false;
    if (body &&
        !body_unpack(body, err, rotates ? "{s?s, s?I}" : "{s?s}", "value", &value, "overlap_ms", &overlap_ms))
        return false;
    if (overlap_ms < 0 || overlap_ms > OVERLAP_MAX_MS)
        return error_set(err, ERROR_INVALID, "overlap_ms is a number from 0 to %lld",
                         (long long)OVERLAP_MAX_MS);
    change->overlap_ms = overlap_ms;
    change->secret.created_ms = clock_utc_ms();
    return take_value(value, &change->secret, err);
}

/* Of a secret that was made. */
static void answer_with_value(struct change *change)
{
    char number[24];
    struct device_secret_row row = {.secret = change->secret};
    if (row.secret.device_id) {
        snprintf(row.id_kind, sizeof row.id_kind, "%s", identity_kind_name(change->device.id_kind));
        snprintf(row.device, sizeof row.device, "%s", change->device.device);
    }
    reply_json(&change->call->reply, 201, to_json(&row, true));
    reply_header(&change->call->reply, "Cache-Control", "no-store");
    snprintf(number, sizeof number, "%lld", (long long)row.secret.id);
    LOCATE(change->call, "products", change->product.product_key, "secrets", number);
    explicit_bzero(&row.secret, sizeof row.secret);
    explicit_bzero(&change->secret, sizeof change->secret);
}

static bool run_add(struct admin_call *call, bool of_device, struct error *err)
{
    struct change change = {.call = call, .of_device = of_device};
    if (!read_body(&change, false, err) || !run(&change, add, "secret-added", err))
        return false;
    answer_with_value(&change);
    return true;
}

bool admin_secret_add(struct admin_call *call, struct error *err)
{
    return run_add(call, false, err);
}

bool admin_secret_add_device(struct admin_call *call, struct error *err)
{
    return run_add(call, true, err);
}

bool admin_secret_rotate(struct admin_call *call, struct error *err)
{
    struct change change = {.call = call};
    if (!read_id(call->request, &change.id, err) || !read_body(&change, true, err) ||
        !run(&change, rotate, "secret-rotated", err))
        return false;
    answer_with_value(&change);
    return true;
}

bool admin_secret_revoke(struct admin_call *call, struct error *err)
{
    struct change change = {.call = call};
    if (!read_id(call->request, &change.id, err) || !run(&change, revoke_it, "secret-revoked", err))
        return false;
    reply_init(&call->reply, 204);
    return true;
}
