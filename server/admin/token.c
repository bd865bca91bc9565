/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Tokens of the admin API: made, listed, rotated and revoked. The secret is only in the answer that makes it. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/secret.h"
#include "server/access/tokens.h"
#include "server/admin/body.h"
#include "server/admin/event_by.h"
#include "server/admin/handlers.h"
#include "server/admin/list_kinds.h"
#include "server/admin/path_params.h"
#include "server/console/live.h"
#include "server/core/log.h"
#include "server/ledger/event.h"
#include "storage/product.h"

#define OVERLAP_MS     DAY_MS
#define OVERLAP_MAX_MS (90 * DAY_MS)

static json_t *to_json(struct admin_call *call, const struct token *token)
{
    struct token shown = *token;
    int64_t now_ms = clock_utc_ms();
    const char *state = shown.revoked_ms                                 ? "revoked"
                        : shown.expires_ms && now_ms >= shown.expires_ms ? "expired"
                                                                         : "valid";
    tokens_fill_use(call->daemon->tokens, &shown);
    return json_pack("{s:I, s:o, s:s, s:o, s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "token", (json_int_t)shown.id,
                     "name", field_text(shown.name), "scope", enum_name(&token_scope_names, shown.scope),
                     "product", field_text(shown.product), "state", state, "created_at",
                     (json_int_t)shown.created_ms, "expires_at", field_number(shown.expires_ms), "used_at",
                     field_number(shown.used_ms), "used_from", field_text(shown.used_from),
                     "old_secret_until", field_number(shown.old_until_ms > now_ms ? shown.old_until_ms : 0),
                     "revoked_at", field_number(shown.revoked_ms));
}

/* ---- Changes, in the writer's thread ---- */

struct change {
    struct admin_call *call;
    int64_t id, overlap_ms;
    bool sets_expiry;
    int64_t expires_ms;
    struct token token;
};

static bool opens_everything(const struct token *token)
{
    return token->scope == SCOPE_ADMIN && !token->product[0] && !token->expires_ms && !token->revoked_ms;
}

