/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/event_by.h"

#include "base/sha256.h"
#include "server/ledger/event.h"

#define TOKEN_SHOWN 8

json_t *event_by_name(const struct request *request, const char *name)
{
    char hex[SHA256_HEX_SIZE];
    sha256_hex(&request->actor.token, hex);
    hex[TOKEN_SHOWN] = '\0';
    return json_pack("{s:o*, s:o*, s:o*, s:s, s:o*}", "client",
                     request->is_proxied ? event_text(request->client) : NULL, "name", event_text(name),
                     "peer", event_text(request->peer), "token", hex, "token_name",
                     event_text(request->actor.name));
}

void event_by_text(const struct request *request, char out[ADMIN_NAME_SIZE])
{
    struct error err;
    bool found = false;
    if (!request_query(request, "by", out, ADMIN_NAME_SIZE, &found, &err) || !found)
        out[0] = '\0';
}

json_t *event_by(const struct request *request)
{
    char name[ADMIN_NAME_SIZE];
    event_by_text(request, name); /* call_check_by() has checked it */
    return event_by_name(request, name);
}
