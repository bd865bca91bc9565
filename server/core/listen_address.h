/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Addresses to listen on, as text. */
#ifndef DFOTA_SERVER_CORE_LISTEN_ADDRESS_H
#define DFOTA_SERVER_CORE_LISTEN_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>
#include "base/error.h"

/* Reads "HOST:PORT" with a numeric host, or "[HOST]:PORT" for IPv6. ERROR_INVALID for anything else. Any thread. */
bool listen_address_parse(const char *address, struct sockaddr_storage *ret, struct error *err);

#endif
