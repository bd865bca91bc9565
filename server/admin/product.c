/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/product.h"

#include <openssl/rand.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/access.h"
#include "server/admin/body.h"
#include "server/admin/handlers.h"
#include "server/admin/list_kinds.h"
#include "server/admin/path_params.h"
#include "server/core/log.h"
#include "server/admin/event_by.h"
#include "server/ledger/event.h"

#define MADE_KEY_LENGTH 32 /* like the vendor's: 190 random bits cannot be guessed */

static json_t *to_json(const struct product *product)
{
    return json_pack("{s:s, s:o, s:I, s:b, s:s, s:s}", "product_key", product->product_key, "name",
                     field_text(product->name), "created_at", (json_int_t)product->created_ms,
                     "trusted_check_ins", product->check_ins_trusted_ms != 0, "unknown_devices",
                     enum_name(&unknown_devices_names, product->unknown_devices), "device_secret",
                     enum_name(&device_secret_names, product->device_secret));
}

static bool make_key(char out[PRODUCT_KEY_SIZE], struct error *err)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    /* larger bytes are skipped: they would make the first digits more likely */
    const unsigned char fair = 4 * (sizeof digits - 1);
    for (size_t i = 0; i < MADE_KEY_LENGTH;) {
        unsigned char random;
        if (RAND_bytes(&random, 1) != 1)
            return error_set(err, ERROR_INTERNAL, "cannot get random numbers for a product key");
        if (random < fair)
            out[i++] = digits[random % (sizeof digits - 1)];
    }
    out[MADE_KEY_LENGTH] = '\0';
    return true;
}

static bool set_name(struct product *product, const char *name, struct error *err)
{
    return (name[0] && slice_is_clean_utf8(slice_of(name)) &&
            slice_copy(slice_of(name), product->name, sizeof product->name)) ||
           error_set(err, ERROR_BAD_NAME,
                     "the name of a product must be 1 to %d bytes without control characters",
                     PRODUCT_NAME_SIZE - 1);
}

struct addition {
    const struct request *request;
    struct product product;
};

static bool add(void *cls, struct db *db, struct error *err)
{
    struct addition *addition = cls;
    const struct product *product = &addition->product;
    const struct event event = {
        .kind = LEDGER_PRODUCT_ADDED, .at_ms = product->created_ms, .product = product->product_key};
    return product_add(db, &addition->product, err) &&
           event_add(
               db, &event,
               json_pack("{s:o, s:o*}", "by", event_by(addition->request), "name", event_text(product->name)),
               err);
}

bool admin_product_add(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct addition addition = {.request = call->request, .product.created_ms = clock_utc_ms()};
    struct product *product = &addition.product;
    const char *name, *key = NULL;
    if (!call_body(call, &body, err))
        return false;
    if (!body_unpack(body, err, "{s:s, s?s}", "name", &name, "product_key", &key))
        return false;
    if (!set_name(product, name, err))
        return false;
    if (!key && !make_key(product->product_key, err))
        return false;
    if (key && (!name_is_product_key(slice_of(key)) ||
                !slice_copy(slice_of(key), product->product_key, sizeof product->product_key)))
        return error_set(err, ERROR_BAD_NAME,
                         "a product key must be 1 to 64 characters of A-Z a-z 0-9 . _ -");
    if (!call_change(call, add, &addition, err))
        return false;
    log_line(LOG_LEVEL_INFO, "product-added", "product", product->product_key, "name", product->name, NULL);
    reply_json(&call->reply, 201, to_json(product));
    LOCATE(call, "products", product->product_key);
    return true;
}

bool admin_product_list(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) struct product *list = NULL;
    size_t count;
    if (!product_list(call->db, &list, &count, err))
        return false;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        if (access_sees(call->request, list[i].product_key))
            json_array_append_new(items, to_json(&list[i]));
    return list_answer(call, &list_products, items, err);
}

bool admin_product_show(struct admin_call *call, struct error *err)
{
    struct product product;
    if (!path_params_product(call->request, call->db, &product, err))
        return false;
    reply_json(&call->reply, 200, to_json(&product));
    return true;
}

/* Settings */

struct setting {
    const struct request *request;
    struct product product;
    const json_t *trusted;        /* NULL: left as it is */
    const char *name, *unknown;   /* NULL: left as it is */
    enum unknown_devices policy;  /* of `unknown` */
    const char *secret;           /* NULL: left as it is */
    enum device_secret_rule rule; /* of `secret` */
};

