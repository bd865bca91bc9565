/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Webhooks: made, listed, changed and removed. The secret is never shown. */
#include "server/admin/webhook.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/access.h"
#include "server/admin/body.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/admin/list_kinds.h"
#include "server/core/log.h"
#include "server/ledger/event.h"
#include "server/webhook/body_template.h"
#include "server/webhook/post.h"
#include "server/webhook/sender.h"
#include "storage/product.h"

#define SECRET_LEAST 16

bool webhook_of_path(const struct request *request, struct db *db, struct webhook *ret, struct error *err)
{
    uint64_t id;
    if (!slice_u64(request->param[0], &id) || id > INT64_MAX)
        return error_set(err, ERROR_WEBHOOK_NOT_FOUND, "a webhook is a number");
    return webhook_get(db, (int64_t)id, ret, err);
}

static json_t *kinds_to_json(const struct webhook *webhook)
{
    json_t *kinds = json_array();
    struct slice rest = slice_of(webhook->kinds), kind;
    while (webhook->kinds[0] && slice_split(&rest, ' ', &kind))
        json_array_append_new(kinds, json_stringn(kind.ptr, kind.len));
    return kinds;
}

/* A URL may hold a secret, as those of chat robots do: other tokens than those of admins see only its host. */
static void show_url(const struct request *request, const struct webhook *webhook, char out[WEBHOOK_URL_SIZE])
{
    char host[WEBHOOK_URL_SIZE];
    if (request->actor.scope >= SCOPE_ADMIN) {
        memcpy(out, webhook->url, WEBHOOK_URL_SIZE);
        return;
    }
    post_host(webhook->url, host);
    snprintf(out, WEBHOOK_URL_SIZE, "%.*s/…", WEBHOOK_URL_SIZE - 8, host);
}

static json_t *to_json(const struct request *request, const struct webhook *webhook)
{
    char url[WEBHOOK_URL_SIZE];
    show_url(request, webhook, url);
    return json_pack("{s:I, s:o, s:s, s:o, s:o, s:b, s:o, s:b, s:I, s:I, s:I, s:I, s:o}", "webhook",
                     (json_int_t)webhook->id, "name", field_text(webhook->name), "url", url, "product",
                     field_text(webhook->product_key), "kinds", kinds_to_json(webhook), "signed",
                     webhook->secret[0] != '\0', "template",
                     request->actor.scope >= SCOPE_ADMIN ? field_text(webhook->template) : json_null(),
                     "enabled", webhook->enabled != 0, "waiting", (json_int_t)webhook->waiting, "failed",
                     (json_int_t)webhook->failed, "lost", (json_int_t)webhook->lost, "created_at",
                     (json_int_t)webhook->created_ms, "created_by", field_text(webhook->created_by));
}

/* What a body says; NULL: nothing */
struct fields {
    const char *name, *url, *product;
    const json_t *secret, *kinds, *template;
    int enabled;
};

static bool take_kinds(const json_t *kinds, struct webhook *webhook, struct error *err)
{
    size_t i, used = 0;
    const json_t *kind;
    webhook->kinds[0] = '\0';
    if (!json_is_array(kinds))
        return error_set(err, ERROR_INVALID, "kinds is a list of kinds of events; [] is all of them");
    json_array_foreach (kinds, i, kind) {
        const char *name = json_string_value(kind);
        if (!name || !webhook_kind_is_known(slice_of(name)))
            return error_set(err, ERROR_INVALID, "kinds: %.40s is not a kind of event",
                             name ? name : "what is no text");
        used +=
            (size_t)snprintf(webhook->kinds + used, sizeof webhook->kinds - used, "%s%s", i ? " " : "", name);
        if (used >= sizeof webhook->kinds)
            return error_set(err, ERROR_INVALID, "kinds names a kind twice");
    }
    return true;
}

static bool take_secret(const json_t *secret, struct webhook *webhook, struct error *err)
{
    const char *text = json_is_null(secret) ? "" : json_string_value(secret);
    if (!text || (text[0] && strlen(text) < SECRET_LEAST) ||
        !slice_copy(slice_of(text), webhook->secret, sizeof webhook->secret))
        return error_set(err, ERROR_INVALID, "secret is a text of %d to %d bytes, or null", SECRET_LEAST,
                         WEBHOOK_SECRET_SIZE - 1);
    return true;
}

static bool take_template(const json_t *template, struct webhook *webhook, struct error *err)
{
    const char *text = json_is_null(template) ? "" : json_string_value(template);
    if (!text || !slice_copy(slice_of(text), webhook->template, sizeof webhook->template))
        return error_set(err, ERROR_INVALID, "template is JSON as a text of at most %d bytes, or null",
                         WEBHOOK_TEMPLATE_SIZE - 1);
    return !text[0] || body_template_check(text, err);
}

static bool take_url(const char *url, struct webhook *webhook, struct error *err)
{
    return (slice_copy(slice_of(url), webhook->url, sizeof webhook->url) ||
            error_set(err, ERROR_INVALID, "url has more than %d bytes", WEBHOOK_URL_SIZE - 1)) &&
           post_check_url(url, err);
}

static bool take_fields(const struct fields *fields, struct webhook *webhook, struct error *err)
{
    if (fields->name && !call_check_text("name", fields->name, sizeof webhook->name - 1, err))
        return false;
    if (fields->name)
        snprintf(webhook->name, sizeof webhook->name, "%s", fields->name);
    if (fields->enabled >= 0)
        webhook->enabled = fields->enabled;
    return (!fields->url || take_url(fields->url, webhook, err)) &&
           (!fields->kinds || take_kinds(fields->kinds, webhook, err)) &&
           (!fields->secret || take_secret(fields->secret, webhook, err)) &&
           (!fields->template || take_template(fields->template, webhook, err));
}