/* After the change there is still a token that may do everything and never expires. */
static bool check_last(struct db *db, const struct token *changed, struct error *err)
{
    _cleanup_(cleanup_free) struct token *list = NULL;
    size_t count;
    if (opens_everything(changed))
        return true;
    if (!token_list(db, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (list[i].id != changed->id && opens_everything(&list[i]))
            return true;
    return error_set(
        err, ERROR_LAST_TOKEN,
        "%s is the last token that has the scope admin, is for all products and never expires: make "
        "another one before",
        changed->name);
}

static bool note(struct db *db, const struct change *change, enum ledger_kind kind, struct error *err)
{
    const struct token *token = &change->token;
    const struct event event = {.kind = kind, .product = token->product[0] ? token->product : NULL};
    json_t *detail = json_pack("{s:o, s:o, s:s, s:I}", "by", event_by(change->call->request), "name",
                               event_text(token->name), "scope", enum_name(&token_scope_names, token->scope),
                               "token", (json_int_t)token->id);
    if (kind != LEDGER_TOKEN_REVOKED && token->expires_ms)
        json_object_set_new(detail, "expires", json_integer(token->expires_ms));
    if (kind == LEDGER_TOKEN_ROTATED)
        json_object_set_new(detail, "old_until", json_integer(token->old_until_ms));
    return event_add(db, &event, detail, err);
}

static bool check_room(struct db *db, struct error *err)
{
    _cleanup_(cleanup_free) struct token *list = NULL;
    size_t count, alive = 0;
    if (!token_list(db, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        alive += !list[i].revoked_ms;
    return alive < TOKENS_MAX ||
           error_set(err, ERROR_INVALID, "there are %d tokens already: revoke one before", TOKENS_MAX);
}

static bool add(void *cls, struct db *db, struct error *err)
{
    struct change *change = cls;
    struct product product;
    if (change->token.product[0] && !product_get(db, change->token.product, &product, err))
        return false;
    return check_room(db, err) && token_add(db, &change->token, err) &&
           note(db, change, LEDGER_TOKEN_ADDED, err);
}

static bool get_working(struct db *db, struct change *change, struct error *err)
{
    return token_get(db, change->id, &change->token, err) &&
           (!change->token.revoked_ms ||
            error_set(err, ERROR_TOKEN_REVOKED, "the token %s is revoked", change->token.name));
}

static bool rotate(void *cls, struct db *db, struct error *err)
{
    struct change *change = cls;
    struct token *token = &change->token;
    const struct sha256 fresh = token->hash;
    if (!get_working(db, change, err))
        return false;
    token->old_hash = token->hash;
    token->old_until_ms = clock_utc_ms() + change->overlap_ms;
    token->hash = fresh;
    if (change->sets_expiry)
        token->expires_ms = change->expires_ms;
    if (token->expires_ms && token->expires_ms <= clock_utc_ms())
        return error_set(err, ERROR_INVALID, "the token %s has expired: give a new expires_at", token->name);
    return check_last(db, token, err) && token_update(db, token, err) &&
           note(db, change, LEDGER_TOKEN_ROTATED, err);
}

static bool revoke_it(void *cls, struct db *db, struct error *err)
{
    struct change *change = cls;
    if (!get_working(db, change, err))
        return false;
    change->token.revoked_ms = clock_utc_ms();
    return check_last(db, &change->token, err) && token_update(db, &change->token, err) &&
           note(db, change, LEDGER_TOKEN_REVOKED, err);
}

/* ---- Handlers ---- */

static bool take_name(const char *name, struct token *token, struct error *err)
{
    return call_check_text("name", name, sizeof token->name - 1, err) &&
           snprintf(token->name, sizeof token->name, "%s", name) > 0;
}

static bool take_scope(const char *scope, struct token *token, struct error *err)
{
    unsigned value = SCOPE_NONE;
    if (!enum_find(&token_scope_names, slice_of(scope), &value))
        return error_set(err, ERROR_INVALID, "scope is read, upload, operate or admin");
    token->scope = (enum token_scope)value;
    return true;
}

/* null: never. */
static bool take_expiry(const json_t *value, int64_t *ret_ms, struct error *err)
{
    *ret_ms = 0;
    if (!value || json_is_null(value))
        return true;
    if (!call_body_time("expires_at", value, true, ret_ms, err))
        return false;
    return *ret_ms > clock_utc_ms() || error_set(err, ERROR_INVALID, "expires_at is in the past");
}

/* Runs the change; afterwards sessions and streams of a token that is gone end at once. */
static bool run(struct change *change, writer_function *what, const char *event, struct error *err)
{
    struct daemon *daemon = change->call->daemon;
    struct log_number number;
    struct call_task task = {change->call, what, change};
    if (!tokens_change(daemon->tokens, daemon->writer, call_run_change, &task, &change->token, err))
        return false;
    live_check(daemon->live);
    log_line(LOG_LEVEL_INFO, event, "token_number", log_i64(&number, change->token.id), "token_name",
             change->token.name, "scope", enum_name(&token_scope_names, change->token.scope), "product",
             change->token.product[0] ? change->token.product : NULL, NULL);
    return true;
}

static void answer_with_secret(struct admin_call *call, int status, const struct token *token,
                               char secret[SECRET_SIZE])
{
    json_t *json = to_json(call, token);
    json_object_set_new(json, "secret", json_string(secret));
    explicit_bzero(secret, SECRET_SIZE);
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)token->id);
    reply_json(&call->reply, status, json);
    reply_header(&call->reply, "Cache-Control", "no-store");
    LOCATE(call, "tokens", number);
}

bool admin_token_add(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct change change = {.call = call, .token.created_ms = clock_utc_ms()};
    struct token *token = &change.token;
    const char *name, *scope, *product = NULL;
    const json_t *expires = NULL;
    char secret[SECRET_SIZE];
    if (!call_body(call, &body, err))
        return false;
    if (!body_unpack(body, err, "{s:s, s:s, s?s, s?o}", "name", &name, "scope", &scope, "product", &product,
                     "expires_at", &expires))
        return false;
    if (!take_name(name, token, err) || !take_scope(scope, token, err) ||
        !take_expiry(expires, &token->expires_ms, err))
        return false;
    if (product && (!product[0] || !slice_copy(slice_of(product), token->product, sizeof token->product)))
        return error_set(err, ERROR_PRODUCT_NOT_FOUND, "there is no product '%.80s'", product);
    if (!secret_make(secret, &token->hash, err) || !run(&change, add, "token-added", err))
        return false;
    answer_with_secret(call, 201, token, secret);
    return true;
}

bool admin_token_list(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_free) struct token *list = NULL;
    size_t count;
    if (!token_list(call->db, &list, &count, err))
        return false;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, to_json(call, &list[i]));
    return list_answer(call, &list_tokens, items, err);
}

bool admin_token_show(struct admin_call *call, struct error *err)
{
    struct token token;
    if (!path_params_token(call->request, call->db, &token, err))
        return false;
    reply_json(&call->reply, 200, to_json(call, &token));
    return true;
}

bool admin_token_rotate(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    struct change change = {.call = call};
    json_int_t overlap_ms = OVERLAP_MS;
    const json_t *expires = NULL;
    char secret[SECRET_SIZE];
    if (!path_params_token_id(call->request, &change.id, err) ||
        (call->request->body.len && !call_body(call, &body, err)))
        return false;
    if (body && !body_unpack(body, err, "{s?I, s?o}", "overlap_ms", &overlap_ms, "expires_at", &expires))
        return false;
    if (overlap_ms < 0 || overlap_ms > OVERLAP_MAX_MS)
        return error_set(err, ERROR_INVALID, "overlap_ms is a number from 0 to %lld",
                         (long long)OVERLAP_MAX_MS);
    change.overlap_ms = overlap_ms;
    change.sets_expiry = expires != NULL;
    if (!take_expiry(expires, &change.expires_ms, err) || !secret_make(secret, &change.token.hash, err) ||
        !run(&change, rotate, "token-rotated", err))
        return false;
    answer_with_secret(call, 200, &change.token, secret);
    return true;
}

bool admin_token_revoke(struct admin_call *call, struct error *err)
{
    struct change change = {.call = call};
    if (!path_params_token_id(call->request, &change.id, err) ||
        !run(&change, revoke_it, "token-revoked", err))
        return false;
    reply_init(&call->reply, 204);
    return true;
}
