/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/core/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include "base/slice.h"

static bool parse_port(struct slice text, in_port_t *ret)
{
    uint64_t port;
    if (!slice_u64(text, &port) || port > 65535)
        return false;
    *ret = htons((uint16_t)port);
    return true;
}

static bool parse_v6(struct slice text, struct sockaddr_in6 *ret)
{
    char host[INET6_ADDRSTRLEN];
    struct slice inside;
    if (!slice_starts(text, "["))
        return false;
    text.ptr++;
    text.len--;
    ret->sin6_family = AF_INET6;
    return slice_split(&text, ']', &inside) && slice_starts(text, ":") &&
           slice_copy(inside, host, sizeof host) && inet_pton(AF_INET6, host, &ret->sin6_addr) == 1 &&
           parse_port((struct slice){text.ptr + 1, text.len - 1}, &ret->sin6_port);
}

static bool parse_v4(struct slice text, struct sockaddr_in *ret)
{
    char host[INET_ADDRSTRLEN];
    struct slice name;
    ret->sin_family = AF_INET;
    return slice_split(&text, ':', &name) && text.ptr && slice_copy(name, host, sizeof host) &&
           inet_pton(AF_INET, host, &ret->sin_addr) == 1 && parse_port(text, &ret->sin_port);
}

bool listen_address_parse(const char *address, struct sockaddr_storage *ret, struct error *err)
{
    memset(ret, 0, sizeof *ret);
    if (parse_v4(slice_of(address), (struct sockaddr_in *)ret))
        return true;
    memset(ret, 0, sizeof *ret);
    if (parse_v6(slice_of(address), (struct sockaddr_in6 *)ret))
        return true;
    return error_set(err, ERROR_INVALID,
                     "\"%s\" is not an address: HOST:PORT with a numeric host, [HOST]:PORT for IPv6",
                     address);
}
