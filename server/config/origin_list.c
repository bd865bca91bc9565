/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/config/origin_list.h"

#include <stdio.h>
#include <string.h>
#include "base/slice.h"

static bool is_host(struct slice host)
{
    bool in_brackets = slice_starts(host, "[") && slice_ends(host, "]");
    for (size_t i = in_brackets; i < host.len - in_brackets; i++) {
        char c = host.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
              (in_brackets ? c == ':' : c == '-' || c == '_')))
            return false;
    }
    return host.len > 2u * in_brackets;
}

static bool is_port(struct slice text, uint64_t implied)
{
    uint64_t port;
    return text.len && text.ptr[0] != '0' && slice_u64(text, &port) && port <= 65535 && port != implied;
}

static bool is_origin(struct slice text)
{
    static const struct {
        const char *scheme;
        uint64_t port;
    } kinds[] = {{"https://", 443}, {"http://", 80}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t len = strlen(kinds[i].scheme);
        if (!slice_starts(text, kinds[i].scheme) || text.len >= WEB_ORIGIN_SIZE)
            continue;
        struct slice host = {text.ptr + len, text.len - len};
        const char *colon = memrchr(host.ptr, ':', host.len);
        if (!colon || slice_ends(host, "]"))
            return is_host(host);
        struct slice port = {colon + 1, host.len - (size_t)(colon + 1 - host.ptr)};
        return is_host((struct slice){host.ptr, (size_t)(colon - host.ptr)}) && is_port(port, kinds[i].port);
    }
    return false;
}

bool origin_list_parse(const char *text, char *out, size_t out_size, struct error *err)
{
    struct slice rest = slice_of(text), one;
    size_t len = 0;
    out[0] = '\0';
    while (slice_split(&rest, ' ', &one)) {
        if (!one.len)
            continue;
        if (!is_origin(one))
            return error_set(
                err, ERROR_INVALID,
                "'%.*s' is not an origin: write https://HOST or https://HOST:PORT in lower case, without "
                "a path, with blanks between two",
                (int)(one.len < 60 ? one.len : 60), one.ptr);
        int more = snprintf(out + len, out_size - len, "%s%.*s", len ? " " : "", (int)one.len, one.ptr);
        if (more < 0 || (size_t)more >= out_size - len)
            return error_set(err, ERROR_INVALID, "too many origins");
        len += (size_t)more;
    }
    return true;
}
