/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/listen_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>
#include "base/cleanup.h"

#define BACKLOG 1024

static socklen_t address_len(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* A bound socket, or -1 with errno. */
static int bind_socket(const struct sockaddr_storage *address, bool shared)
{
    int one = 1, fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if ((!shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0) &&
        bind(fd, (const struct sockaddr *)address, address_len(address)) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

bool listen_socket_check(const struct sockaddr_storage *address, const char *text, struct error *err)
{
    _cleanup_(cleanup_close) int fd = bind_socket(address, false);
    return fd >= 0 || error_errno(err, errno, "%s cannot be listened on", text);
}

bool listen_socket_open(struct sockaddr_storage *address, const char *text, bool shared, int *ret,
                        struct error *err)
{
    int fd = bind_socket(address, shared);
    socklen_t len = sizeof *address;
    if (fd < 0 || listen(fd, BACKLOG) != 0 || getsockname(fd, (struct sockaddr *)address, &len) != 0) {
        error_errno(err, errno, "%s cannot be listened on", text);
        if (fd >= 0)
            close(fd);
        return false;
    }
    *ret = fd;
    return true;
}

void listen_socket_text(const struct sockaddr_storage *address, char out[64])
{
    char host[INET6_ADDRSTRLEN] = "";
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
        snprintf(out, 64, "%s:%u", host, ntohs(four->sin_port));
    } else {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
        snprintf(out, 64, "[%s]:%u", host, ntohs(six->sin6_port));
    }
}