/* In the writer's thread; the product is looked up where it counts. */
struct change {
    const struct request *request;
    const struct fields *fields;
    struct webhook webhook;
};

static bool note(struct db *db, const struct change *change, enum ledger_kind kind, struct error *err)
{
    const struct webhook *webhook = &change->webhook;
    char host[WEBHOOK_URL_SIZE];
    post_host(webhook->url, host);
    const struct event event = {.kind = kind,
                                .product = webhook->product_key[0] ? webhook->product_key : NULL};
    json_t *detail =
        json_pack("{s:o, s:o, s:o, s:I}", "by", event_by(change->request), "host", event_text(host), "name",
                  event_text(webhook->name), "webhook", (json_int_t)webhook->id);
    if (kind != LEDGER_WEBHOOK_REMOVED) {
        json_object_set_new(detail, "enabled", json_boolean(webhook->enabled));
        json_object_set_new(detail, "kinds", kinds_to_json(webhook));
        json_object_set_new(detail, "signed", json_boolean(webhook->secret[0]));
        json_object_set_new(detail, "template", json_boolean(webhook->template[0]));
    }
    return event_add(db, &event, detail, err);
}

static bool add(void *cls, struct db *db, struct error *err)
{
    struct change *change = cls;
    struct webhook *webhook = &change->webhook;
    struct product product;
    if (change->fields->product) {
        if (!product_get(db, change->fields->product, &product, err))
            return false;
        webhook->product_id = product.id;
        memcpy(webhook->product_key, product.product_key, sizeof webhook->product_key);
    }
    return webhook_add(db, webhook, err) && note(db, change, LEDGER_WEBHOOK_ADDED, err);
}

static void tell(struct admin_call *call, const char *event, const struct webhook *webhook)
{
    struct log_number number;
    sender_wake(call->daemon->sender);
    log_line(LOG_LEVEL_INFO, event, "webhook", log_i64(&number, webhook->id), "name", webhook->name,
             "product", webhook->product_key[0] ? webhook->product_key : NULL, NULL);
}

bool admin_webhook_add(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct fields fields = {.enabled = 1};
    struct change change = {call->request, &fields, {.created_ms = clock_utc_ms()}};
    struct webhook *webhook = &change.webhook;
    char number[24];
    bool named;
    if (!call_body(call, &body, err))
        return false;
    if (!body_unpack(body, err, "{s:s, s:s, s?s, s?o, s?o, s?o, s?b}", "name", &fields.name, "url",
                     &fields.url, "product", &fields.product, "kinds", &fields.kinds, "secret",
                     &fields.secret, "template", &fields.template, "enabled", &fields.enabled))
        return false;
    if (!request_query(call->request, "by", webhook->created_by, sizeof webhook->created_by, &named, err) ||
        !take_fields(&fields, webhook, err) || !call_change(call, add, &change, err))
        return false;
    tell(call, "webhook-added", webhook);
    reply_json(&call->reply, 201, to_json(call->request, webhook));
    snprintf(number, sizeof number, "%lld", (long long)webhook->id);
    LOCATE(call, "webhooks", number);
    return true;
}

bool admin_webhook_list(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) struct webhook *list = NULL;
    size_t count;
    if (!webhook_list(call->db, &list, &count, err))
        return false;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        if (access_sees(call->request, list[i].product_key))
            json_array_append_new(items, to_json(call->request, &list[i]));
    return list_answer(call, &list_webhooks, items, err);
}

bool admin_webhook_show(struct admin_call *call, struct error *err)
{
    struct webhook webhook;
    if (!webhook_of_path(call->request, call->db, &webhook, err))
        return false;
    reply_json(&call->reply, 200, to_json(call->request, &webhook));
    return true;
}

static bool set(void *cls, struct db *db, struct error *err)
{
    struct change *change = cls;
    return webhook_of_path(change->request, db, &change->webhook, err) &&
           take_fields(change->fields, &change->webhook, err) && webhook_update(db, &change->webhook, err) &&
           note(db, change, LEDGER_WEBHOOK_SET, err);
}

static const struct body_field patch_fields[] = {
    {"name", NULL},       {"url", NULL},       {"kinds", "[]"}, {"secret", "null"},
    {"template", "null"}, {"enabled", "true"}, {NULL, NULL}};

bool admin_webhook_set(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct fields fields = {.enabled = -1};
    struct change change = {.request = call->request, .fields = &fields};
    if (!body_patch(call, patch_fields, &body, err))
        return false;
    if (!body_unpack(body, err, "{s?s, s?s, s?o, s?o, s?o, s?b}", "name", &fields.name, "url", &fields.url,
                     "kinds", &fields.kinds, "secret", &fields.secret, "template", &fields.template,
                     "enabled", &fields.enabled))
        return false;
    if (!json_object_size(body))
        return admin_webhook_show(call, err);
    if (!call_change(call, set, &change, err))
        return false;
    tell(call, "webhook-set", &change.webhook);
    reply_json(&call->reply, 200, to_json(call->request, &change.webhook));
    return true;
}

static bool remove_it(void *cls, struct db *db, struct error *err)
{
    struct change *change = cls;
    return webhook_of_path(change->request, db, &change->webhook, err) &&
           webhook_remove(db, change->webhook.id, err) && note(db, change, LEDGER_WEBHOOK_REMOVED, err);
}

bool admin_webhook_remove(struct admin_call *call, struct error *err)
{
    struct change change = {.request = call->request};
    if (!call_change(call, remove_it, &change, err))
        return false;
    tell(call, "webhook-removed", &change.webhook);
    reply_init(&call->reply, 204);
    return true;
}
