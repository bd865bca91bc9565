/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/origin.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define NETWORK_BYTES 8

static bool read_ipv6(const char *text, struct in6_addr *ret)
{
    char address[INET6_ADDRSTRLEN + 24]; /* with room for a scope */
    if (text[0] != '[')
        return false;
    snprintf(address, sizeof address, "%.*s", (int)strcspn(text + 1, "]%"), text + 1);
    return inet_pton(AF_INET6, address, ret) == 1;
}

void origin_of_peer(const char *peer, char out[ORIGIN_SIZE])
{
    struct in6_addr address;
    char network[INET6_ADDRSTRLEN];
    if (!read_ipv6(peer, &address)) {
        snprintf(out, ORIGIN_SIZE, "%.*s", (int)strcspn(peer, ":"), peer);
        return;
    }
    memset(&address.s6_addr[NETWORK_BYTES], 0, sizeof address.s6_addr - NETWORK_BYTES);
    inet_ntop(AF_INET6, &address, network, sizeof network);
    snprintf(out, ORIGIN_SIZE, "%.40s/64", network);
}
