/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/router.h"

#include <stdio.h>

/* Matches the raw path part by part: "{}" matches one non-empty part, other parts match themselves. */
static bool match_parts(const char *pattern, struct slice path, struct slice param[REQUEST_PARAMS_MAX])
{
    struct slice left = slice_of(pattern), right = path, want, part;
    unsigned count = 0;
    while (slice_split(&left, '/', &want)) {
        if (!slice_split(&right, '/', &part))
            return false;
        if (slice_is(want, "{}")) {
            if (part.len == 0 || count == REQUEST_PARAMS_MAX)
                return false;
            param[count++] = part;
        } else if (!slice_equal(want, part)) {
            return false;
        }
    }
    return right.ptr == NULL;
}

static bool match(const struct route *route, const struct request *request,
                  struct slice param[REQUEST_PARAMS_MAX])
{
    if (!(route->flags & ROUTE_PREFIX))
        return match_parts(route->pattern, request->path, param);
    if (!slice_starts(request->target, route->pattern))
        return false;
    size_t len = strlen(route->pattern);
    param[0] = (struct slice){request->target.ptr + len, request->target.len - len};
    return true;
}

static void add_method(char *allow, size_t allow_size, const char *method)
{
    size_t len = strlen(method);
    for (const char *at = allow; (at = strstr(at, method)); at += len)
        if ((at == allow || at[-1] == ' ') && (at[len] == '\0' || at[len] == ','))
            return;
    size_t used = strlen(allow);
    snprintf(allow + used, allow_size - used, "%s%s", used ? ", " : "", method);
}

bool router_find(const struct route *routes, size_t count, struct slice method, struct request *request,
                 char *allow, size_t allow_size, struct error *err)
{
    const char *path = NULL; /* the first pattern that matches: later ones are for other paths */
    allow[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        struct slice param[REQUEST_PARAMS_MAX] = {{NULL, 0}};
        if ((path && strcmp(path, routes[i].pattern) != 0) || !match(&routes[i], request, param))
            continue;
        path = routes[i].pattern;
        bool get = strcmp(routes[i].method, "GET") == 0;
        if (slice_is(method, routes[i].method) || (get && slice_is(method, "HEAD"))) {
            request->route = &routes[i];
            memcpy(request->param, param, sizeof param);
            return true;
        }
        add_method(allow, allow_size, routes[i].method);
        if (get)
            add_method(allow, allow_size, "HEAD");
    }
    if (allow[0])
        return error_set(err, ERROR_METHOD_NOT_ALLOWED, "this path takes %s", allow);
    return error_set(err, ERROR_NOT_FOUND, "there is no such path");
}
