/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/config/device_url.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include "base/slice.h"

#define MAX_HOST  127u /* the smallest buffer of the known modules */
#define MAX_LABEL 63u

enum reach { REACH_NONE, REACH_LOCAL, REACH_ANY };

static enum reach reach_of_four(uint32_t address) /* first byte highest */
{
    unsigned first = address >> 24;
    if (first == 127)
        return REACH_LOCAL;
    return first == 0 || first >= 224 ? REACH_NONE
                                      : REACH_ANY; /* this network; multicast, reserved, broadcast */
}

static enum reach reach_of_six(const struct in6_addr *address)
{
    uint32_t last;
    if (IN6_IS_ADDR_LOOPBACK(address))
        return REACH_LOCAL;
    if (IN6_IS_ADDR_UNSPECIFIED(address) || IN6_IS_ADDR_MULTICAST(address) || IN6_IS_ADDR_LINKLOCAL(address))
        return REACH_NONE;
    if (!IN6_IS_ADDR_V4MAPPED(address) && !IN6_IS_ADDR_V4COMPAT(address))
        return REACH_ANY;
    memcpy(&last, address->s6_addr + 12, sizeof last);
    return reach_of_four(ntohl(last));
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), tail = strlen(end);
    return len >= tail && strcasecmp(text + len - tail, end) == 0;
}

static enum reach reach_of_name(const char *host)
{
    static const char *const local[] = {
        "localhost",  "localhost.localdomain",   "localhost4",    "localhost4.localdomain4",
        "localhost6", "localhost6.localdomain6", "ip6-localhost", "ip6-loopback"};
    char name[MAX_HOST + 1];
    size_t len = strlen(host);
    memcpy(name, host, len + 1);
    if (len > 1 && name[len - 1] == '.')
        name[len - 1] = '\0';
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        if (strcasecmp(name, local[i]) == 0)
            return REACH_LOCAL;
    return ends_with(name, ".localhost") ? REACH_LOCAL : REACH_ANY;
}

static bool is_label(struct slice label)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
    char text[MAX_LABEL + 1];
    return label.len > 0 && slice_copy(label, text, sizeof text) && strspn(text, plain) == label.len &&
           text[0] != '-' && text[label.len - 1] != '-';
}

/* A host name. Its last label must not be a number: some programs read 127.1, 2130706433 and 0x7f000001 as
   addresses, modules do not. */
static bool is_name(const char *host)
{
    struct slice rest = slice_of(host), label;
    if (rest.len > 1 && host[rest.len - 1] == '.')
        rest.len--;
    for (bool more = true; more;) {
        more = slice_split(&rest, '.', &label);
        if (!is_label(label))
            return false;
    }
    bool hexadecimal = label.len > 1 && label.ptr[0] == '0' && (label.ptr[1] | 0x20) == 'x';
    return !hexadecimal && strspn(label.ptr, "0123456789") < label.len;
}

/* Reads `host`, which has no port. False: the text is not a name and not an address. */
static bool read_host(char *host, enum reach *ret)
{
    struct in_addr four;
    struct in6_addr six;
    size_t len = strlen(host);
    if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, &six) != 1)
            return false;
        *ret = reach_of_six(&six);
        return true;
    }
    if (inet_pton(AF_INET, host, &four) == 1) {
        *ret = reach_of_four(ntohl(four.s_addr));
        return true;
    }
    *ret = reach_of_name(host);
    return is_name(host);
}

static bool is_port(struct slice text)
{
    uint64_t port;
    return slice_u64(text, &port) && port >= 1 && port <= UINT16_MAX;
}

static bool read_url(const char *url, enum reach *ret)
{
    static const char *const schemes[] = {"http://", "https://"};
    const char *host = NULL;
    char text[MAX_HOST + 1];
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
            host = url + strlen(schemes[i]);
    if (!host)
        return false;
    const char *bracket = host[0] == '[' ? strchr(host, ']') : NULL;
    const char *colon = strchr(bracket ? bracket : host, ':');
    struct slice name = {host, colon ? (size_t)(colon - host) : strlen(host)};
    return name.len > 0 && slice_copy(name, text, sizeof text) && read_host(text, ret) &&
           (!colon || is_port(slice_of(colon + 1)));
}

bool device_url_check(const char *url, struct error *err)
{
    enum reach reach;
    if (!read_url(url, &reach))
        return error_set(
            err, ERROR_INVALID,
            "'%.60s' is not http://HOST or http://HOST:PORT (or https://), with nothing after it and a host "
            "of at most 127 bytes: a name, an IPv4 address as four numbers, or an IPv6 address in brackets",
            url);
    return reach != REACH_NONE ||
           error_set(err, ERROR_INVALID, "'%.60s' is not an address that a module can be sent to", url);
}

bool device_url_is_local(const char *url)
{
    enum reach reach;
    return read_url(url, &reach) && reach == REACH_LOCAL;
}

bool device_url_is_https(const char *url)
{
    return strncmp(url, "https://", strlen("https://")) == 0;
}

const char *device_url_warn_local(const char *url)
{
    return device_url_is_local(url)
               ? "the link leads to this machine's own loopback address, where no module can reach the "
                 "server: set public_device_url"
               : "";
}

const char *device_url_warn_https(const char *url)
{
    return device_url_is_https(url)
               ? "the link begins with https://: AT firmware fetches over plain http:// only"
               : "";
}
