/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* GET /events: the rows of the ledger as they are committed, and hints about the rest, as server-sent events. */
#include "server/access/access.h"
#include "server/access/cors.h"
#include "server/admin/admin.h"
#include "server/admin/handlers.h"
#include "server/console/live.h"
#include "server/console/origin.h"

/* The header counts, because a browser that connects again sends it with the first URL. */
static bool read_after(const struct request *request, struct live_wish *wish, struct error *err)
{
    struct slice header;
    uint64_t after = UINT64_MAX;
    if (request_header(request, "Last-Event-ID", &header) && header.len) {
        if (!slice_u64(header, &after) || after > INT64_MAX)
            return error_set(err, ERROR_BAD_REQUEST, "Last-Event-ID must be the seq of a ledger row");
    } else if (!call_query_number(request, "after", 0, INT64_MAX, &after, err)) {
        return false;
    }
    wish->after = after == UINT64_MAX ? LIVE_FROM_NOW : (int64_t)after;
    return true;
}

bool admin_events_take(struct request *request, int socket, struct error *err)
{
    const struct daemon *daemon = request->context;
    struct live_wish wish = {.token = request->actor.token};
    struct slice secret;
    if (!read_after(request, &wish, err) || !access_product(request, wish.product, err))
        return false;
    const char *origins = daemon->config->admin_cors_origins;
    wish.varies = origins[0] != '\0';
    cors_find_origin(origins, request, wish.origin);
    wish.has_session = !request_header(request, "Authorization", &secret) && origin_cookie(request, &secret);
    if (wish.has_session)
        sha256_of(secret.ptr, secret.len, &wish.session);
    return live_take(daemon->live, &wish, socket, err);
}

bool admin_events_head(struct admin_call *call, struct error *err)
{
    (void)err;
    reply_init(&call->reply, 200);
    call->reply.content_type = LIVE_CONTENT_TYPE;
    return true;
}