/* Since when check-ins are trusted stays, when they are trusted already. */
static bool set_trust(struct db *db, struct product *product, const json_t *trusted, struct error *err)
{
    if (!trusted || json_is_true(trusted) == (product->check_ins_trusted_ms != 0))
        return true;
    return json_is_true(trusted) ? product_trust(db, product, clock_utc_ms(), err)
                                 : product_distrust(db, product, err);
}

/* The row has the settings that were changed. */
static bool set(void *cls, struct db *db, struct error *err)
{
    struct setting *setting = cls;
    struct product *product = &setting->product;
    if (!path_params_product(setting->request, db, product, err))
        return false;
    const struct product before = *product;
    if (!set_trust(db, product, setting->trusted, err) ||
        (setting->name && !set_name(product, setting->name, err)))
        return false;
    if (setting->unknown)
        product->unknown_devices = setting->policy;
    if (setting->secret)
        product->device_secret = setting->rule;
    bool trust = !before.check_ins_trusted_ms != !product->check_ins_trusted_ms;
    bool name = strcmp(before.name, product->name) != 0;
    bool unknown = before.unknown_devices != product->unknown_devices;
    bool secret = before.device_secret != product->device_secret;
    if (!trust && !name && !unknown && !secret)
        return true;
    json_t *detail =
        json_pack("{s:o, s:o*, s:o*, s:o*, s:o*}", "by", event_by(setting->request), "device_secret",
                  secret ? json_string(enum_name(&device_secret_names, product->device_secret)) : NULL,
                  "name", name ? event_text(product->name) : NULL, "trusted_check_ins",
                  trust ? json_boolean(product->check_ins_trusted_ms != 0) : NULL, "unknown_devices",
                  unknown ? json_string(enum_name(&unknown_devices_names, product->unknown_devices)) : NULL);
    const struct event event = {.kind = LEDGER_PRODUCT_SET, .product = product->product_key};
    return product_update(db, product, err) && event_add(db, &event, detail, err);
}

static const struct body_field fields[] = {{"name", NULL},
                                           {"trusted_check_ins", "false"},
                                           {"unknown_devices", "\"admitted\""},
                                           {"device_secret", "\"optional\""},
                                           {NULL, NULL}};

static bool read_setting(struct setting *setting, const json_t *body, struct error *err)
{
    unsigned policy = UNKNOWN_DEVICES_ADMITTED, rule = DEVICE_SECRET_OPTIONAL;
    json_t *trusted = NULL;
    if (!body_unpack(body, err, "{s?o, s?s, s?s, s?s}", "trusted_check_ins", &trusted, "name", &setting->name,
                     "unknown_devices", &setting->unknown, "device_secret", &setting->secret))
        return false;
    if (trusted && !json_is_boolean(trusted))
        return error_set(err, ERROR_INVALID, "trusted_check_ins is true or false");
    if (setting->unknown && !enum_find(&unknown_devices_names, slice_of(setting->unknown), &policy))
        return error_set(err, ERROR_INVALID, "unknown_devices is admitted, held or refused");
    if (setting->secret && !enum_find(&device_secret_names, slice_of(setting->secret), &rule))
        return error_set(err, ERROR_INVALID, "device_secret is optional or required");
    setting->trusted = trusted;
    setting->rule = (enum device_secret_rule)rule;
    setting->policy = (enum unknown_devices)policy;
    return true;
}

bool admin_product_set(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct setting setting = {.request = call->request};
    const struct product *product = &setting.product;
    if (!body_patch(call, fields, &body, err) || !read_setting(&setting, body, err))
        return false;
    if (!json_object_size(body))
        return admin_product_show(call, err);
    if (!call_change(call, set, &setting, err))
        return false;
    log_line(LOG_LEVEL_INFO, "product-set", "product", product->product_key, "name", product->name,
             "trusted_check_ins", product->check_ins_trusted_ms ? "yes" : "no", "unknown_devices",
             enum_name(&unknown_devices_names, product->unknown_devices), "device_secret",
             enum_name(&device_secret_names, product->device_secret), NULL);
    reply_json(&call->reply, 200, to_json(product));
    return true;
}
