/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as the head of a request, its target through the router, its query and path parts
   decoded. */
#include <stdint.h>
#include <stdlib.h>
#include "base/error.h"
#include "server/http/head.h"
#include "server/http/range.h"
#include "server/http/router.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static const struct route routes[] = {
    {"GET", "/api/site/firmware_upgrade", ROUTE_PREFIX, 0, NULL, NULL},
    {"GET", "/upgrade", ROUTE_PREFIX, 0, NULL, NULL},
    {"POST", "/d/{}/report", 0, 0, NULL, NULL},
    {"GET", "/d/{}/{}", 0, 0, NULL, NULL},
    {"GET", "/d/{}", 0, 0, NULL, NULL},
    {"PUT", "/api/v1/products/{}/firmware/{}/images/{}", 0, 0, NULL, NULL},
    {"GET", "/api/v1/products/{}/firmware/{}/packages/{}/{}", 0, 0, NULL, NULL},
};

static void demand(bool truth)
{
    if (!truth)
        abort();
}

/* A decoded text is clean, or empty where it is refused. */
static void check_text(bool ok, const char *out, const struct error *err)
{
    demand(ok ? slice_is_clean_utf8(slice_of(out)) : out[0] == '\0' && err->code == ERROR_BAD_NAME);
}

static void check_target(const struct head *head)
{
    static const char *const names[] = {"imei", "project_key", "version", "firmware_name", ""};
    struct request request = {.target = head->target, .query = head->target};
    struct error err;
    char allow[32], out[24];
    slice_split(&request.query, '?', &request.path);
    bool found = router_find(routes, sizeof routes / sizeof routes[0], head->method, &request, allow,
                             sizeof allow, &err);
    demand(found == (request.route != NULL));
    for (unsigned i = 0; found && i < REQUEST_PARAMS_MAX; i++)
        if (request.param[i].ptr) {
            demand(request.param[i].ptr >= head->target.ptr &&
                   request.param[i].ptr + request.param[i].len <= head->target.ptr + head->target.len);
            check_text(request_param(&request, i, out, sizeof out, &err), out, &err);
        }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        bool there;
        check_text(request_query(&request, names[i], out, sizeof out, &there, &err), out, &err);
        check_text(query_find(head->target, names[i], out, sizeof out, &there, &err), out, &err);
    }
}

/* Found in pieces as in one. */
static bool find_end(struct slice bytes, size_t *ret_size)
{
    size_t whole = 0, pieces = 0, size = 0;
    enum head_state state = head_scan(bytes, &whole, ret_size), piecemeal = HEAD_PART;
    for (size_t len = 0; len <= bytes.len && piecemeal == HEAD_PART; len++)
        piecemeal = head_scan((struct slice){bytes.ptr, len}, &pieces, &size);
    demand(piecemeal == state && (state != HEAD_WHOLE || size == *ret_size));
    return state == HEAD_WHOLE;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    struct slice bytes = {(const char *)input, len < 16384 ? len : 16384};
    struct error err = {ERROR_CODES, ""};
    struct head head;
    struct slice value;
    if (!find_end(bytes, &bytes.len))
        return 0;
    if (!head_parse(bytes, &head, &err)) {
        demand(err.code == ERROR_BAD_REQUEST || err.code == ERROR_URI_TOO_LONG ||
               err.code == ERROR_HEADERS_TOO_LARGE);
        return 0;
    }
    demand(head.target.len > 0 && head.target.ptr[0] == '/' && head.body_length >= -1);
    if (head_field(&head, "Content-Length", &value))
        demand(head.body_length >= 0 && !head_field(&head, "Transfer-Encoding", &value));
    demand(head.minor == 0 || head_field(&head, "host", &value));
    struct range range;
    bool ranges = head_field(&head, "Range", &value);
    range_parse(ranges, value, &range);
    demand(ranges || !head_resumes(bytes));
    demand(!ranges || range.bad || head_resumes(bytes) == (range.first > 0));
    check_target(&head);
    return 0;
}
