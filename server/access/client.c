/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/access/client.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define HOPS_MAX 32 /* of one request that are looked at, from the last one on */

static struct slice trim(struct slice text)
{
    while (text.len && strchr(" \t\"", text.ptr[0]))
        text = (struct slice){text.ptr + 1, text.len - 1};
    while (text.len && strchr(" \t\"", text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* Without the port, and without the brackets of IPv6. */
static struct slice cut_port(struct slice text)
{
    const char *colon = memchr(text.ptr, ':', text.len);
    const char *end;
    if (text.len && text.ptr[0] == '[') {
        end = memchr(text.ptr, ']', text.len);
        return end ? (struct slice){text.ptr + 1, (size_t)(end - text.ptr) - 1} : text;
    }
    if (colon && !memchr(colon + 1, ':', text.len - (size_t)(colon + 1 - text.ptr)))
        text.len = (size_t)(colon - text.ptr);
    return text;
}

bool client_parse(struct slice text, char out[REQUEST_CLIENT_SIZE])
{
    unsigned char address[sizeof(struct in6_addr)];
    char copy[REQUEST_CLIENT_SIZE];
    text = trim(text);
    if (!text.len || !slice_copy(cut_port(text), copy, sizeof copy))
        return false;
    int family = strchr(copy, ':') ? AF_INET6 : AF_INET;
    return inet_pton(family, copy, address) == 1 && inet_ntop(family, address, out, REQUEST_CLIENT_SIZE);
}

static bool is_listed(const char *list, const char *address)
{
    struct slice rest = slice_of(list), one;
    while (slice_split(&rest, ' ', &one))
        if (one.len && slice_is(one, address))
            return true;
    return false;
}

/* The value of a parameter such as "for=" in one element of Forwarded. */
static struct slice value_of(struct slice element, const char *name)
{
    size_t len = strlen(name);
    struct slice pair;
    while (slice_split(&element, ';', &pair)) {
        pair = trim(pair);
        if (pair.len >= len && strncasecmp(pair.ptr, name, len) == 0)
            return (struct slice){pair.ptr + len, pair.len - len};
    }
    return (struct slice){"", 0};
}

/* The last hop that is no proxy of ours. False: the request does not have the header. out "": the last hop before our
   proxies is no address. */
static bool last_hop(const struct request *request, const char *name, bool forwarded, const char *proxies,
                     char out[REQUEST_CLIENT_SIZE])
{
    struct slice hop[HOPS_MAX], line;
    size_t count = 0;
    for (unsigned i = 0; request_header_at(request, name, i, &line); i++)
        for (struct slice element; slice_split(&line, ',', &element);)
            hop[count++ % HOPS_MAX] = forwarded ? value_of(element, "for=") : element;
    out[0] = '\0';
    for (size_t left = count < HOPS_MAX ? count : HOPS_MAX; left > 0; left--) {
        if (!client_parse(hop[--count % HOPS_MAX], out)) {
            out[0] = '\0';
            return true;
        }
        if (!is_listed(proxies, out))
            return true;
    }
    return out[0] != '\0';
}

bool client_note(struct request *request, const char *proxies, struct error *err)
{
    char plain[REQUEST_CLIENT_SIZE], forwarded[REQUEST_CLIENT_SIZE], peer[REQUEST_CLIENT_SIZE];
    if (!client_parse(slice_of(request->peer), peer))
        peer[0] = '\0';
    snprintf(request->client, sizeof request->client, "%s", peer);
    if (!proxies[0] || !is_listed(proxies, peer))
        return true;
    bool has_plain = last_hop(request, "X-Forwarded-For", false, proxies, plain);
    bool has_forwarded = last_hop(request, "Forwarded", true, proxies, forwarded);
    if (has_plain && has_forwarded && strcmp(plain, forwarded) != 0)
        return error_set(
            err, ERROR_BAD_REQUEST,
            "X-Forwarded-For and Forwarded name different addresses: the proxy must remove the one that "
            "it does not write");
    const char *found = has_plain ? plain : has_forwarded ? forwarded : "";
    request->is_proxied = found[0] != '\0';
    if (request->is_proxied)
        memcpy(request->client, found, sizeof request->client);
    return true;
}

/* What the proxy has written last: in the header `plain`, else in Forwarded. */
static struct slice told_by_proxy(const struct request *request, const char *plain, const char *forwarded)
{
    struct slice line, element, told = {"", 0};
    if (!request->is_proxied)
        return told;
    for (unsigned i = 0; request_header_at(request, plain, i, &line); i++)
        while (slice_split(&line, ',', &element))
            told = trim(element);
    for (unsigned i = 0; !told.len && request_header_at(request, "Forwarded", i, &line); i++)
        while (slice_split(&line, ',', &element))
            told = trim(value_of(element, forwarded));
    return told;
}

/* A name or an address, maybe with a port: nothing that could end a header or a URL. */
static bool is_host(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
            (!c || !strchr(".:-_[]", c)))
            return false;
    }
    return text.len > 0;
}

void client_origin(const struct request *request, char out[CLIENT_ORIGIN_SIZE])
{
    struct slice proto = told_by_proxy(request, "X-Forwarded-Proto", "proto=");
    struct slice host = told_by_proxy(request, "X-Forwarded-Host", "host=");
    bool tls = request->over_tls;
    if (slice_is(proto, "https") || slice_is(proto, "http"))
        tls = proto.len == 5;
    if (!is_host(host) && !request_header_at(request, "Host", 0, &host))
        host.len = 0;
    out[0] = '\0';
    if (is_host(host) && host.len < CLIENT_ORIGIN_SIZE - sizeof "https://")
        snprintf(out, CLIENT_ORIGIN_SIZE, "%s://%.*s", tls ? "https" : "http", (int)host.len, host.ptr);
}
