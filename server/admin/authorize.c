/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Who asks: the token in Authorization, or the session in the cookie. Refusals are logged and limited. */
#include <stdio.h>

#include "base/clock.h"
#include "server/access/access.h"
#include "server/access/attempts.h"
#include "server/access/client.h"
#include "server/access/tokens.h"
#include "server/admin/admin.h"
#include "server/console/origin.h"
#include "server/console/sessions.h"
#include "server/context.h"
#include "server/core/log.h"
#include "server/core/metrics.h"

#define NEEDED "a valid token is needed: Authorization: Bearer TOKEN"

_Static_assert(sizeof((struct actor *)0)->name == TOKEN_NAME_SIZE, "the name of a token fits");

bool admin_refuse_login(const struct request *request, const char *reason, const char *token_name,
                        const char *text, struct error *err)
{
    const struct daemon *daemon = request->context;
    if (!attempts_note(daemon->attempts, request->client, clock_boot_ms())) {
        metric_count(METRIC_LOGIN_LIMITED, 1);
        return error_set(err, ERROR_TOO_MANY_ATTEMPTS,
                         "too many failed attempts from this address: wait a minute");
    }
    metric_count(METRIC_LOGIN_REFUSED, 1);
    log_stranger(LOG_LEVEL_WARN, "login-refused", "address", request->client, "peer", request->peer, "reason",
                 reason, "token_name", token_name, NULL);
    return error_set(err, ERROR_UNAUTHORIZED, "%s", text);
}

bool admin_token_accept(struct request *request, const struct sha256 *hash, const char *text,
                        struct error *err)
{
    const struct daemon *daemon = request->context;
    struct token token;
    bool expired;
    int64_t now_ms = clock_utc_ms();
    if (!tokens_find_hash(daemon->tokens, hash, now_ms, &token, &expired))
        return expired ? admin_refuse_login(request, "expired", token.name, "this token has expired", err)
                       : admin_refuse_login(request, "token", NULL, text, err);
    tokens_note_use(daemon->tokens, token.id, now_ms, request->client);
    request->actor = (struct actor){.token = *hash, .scope = token.scope, .token_id = token.id};
    memcpy(request->actor.name, token.name, sizeof request->actor.name);
    memcpy(request->actor.product, token.product, sizeof request->actor.product);
    return true;
}

static bool by_token(struct request *request, struct error *err)
{
    struct sha256 hash;
    sha256_of(request->token.len ? request->token.ptr : "", request->token.len, &hash);
    return admin_token_accept(request, &hash, NEEDED, err);
}

/* A cookie of a session that has ended is no attack: browsers keep it. */
static bool by_session(struct request *request, struct error *err)
{
    const struct daemon *daemon = request->context;
    struct session session;
    struct slice secret;
    if (!origin_cookie(request, &secret) ||
        !sessions_find(daemon->sessions, secret, clock_utc_ms(), &session))
        return error_set(err, ERROR_UNAUTHORIZED, NEEDED);
    return admin_token_accept(request, &session.token, NEEDED, err) &&
           (slice_is(request->method, "GET") || slice_is(request->method, "HEAD") ||
            origin_check_change(request, err));
}

bool admin_identify(struct request *request, struct error *err)
{
    const struct daemon *daemon = request->context;
    struct slice ignored;
    return client_note(request, daemon->config->admin_proxies, err) &&
           (request_header(request, "Authorization", &ignored) ? by_token(request, err)
                                                               : by_session(request, err));
}

bool admin_authorize(struct request *request, struct error *err)
{
    return admin_identify(request, err) && access_check(request, err);
}
