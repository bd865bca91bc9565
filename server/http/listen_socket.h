/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets. Internal to the http folder; any thread. */
#ifndef DFOTA_SERVER_HTTP_LISTEN_SOCKET_H
#define DFOTA_SERVER_HTTP_LISTEN_SOCKET_H

#include <stdbool.h>
#include <sys/socket.h>
#include "base/error.h"

/* Binds and listens. *address: read, and filled with the port that the system chose. `text` is the address for the
   error. shared: several sockets of this process get the connections by turns. The caller closes *ret. */
bool listen_socket_open(struct sockaddr_storage *address, const char *text, bool shared, int *ret,
                        struct error *err);
/* Whether the address is free. With SO_REUSEPORT a second server of the same user could share the port unnoticed. */
bool listen_socket_check(const struct sockaddr_storage *address, const char *text, struct error *err);
/* "127.0.0.1:41233", "[::1]:8080". */
void listen_socket_text(const struct sockaddr_storage *address, char out[64]);

#endif
