/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Log in, log out, and who is logged in. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/access/client.h"
#include "server/admin/admin.h"
#include "server/admin/body.h"
#include "server/admin/handlers.h"
#include "server/console/live.h"
#include "server/console/origin.h"
#include "server/console/sessions.h"
#include "server/core/log.h"
#include "storage/token.h"

#define TOKEN_SHOWN 9 /* 8 hex digits of the hash and NUL, as in the ledger */

static void show_token(const struct sha256 *token, char out[TOKEN_SHOWN])
{
    char hex[SHA256_HEX_SIZE];
    sha256_hex(token, hex);
    hex[TOKEN_SHOWN - 1] = '\0';
    memcpy(out, hex, TOKEN_SHOWN);
}

static void log_session(const char *event, const struct request *request)
{
    char shown[TOKEN_SHOWN];
    show_token(&request->actor.token, shown);
    log_line(LOG_LEVEL_INFO, event, "address", request->client, "peer", request->peer, "token_name",
             request->actor.name, "token_hash", shown, NULL);
}

/* The token behind the body: given, or found by a one-time code. */
static bool find_token(struct admin_call *call, const char *token, const char *code, struct error *err)
{
    static const char unknown[] = "the server does not know this token";
    struct sha256 hash;
    if (!client_note(call->request, call->daemon->config->admin_proxies, err))
        return false;
    if (code && !sessions_take_code(call->daemon->sessions, slice_of(code), clock_boot_ms(), &hash))
        return admin_refuse_login(call->request, "code", NULL,
                                  "this one-time login was used already, or is older than ten "
                                  "minutes: dfotactl console makes another one",
                                  err);
    if (token)
        sha256_of(token, strlen(token), &hash);
    return admin_token_accept(call->request, &hash, unknown, err);
}

bool admin_session_begin(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *body = NULL;
    const char *token = NULL, *code = NULL;
    char secret[SECRET_SIZE];
    if (!origin_check_site(call->request, err) || !call_body(call, &body, err))
        return false;
    if (!body_unpack(body, err, "{s?s, s?s}", "token", &token, "code", &code))
        return false;
    if (!token == !code)
        return error_set(err, ERROR_INVALID, "the body has either token or code");
    if (!find_token(call, token, code, err) ||
        !sessions_begin(call->daemon->sessions, call->daemon->writer, &call->request->actor.token,
                        clock_utc_ms(), secret, err))
        return false;
    log_session("logged-in", call->request);
    reply_header(&call->reply, "Set-Cookie",
                 SESSION_COOKIE "=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s", secret,
                 (long long)SESSION_MAX_MS / 1000, origin_is_secure(call->request) ? "; Secure" : "");
    reply_header(&call->reply, "Cache-Control", "no-store");
    explicit_bzero(secret, sizeof secret);
    return true;
}

bool admin_session_end(struct admin_call *call, struct error *err)
{
    struct slice secret;
    if (call->request->token.len || !origin_cookie(call->request, &secret))
        return error_set(err, ERROR_INVALID, "this request has a token, and no session that could end");
    if (!sessions_end(call->daemon->sessions, call->daemon->writer, secret, err))
        return false;
    live_check(call->daemon->live);
    log_session("logged-out", call->request);
    reply_header(&call->reply, "Set-Cookie",
                 SESSION_COOKIE "=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    return true;
}

/* Open to strangers, so that a browser that is not logged in gets an answer and no error. */
bool admin_session_show(struct admin_call *call, struct error *err)
{
    const struct actor *actor = &call->request->actor;
    struct session session = {0};
    struct slice secret;
    char shown[TOKEN_SHOWN] = "";
    const char *login = "none";
    struct error ended;
    if (request_header(call->request, "Authorization", &secret)) {
        if (!admin_identify(call->request, err))
            return false;
        login = "token";
    } else if (origin_cookie(call->request, &secret) &&
               sessions_find(call->daemon->sessions, secret, clock_utc_ms(), &session) &&
               admin_identify(call->request, &ended)) {
        login = "session";
    } else {
        session.created_ms = 0;
    }
    if (actor->scope)
        show_token(&actor->token, shown);
    reply_json(&call->reply, 200,
               json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "login", login, "token", field_text(shown),
                         "name", field_text(actor->name), "scope",
                         field_text(actor->scope ? enum_name(&token_scope_names, actor->scope) : ""),
                         "product", field_text(actor->product), "since", field_number(session.created_ms),
                         "ends_at", field_number(session.created_ms ? session_end_ms(&session) : 0)));
    reply_header(&call->reply, "Cache-Control", "no-store");
    return true;
}

bool admin_session_once(struct admin_call *call, struct error *err)
{
    char code[SECRET_SIZE];
    if (!call->request->token.len)
        return error_set(err, ERROR_FORBIDDEN, "a one-time login is made with a token, not with a session");
    if (!sessions_make_code(call->daemon->sessions, &call->request->actor.token, clock_boot_ms(), code, err))
        return false;
    char url[sizeof "/console/#code=" + SECRET_SIZE];
    snprintf(url, sizeof url, "/console/#code=%s", code);
    reply_json(&call->reply, 201,
               json_pack("{s:s, s:s, s:I}", "code", code, "url", url, "expires_at",
                         (json_int_t)(clock_utc_ms() + SESSION_CODE_MS)));
    reply_header(&call->reply, "Cache-Control", "no-store");
    return true;
}
