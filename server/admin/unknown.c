/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What devices sent and the server refused, each with advice. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/access.h"
#include "server/admin/handlers.h"
#include "server/admin/list_kinds.h"
#include "server/core/log.h"
#include "server/checkin/refused.h"
#include "storage/firmware.h"
#include "storage/image.h"
#include "storage/product.h"
#include "storage/unknown.h"
#include "upgrade/name_like.h"

#define ADVICE_SIZE 400

static bool advise_product(struct db *db, const struct unknown *row, char out[ADVICE_SIZE], struct error *err)
{
    _cleanup_(cleanup_free) struct product *list = NULL;
    size_t count;
    if (!product_list(db, &list, &count, err))
        return false;
    const char *like = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].product_key, row->text) == 0) {
            snprintf(out, ADVICE_SIZE, "a product with this key exists now: forget this row");
            return true;
        }
        if (name_is_like(row->text, list[i].product_key))
            like = list[i].product_key;
    }
    if (!row->text[0])
        snprintf(out, ADVICE_SIZE, "the devices send no project_key: set it in their application");
    else if (like)
        snprintf(out, ADVICE_SIZE,
                 "did you mean product key %s? Correct it in the devices, or add a product with this key",
                 like);
    else
        snprintf(out, ADVICE_SIZE,
                 "if these are your devices, add the product: dfotactl product add NAME --key KEY");
    return true;
}

static bool advise_firmware(struct db *db, const struct unknown *row, const struct product *product,
                            char out[ADVICE_SIZE], struct error *err)
{
    _cleanup_(cleanup_free) struct firmware *list = NULL;
    struct full_name full;
    struct error ignored;
    const char *like = NULL;
    size_t count;
    if (!firmware_list(db, product->id, &list, &count, err))
        return false;
    bool is_full = name_parse_full(slice_of(row->text), &full, &ignored);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].name, row->text) == 0) {
            snprintf(out, ADVICE_SIZE, "this firmware exists now: forget this row");
            return true;
        }
        if (name_is_like(row->text, list[i].name) || (is_full && strcmp(full.firmware, list[i].name) == 0))
            like = list[i].name;
    }
    if (!row->text[0])
        snprintf(out, ADVICE_SIZE, "the devices send no usable firmware_name: set it in their application");
    else if (like)
        snprintf(
            out, ADVICE_SIZE,
            "devices ask for firmware %s: did you mean %s? Correct it in the devices, or upload an image "
            "under this name",
            row->text, like);
    else if (row->code == 17)
        snprintf(
            out, ADVICE_SIZE,
            "another product has this firmware: correct the devices' project_key, or upload an image of it "
            "to this product");
    else
        snprintf(
            out, ADVICE_SIZE,
            "upload an image of firmware %s: dfotactl image upload FILE --firmware NAME --version VERSION",
            row->text);
    return true;
}

static bool advise_version(struct db *db, const struct unknown *row, const struct product *product,
                           char out[ADVICE_SIZE], struct error *err)
{
    struct firmware firmware;
    struct version version;
    struct image image;
    char builds[BUILDS_SIZE];
    size_t count = 0;
    bool found = false;
    if (!row->text[0]) {
        snprintf(out, ADVICE_SIZE, "the devices send no version: set VERSION in their application");
        return true;
    }
    if (!version_parse(slice_of(row->text), &version)) {
        snprintf(
            out, ADVICE_SIZE,
            "this is not a version: the devices must send numbers between dots, such as 1138 or 1103.1.2");
        return true;
    }
    if (!firmware_find(db, product->id, row->firmware, &firmware, &found, err) ||
        (found && (!image_builds(db, firmware.id, row->text, builds, &count, err) ||
                   !image_find(db, firmware.id, row->text, &image, &found, err))))
        return false;
    if (count > 1 || (found && !image_is_full(&image)))
        snprintf(out, ADVICE_SIZE, "an image of V%s exists now: forget this row", row->text);
    else
        snprintf(out, ADVICE_SIZE, "upload %s V%s of %s, which these devices run%s",
                 found ? "the full image" : "image", row->text, row->firmware,
                 found ? ": the server has only a full package, and no delta can be made from it" : "");
    return true;
}

