/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/url.h"

#include <netdb.h>
#include <pthread.h>
#include <string.h>
#include "base/slice.h"

static const char scheme[] = "http://";

/* Splits "127.0.0.1:8080", "[::1]:8080" or "fota.example" into host and port. */
static bool split_authority(struct slice authority, char *host, size_t host_size, char *port,
                            size_t port_size)
{
    struct slice name = authority, number = slice_of("80");
    const char *colon = authority.len ? memrchr(authority.ptr, ':', authority.len) : NULL;
    const char *bracket = authority.len ? memrchr(authority.ptr, ']', authority.len) : NULL;
    if (colon && (!bracket || colon > bracket)) {
        name.len = (size_t)(colon - authority.ptr);
        number = (struct slice){colon + 1, authority.len - name.len - 1};
    }
    if (name.len >= 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']')
        name = (struct slice){name.ptr + 1, name.len - 2};
    uint64_t value;
    return name.len && slice_u64(number, &value) && value >= 1 && value <= 65535 &&
           slice_copy(name, host, host_size) && slice_copy(number, port, port_size);
}

/* Keeps the last host: a thousand links to one server need one lookup. */
static bool resolve(const char *host, const char *port, struct url *url, struct error *err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct url last;
    bool ok = true;
    pthread_mutex_lock(&lock);
    if (strcmp(last.host, url->host) != 0) {
        struct addrinfo *found = NULL;
        const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
        int failed = getaddrinfo(host, port, &hints, &found);
        if (failed) {
            ok = error_set(err, ERROR_UNAVAILABLE, "%s: %s", host, gai_strerror(failed));
        } else {
            last = *url;
            memcpy(&last.address, found->ai_addr, found->ai_addrlen);
            last.address_len = found->ai_addrlen;
            freeaddrinfo(found);
        }
    }
    url->address = last.address;
    url->address_len = last.address_len;
    pthread_mutex_unlock(&lock);
    return ok;
}

bool url_parse(const char *text, struct url *ret, struct error *err)
{
    struct slice rest = slice_of(text);
    for (size_t i = 0; i < rest.len; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7F)
            return error_set(err, ERROR_INVALID, "a URL must not contain blanks or control characters");
    if (!slice_starts(rest, scheme))
        return error_set(err, ERROR_INVALID, "%s is not an http:// URL; modules support no other", text);
    rest.ptr += sizeof scheme - 1;
    rest.len -= sizeof scheme - 1;
    const char *slash = rest.len ? memchr(rest.ptr, '/', rest.len) : NULL;
    struct slice authority = {rest.ptr, slash ? (size_t)(slash - rest.ptr) : rest.len};

    char host[URL_HOST_SIZE], port[8];
    struct url url = {.path = slash ? slash : "/"};
    if (!split_authority(authority, host, sizeof host, port, sizeof port) ||
        !slice_copy(authority, url.host, sizeof url.host))
        return error_set(err, ERROR_INVALID, "%s has no valid host and port", text);
    if (!resolve(host, port, &url, err))
        return false;
    *ret = url;
    return true;
}
