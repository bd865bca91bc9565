/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/webhook/body_template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/slice.h"

/* Every fact that any kind of event has. */
static const struct {
    const char *name;
    bool is_number;
} fields[] = {
    {"at", true},        {"attempt", true}, {"campaign", true}, {"confirmed", true},  {"count", true},
    {"counted", true},   {"device", false}, {"devices", false}, {"event", false},     {"failed", true},
    {"firmware", false}, {"from", false},   {"gate", false},    {"gate_stage", true}, {"id", false},
    {"limit", true},     {"name", false},   {"notice", false},  {"product", false},   {"reason", false},
    {"silent", true},    {"size", true},    {"stage", true},    {"stages", true},     {"state", false},
    {"summary", false},  {"target", false}, {"to", false},      {"url", false},       {"why", false},
};

static bool is_known(struct slice name, bool *ret_is_number)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (slice_is(name, fields[i].name)) {
            *ret_is_number = fields[i].is_number;
            return true;
        }
    return false;
}

/* The next {name} at or behind `text`: where it begins, NULL for none. The braces of JSON have no bare word between. */
static const char *find_placeholder(const char *text, struct slice *ret_name)
{
    while ((text = strchr(text, '{'))) {
        size_t len = strspn(text + 1, "abcdefghijklmnopqrstuvwxyz_");
        if (len > 0 && text[1 + len] == '}') {
            *ret_name = (struct slice){text + 1, len};
            return text;
        }
        text++;
    }
    return NULL;
}

static void put_text(FILE *out, const json_t *value)
{
    _cleanup_(cleanup_free) char *quoted = json_dumps(value, JSON_ENCODE_ANY);
    size_t len = quoted ? strlen(quoted) : 0;
    if (len > 2)
        fwrite(quoted + 1, 1, len - 2, out);
}

/* Texts, a comma between. */
static void put_list(FILE *out, const json_t *list)
{
    size_t i;
    const json_t *value;
    json_array_foreach (list, i, value) {
        fputs(i ? ", " : "", out);
        put_text(out, value);
    }
}

static void put_fact(FILE *out, struct slice name, const json_t *facts)
{
    bool is_number = false;
    const json_t *value = json_object_getn(facts, name.ptr, name.len);
    if (json_is_string(value))
        put_text(out, value);
    else if (json_is_array(value))
        put_list(out, value);
    else if (json_is_integer(value))
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (is_known(name, &is_number) && is_number)
        fputc('0', out);
}

char *body_template_fill(const char *text, const json_t *facts)
{
    char *filled = NULL;
    size_t size;
    struct slice name;
    FILE *out = open_memstream(&filled, &size);
    if (!out)
        return NULL;
    for (const char *at; (at = find_placeholder(text, &name)); text = name.ptr + name.len + 1) {
        fwrite(text, 1, (size_t)(at - text), out);
        put_fact(out, name, facts);
    }
    fputs(text, out);
    if (fclose(out) == 0)
        return filled;
    free(filled);
    return NULL;
}

static bool check_names(const char *text, struct error *err)
{
    struct slice name;
    unsigned count = 0;
    bool is_number;
    for (const char *at = text; (at = find_placeholder(at, &name)); at = name.ptr + name.len + 1) {
        if (!is_known(name, &is_number))
            return error_set(err, ERROR_INVALID, "template: {%.*s} is not a placeholder",
                             (int)(name.len < 60 ? name.len : 60), name.ptr);
        if (++count > BODY_PLACEHOLDERS_MAX)
            return error_set(err, ERROR_INVALID, "template: more than %d placeholders",
                             BODY_PLACEHOLDERS_MAX);
    }
    return true;
}

bool body_template_check(const char *text, struct error *err)
{
    json_error_t why;
    if (!check_names(text, err))
        return false;
    _cleanup_(cleanup_free) char *filled = body_template_fill(text, NULL);
    if (!filled)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    json_t *json = json_loads(filled, JSON_REJECT_DUPLICATES, &why);
    bool is_json = json != NULL;
    json_decref(json);
    return is_json ||
           error_set(
               err, ERROR_INVALID,
               "template: it is not JSON once the placeholders are filled in (a text needs quotes around "
               "its placeholder): line %d: %s",
               why.line, why.text);
}
