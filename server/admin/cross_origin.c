/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What web pages of other origins may do (server/access/cors.h). */
#include "server/access/cors.h"
#include "server/admin/admin.h"
#include "server/context.h"

static const char *origins(const struct request *request)
{
    const struct daemon *daemon = request->context;
    return daemon->config->admin_cors_origins;
}

static void answer_preflight(struct request *request)
{
    struct reply reply;
    cors_answer_preflight(&reply);
    request_answer(request, &reply);
}

const struct route *admin_divert(const struct request *request)
{
    static const struct route preflight = {"OPTIONS", "*", ROUTE_OPEN, 0, NULL, answer_preflight};
    return cors_is_preflight(origins(request), request) ? &preflight : NULL;
}

void admin_add_headers(const struct request *request, struct reply *reply)
{
    if (request->path.len) /* the head was read: the context is there */
        cors_add_headers(origins(request), request, reply);
}
