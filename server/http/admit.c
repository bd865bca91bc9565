/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/admit.h"

#include <strings.h>

#define BODY_FREE                                                                                            \
    4096 /* a body up to this size is not counted: the limit of connections is enough for these */

static struct slice bearer(const struct head *head)
{
    static const char scheme[] = "Bearer ";
    struct slice value;
    if (!head_field(head, "Authorization", &value) || value.len < sizeof scheme - 1 ||
        strncasecmp(value.ptr, scheme, sizeof scheme - 1) != 0)
        return (struct slice){"", 0};
    value.ptr += sizeof scheme - 1;
    value.len -= sizeof scheme - 1;
    while (value.len && value.ptr[0] == ' ') {
        value.ptr++;
        value.len--;
    }
    return value;
}

/* "/t/SECRET/rest" becomes "/rest". */
static void cut_secret(struct request *request)
{
    static const char prefix[] = "/t/";
    size_t begin = sizeof prefix - 1;
    if (!slice_starts(request->target, prefix))
        return;
    struct slice rest = {request->target.ptr + begin, request->target.len - begin};
    const char *end = memchr(rest.ptr, '/', rest.len);
    const char *query = memchr(rest.ptr, '?', rest.len);
    if (!end || end == rest.ptr || (query && query < end))
        return;
    request->secret = (struct slice){rest.ptr, (size_t)(end - rest.ptr)};
    request->target = (struct slice){end, rest.len - request->secret.len};
}

void admit_fill_request(struct connection *connection)
{
    const struct head *head = &connection->head;
    struct request *request = &connection->request;
    request->context = connection->loop->config->context;
    request->turn = &connection->loop->turn;
    request->head_only = slice_is(head->method, "HEAD");
    request->target = head->target;
    request->method = head->method;
    request->token = bearer(head);
    request->body_length = head->body_length;
    if (connection->loop->config->secret_paths)
        cut_secret(request);
    request->query = request->target;
    slice_split(&request->query, '?', &request->path);
    while (connection->loop->config->trailing_slash && slice_ends(request->path, "/") &&
           request->path.len > 1)
        request->path.len--;
}

/* libmicrohttpd sends "100 Continue" itself, also where no body is allowed. */
static bool check_expect(const struct connection *connection, struct error *err)
{
    const struct route *route = connection->request.route;
    struct slice ignored;
    if (!head_field(&connection->head, "Expect", &ignored) ||
        (connection->head.body_length != 0 && (route->body_limit || route->stream)))
        return true;
    return error_set(err, ERROR_BAD_REQUEST, "a request without a body cannot have Expect");
}

bool admit_reserve_body(struct connection *connection, struct error *err)
{
    struct loop *loop = connection->loop;
    const struct route *route = connection->request.route;
    int64_t length = connection->head.body_length;
    if (!route->body_limit || route->stream || length <= BODY_FREE)
        return true;
    if (!capacity_take_bodies(loop->capacity, (uint64_t)length)) {
        notices_count(&loop->capacity->notices, NOTICE_BODIES, 0, loop->now_ms);
        return error_set(err, ERROR_UNAVAILABLE, "too many bodies at once: try again in a minute");
    }
    connection->reserved = (uint64_t)length;
    return true;
}

/* A stranger does not learn which paths there are. */
static bool find_route(struct connection *connection, char *allow, size_t allow_size, struct error *err)
{
    const struct listener_config *config = connection->loop->config;
    struct request *request = &connection->request;
    struct error unauthorized;
    const struct route *other = config->divert ? config->divert(request) : NULL;
    if (other) {
        request->route = other;
        return true;
    }
    bool found =
        router_find(config->routes, config->route_count, request->method, request, allow, allow_size, err);
    if ((found && (request->route->flags & ROUTE_OPEN)) || !config->authorize ||
        config->authorize(request, &unauthorized))
        return found;
    allow[0] = '\0';
    *err = unauthorized;
    return false;
}

bool admit_check(struct connection *connection, char *allow, size_t allow_size, struct error *err)
{
    const struct listener_config *config = connection->loop->config;
    struct request *request = &connection->request;
    if ((config->single_headers && !head_check_single(&connection->head, err)) ||
        !find_route(connection, allow, allow_size, err) || (config->check && !config->check(request, err)))
        return false;
    if (config->no_chunks && request->body_length < 0)
        return error_set(err, ERROR_BAD_REQUEST, "a body needs a Content-Length here");
    const struct route *route = request->route;
    size_t limit = route->body_limit || route->stream ? route->body_limit : 4096;
    if (limit && request->body_length > 0 && (uint64_t)request->body_length > limit)
        return error_set(err, ERROR_TOO_LARGE, "the body has more than %zu bytes", limit);
    if (!check_expect(connection, err))
        return false;
    if (!route->stream)
        return true;
    connection->begun = route->stream->begin(request, err);
    return connection->begun;
}
