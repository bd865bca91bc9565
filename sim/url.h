/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* An http URL in its parts, with the address of its host. */
#ifndef DFOTA_SIM_URL_H
#define DFOTA_SIM_URL_H

#include <stdbool.h>
#include <sys/socket.h>
#include "base/error.h"

#define URL_HOST_SIZE 128 /* limit of the EC618 CSDK: 127 bytes and NUL */

struct url {
    char host[URL_HOST_SIZE + 8]; /* value of the Host header, with the port as written in the URL */
    const char *path;             /* with the query; at least "/"; borrowed from the parsed text */
    struct sockaddr_storage address;
    socklen_t address_len;
};

/* Parses http://HOST[:PORT][/…]. ERROR_INVALID: not such a URL. ERROR_UNAVAILABLE: HOST cannot be resolved.
   Blocks; any thread. */
bool url_parse(const char *text, struct url *ret, struct error *err);

#endif