static bool advise(struct db *db, const struct unknown *row, char out[ADVICE_SIZE], struct error *err)
{
    struct product product = {.id = 0};
    bool found;
    out[0] = '\0';
    if (row->code == 400) {
        snprintf(out, ADVICE_SIZE,
                 "the query cannot be read: the devices must send percent-encoded UTF-8 here");
        return true;
    }
    if (row->kind == UNKNOWN_PRODUCT)
        return advise_product(db, row, out, err);
    if (!product_find(db, row->product, &product, &found, err))
        return false;
    if (row->kind == UNKNOWN_FIRMWARE)
        return advise_firmware(db, row, &product, out, err);
    if (row->kind == UNKNOWN_VERSION)
        return advise_version(db, row, &product, out, err);
    if (row->code == 25) {
        snprintf(
            out, ADVICE_SIZE, "%s",
            product.device_secret == DEVICE_SECRET_REQUIRED
                ? "the product demands a secret, and this device showed none, or one that is not its own: give it "
                  "its URL with /t/SECRET"
                : "this device showed a secret that is not its own: see dfotactl secret list");
        return true;
    }
    snprintf(out, ADVICE_SIZE, "%s",
             row->text[0] ? "this id is blank or malformed: the devices must send imei, mac or uid, "
                            "and an id must be programmed into modules that have none"
                          : "the devices send no imei, mac or uid");
    return true;
}

static json_t *to_json(const struct unknown *row, const char *advice)
{
    struct slice rest = slice_of(row->devices), first = {"", 0};
    unsigned devices = unknown_device_count(row);
    int64_t now_ms = clock_utc_ms();
    slice_split(&rest, ' ', &first);
    return json_pack("{s:I, s:o, s:s, s:o, s:s, s:I, s:I, s:i, s:b, s:o, s:I, s:I, s:s}", "unknown",
                     (json_int_t)row->id, "product", field_text(row->product), "kind",
                     enum_name(&unknown_kind_names, row->kind), "firmware", field_text(row->firmware), "text",
                     row->text, "code", (json_int_t)row->code, "count", (json_int_t)row->count, "devices",
                     (int)devices, "devices_or_more", devices == UNKNOWN_DEVICES_MAX, "device",
                     first.len ? json_stringn(first.ptr, first.len) : json_null(), "first_at",
                     (json_int_t)clock_clamp(row->first_ms, now_ms), "last_at",
                     (json_int_t)clock_clamp(row->last_ms, now_ms), "do", advice);
}

bool admin_unknown_list(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) struct unknown *list = NULL;
    _cleanup_(cleanup_json) json_t *items = json_array();
    char product[PRODUCT_KEY_SIZE], ignored[PRODUCT_KEY_SIZE];
    size_t count;
    bool named;
    refused_hurry(call->daemon->refused);
    call_store_counts(call);
    if (!request_query(call->request, "product", ignored, sizeof ignored, &named, err) ||
        !access_product(call->request, product, err) ||
        !unknown_list(call->db, named || product[0] ? product : NULL, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        char advice[ADVICE_SIZE];
        if (!advise(call->db, &list[i], advice, err))
            return false;
        json_array_append_new(items, to_json(&list[i], advice));
    }
    return list_answer(call, &list_unknown, json_incref(items), err);
}

struct forgetting {
    int64_t id;
};

static bool forget(void *cls, struct db *db, struct error *err)
{
    const struct forgetting *forgetting = cls;
    return unknown_remove(db, forgetting->id, err);
}

static bool run_forget(struct admin_call *call, int64_t id, struct error *err)
{
    struct forgetting forgetting = {id};
    struct log_number number;
    refused_hurry(call->daemon->refused); /* the counts that are still in memory are removed too */
    call_store_counts(call);
    if (!call_change(call, forget, &forgetting, err))
        return false;
    log_line(LOG_LEVEL_INFO, "unknown-forgotten", "unknown", id ? log_i64(&number, id) : "all", NULL);
    reply_init(&call->reply, 204);
    return true;
}

bool admin_unknown_forget(struct admin_call *call, struct error *err)
{
    char text[24];
    uint64_t id;
    if (!request_param(call->request, 0, text, sizeof text, err))
        return false;
    if (!slice_u64(slice_of(text), &id) || id == 0 || id > INT64_MAX)
        return error_set(err, ERROR_NOT_FOUND, "the list has no row %s", text);
    return run_forget(call, (int64_t)id, err);
}

bool admin_unknown_forget_all(struct admin_call *call, struct error *err)
{
    return run_forget(call, 0, err);
}
