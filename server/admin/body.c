/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/body.h"

#include <stdarg.h>
#include <stdio.h>

#include "server/admin/admin.h"

#define PATCH_TYPE "application/merge-patch+json"
#define NAMES_SIZE 256

/* ---- fields ---- */

/* Each letter of the format has one argument: a name and a place in turn. */
static void read_names(const char *format, va_list args, char names[NAMES_SIZE])
{
    size_t used = 0;
    bool is_name = true;
    names[0] = '\0';
    for (; *format; format++) {
        if (strchr("{}:?, ", *format))
            continue;
        if (is_name && used < NAMES_SIZE)
            used += (size_t)snprintf(names + used, NAMES_SIZE - used, "%s%s", used ? " " : "",
                                     va_arg(args, const char *));
        else
            (void)va_arg(args, void *);
        is_name = !is_name;
    }
}

static bool has_name(const char *names, const char *name)
{
    struct slice rest = slice_of(names), one;
    while (slice_split(&rest, ' ', &one))
        if (one.len && slice_is(one, name))
            return true;
    return false;
}

bool body_check_fields(const char *what, const json_t *object, const char *names, struct error *err)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)object, name, value)
        if (!has_name(names, name))
            return error_set(err, ERROR_BAD_REQUEST, "%s has an unknown field: %.60s; it takes: %s", what,
                             name, names);
    return true;
}

bool body_unpack(const json_t *body, struct error *err, const char *format, ...)
{
    char names[NAMES_SIZE];
    json_error_t why;
    va_list args;
    va_start(args, format);
    read_names(format, args, names);
    va_end(args);
    if (!body_check_fields("the body", body, names, err))
        return false;
    va_start(args, format);
    int fault = json_vunpack_ex((json_t *)(uintptr_t)body, &why, 0, format, args);
    va_end(args);
    return !fault ||
           error_set(err, ERROR_INVALID, "the body does not have the expected fields: %s", why.text);
}

/* ---- merge patches ---- */

static bool is_type(struct slice value, const char *type)
{
    size_t len = strlen(type);
    return value.len >= len && strncasecmp(value.ptr, type, len) == 0 &&
           (value.len == len || memchr("; \t", value.ptr[len], 3));
}

bool body_check_patch_type(const struct request *request, struct error *err)
{
    struct slice type;
    return !slice_is(request->method, "PATCH") || !request_header(request, "Content-Type", &type) ||
           is_type(type, PATCH_TYPE) || is_type(type, "application/json") ||
           error_set(err, ERROR_UNSUPPORTED_TYPE,
                     "send the change as " PATCH_TYPE " or application/json: nothing was changed");
}

bool body_patch(const struct admin_call *call, const struct body_field *fields, json_t **ret,
                struct error *err)
{
    if (!call_body(call, ret, err))
        return false;
    if (!json_is_object(*ret))
        return error_set(err, ERROR_INVALID, "the body is a JSON object with the fields that change");
    for (; fields->name; fields++) {
        if (!json_is_null(json_object_get(*ret, fields->name)))
            continue;
        if (!fields->reset)
            return error_set(err, ERROR_INVALID, "%s cannot be null, because it has no default: send a value",
                             fields->name);
        json_object_set_new(*ret, fields->name, json_loads(fields->reset, JSON_DECODE_ANY, NULL));
    }
    return true;
}

void body_fail(struct request *request, const struct error *err)
{
    struct reply reply;
    if (err->code != ERROR_UNSUPPORTED_TYPE || !slice_is(request->method, "PATCH")) {
        request_fail(request, err);
        return;
    }
    admin_render_problem(&reply, error_status(err->code), err);
    reply_header(&reply, "Accept-Patch", PATCH_TYPE);
    request_answer(request, &reply);
}
