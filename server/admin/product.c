/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/product.h"

#include <openssl/rand.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "server/core/log.h"
#include "server/admin/event_by.h"
#include "server/ledger/event.h"

#define MADE_KEY_LENGTH 32 /* like the vendor's: 190 random bits cannot be guessed */

static json_t *to_json(const struct product *product)
{
    return json_pack("{s:s, s:o, s:I, s:b}", "product_key", product->product_key, "name",
                     field_text(product->name), "created_at", (json_int_t)product->created_ms,
                     "trusted_check_ins", product->check_ins_trusted_ms != 0);
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
    json_error_t why;
    if (!call_body(call, &body, err))
        return false;
    if (json_unpack_ex(body, &why, 0, "{s:s, s?s !}", "name", &name, "product_key", &key) != 0)
        return call_misfit(&why, err);
    if (!name[0] || !slice_is_clean_utf8(slice_of(name)) ||
        !slice_copy(slice_of(name), product->name, sizeof product->name))
        return error_set(err, ERROR_BAD_NAME,
                         "the name of a product must be 1 to %d bytes without control characters",
                         PRODUCT_NAME_SIZE - 1);
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
        json_array_append_new(items, to_json(&list[i]));
    call_answer_items(call, items);
    return true;
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
    int trusted;
};

static bool set(void *cls, struct db *db, struct error *err)
{
    struct setting *setting = cls;
    struct product *product = &setting->product;
    if (!path_params_product(setting->request, db, product, err))
        return false;
    if ((product->check_ins_trusted_ms != 0) == (setting->trusted != 0))
        return true; /* unchanged: the time since when they are trusted stays too */
    const struct event event = {.kind = LEDGER_PRODUCT_SET, .product = product->product_key};
    return (setting->trusted ? product_trust(db, product, clock_utc_ms(), err)
                             : product_distrust(db, product, err)) &&
           event_add(db, &event,
                     json_pack("{s:o, s:b}", "by", event_by(setting->request), "trusted_check_ins",
                               setting->trusted),
                     err);
}

bool admin_product_set(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct setting setting = {.request = call->request};
    json_error_t why;
    if (!call_body(call, &body, err))
        return false;
    if (json_unpack_ex(body, &why, 0, "{s:b !}", "trusted_check_ins", &setting.trusted) != 0)
        return call_misfit(&why, err);
    if (!call_change(call, set, &setting, err))
        return false;
    log_line(LOG_LEVEL_INFO, "product-set", "product", setting.product.product_key, "trusted_check_ins",
             setting.trusted ? "yes" : "no", NULL);
    reply_json(&call->reply, 200, to_json(&setting.product));
    return true;
}
