/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Where a module asks: an http URL taken apart, and the address behind its host. */
#ifndef DFOTA_SIM_URL_H
#define DFOTA_SIM_URL_H

#include <stdbool.h>
#include <sys/socket.h>
#include "base/error.h"

#define URL_HOST_SIZE 128 /* what the EC618 CSDK takes: 127 and NUL */

struct url {
    char host[URL_HOST_SIZE + 8]; /* as in the Host header, with the port where it is not 80 */
    const char *path;             /* with the query, "/" at least; points into the text that was parsed */
    struct sockaddr_storage address;
    socklen_t address_len;
};

/* Takes http://HOST[:PORT][/…]. ERROR_INVALID: it is none; ERROR_UNAVAILABLE: HOST does not resolve.
   Blocking, any thread. */
bool url_parse(const char *text, struct url *ret, struct error *err);

#endif
