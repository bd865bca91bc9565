/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/core/json_times.h"

#include <stdio.h>
#include <string.h>
#include "base/buffer.h"
#include "base/timestamp.h"

bool json_times_name(struct slice key, char out[JSON_TIMES_NAME_SIZE])
{
    static const char *const names[] = {"since", "until", "day", "now"};
    static const char *const ends[] = {"_since", "_until"};
    if (key.len + sizeof "_time" > JSON_TIMES_NAME_SIZE)
        return false;
    if (slice_is(key, "at") || slice_ends(key, "_at")) {
        snprintf(out, JSON_TIMES_NAME_SIZE, "%.*stime", (int)key.len - 2, key.ptr);
        return true;
    }
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        found = found || slice_is(key, names[i]);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        found = found || slice_ends(key, ends[i]);
    if (found)
        snprintf(out, JSON_TIMES_NAME_SIZE, "%.*s_time", (int)key.len, key.ptr);
    return found;
}

/* Behind the string that begins at `at` with its quotation mark. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

/* Behind the array or object that begins at `at`. */
static const char *skip_nested(const char *at, const char *end)
{
    size_t depth = 0;
    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if ((*at == '}' || *at == ']') && --depth == 0)
            return at + 1;
        at++;
    }
    return end;
}

/* An integer or null, up to the next comma or bracket. */
static bool read_time(const char *at, const char *end, const char **ret_end, int64_t *ret_ms, bool *ret_null)
{
    const char *stop = at;
    uint64_t ms;
    while (stop < end && *stop != ',' && *stop != '}')
        stop++;
    struct slice value = {at, (size_t)(stop - at)};
    *ret_end = stop;
    *ret_null = slice_is(value, "null");
    *ret_ms = 0;
    if (*ret_null)
        return true;
    if (value.len > 19 || !slice_u64(value, &ms) || ms > INT64_MAX)
        return false;
    *ret_ms = (int64_t)ms;
    return true;
}

static bool add_text(struct buffer *out, const char *name, bool is_null, int64_t ms)
{
    char text[JSON_TIMES_NAME_SIZE + TIMESTAMP_SIZE + 8], time[TIMESTAMP_SIZE];
    struct error ignored;
    bool has = !is_null && timestamp_format(ms, time);
    int len = has ? snprintf(text, sizeof text, ",\"%s\":\"%s\"", name, time)
                  : snprintf(text, sizeof text, ",\"%s\":null", name);
    return buffer_add(out, text, (size_t)len, &ignored);
}

static bool has_text(const char *at, const char *end, const char *name)
{
    char follows[JSON_TIMES_NAME_SIZE + 8];
    int len = snprintf(follows, sizeof follows, ",\"%s\":", name);
    return (size_t)(end - at) >= (size_t)len && memcmp(at, follows, (size_t)len) == 0;
}

/* The key was read and `value` is behind its colon. Returns where the search goes on; *copied: up to
   where `out` has the bytes. NULL: out of memory. */
static const char *take_value(struct slice key, const char *value, const char *end, const char **copied,
                              struct buffer *out)
{
    char name[JSON_TIMES_NAME_SIZE];
    const char *stop;
    struct error ignored;
    int64_t ms;
    bool is_null;
    if (slice_is(key, "detail") || slice_is(key, "facts"))
        return value < end && (*value == '{' || *value == '[') ? skip_nested(value, end) : value;
    if (!json_times_name(key, name) || !read_time(value, end, &stop, &ms, &is_null) ||
        has_text(stop, end, name))
        return value;
    if (!buffer_add(out, *copied, (size_t)(stop - *copied), &ignored) || !add_text(out, name, is_null, ms))
        return NULL;
    *copied = stop;
    return stop;
}

char *json_times_add(const char *json, size_t len, size_t *ret_len)
{
    struct buffer out = {0};
    struct error ignored;
    const char *end = json + len, *copied = json, *at = json;
    bool ok = buffer_reserve(&out, len + len / 4 + 1, &ignored);
    while (ok && (at = memchr(at, '"', (size_t)(end - at)))) {
        const char *stop = skip_string(at, end);
        if (stop < end && *stop == ':')
            at = take_value((struct slice){at + 1, (size_t)(stop - at) - 2}, stop + 1, end, &copied, &out);
        else
            at = stop;
        ok = at != NULL;
    }
    if (!ok || !buffer_add(&out, copied, (size_t)(end - copied), &ignored) ||
        !buffer_add(&out, "", 1, &ignored)) {
        buffer_free(&out);
        return NULL;
    }
    *ret_len = out.len - 1;
    return (char *)out.ptr;
}
