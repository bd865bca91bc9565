/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "server/core/listen_address.h"
#include "server/http/loop.h"

#define BACKLOG 1024

struct listener {
    struct listener_config config;
    struct loop **loop;
    unsigned loop_count;
    struct sockaddr_storage address;
    struct capacity capacity;
};

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

/* With SO_REUSEPORT a second server of the same user could share the port unnoticed: first tries without
   it. */
static bool check_free(const struct listener *listener, struct error *err)
{
    _cleanup_(cleanup_close) int fd = bind_socket(&listener->address, false);
    return fd >= 0 || error_errno(err, errno, "%s cannot be listened on", listener->config.address);
}

/* The first socket decides the port. */
static bool open_socket(struct listener *listener, int *ret, struct error *err)
{
    int fd = bind_socket(&listener->address, true);
    socklen_t len = sizeof listener->address;
    if (fd < 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&listener->address, &len) != 0) {
        error_errno(err, errno, "%s cannot be listened on", listener->config.address);
        if (fd >= 0)
            close(fd);
        return false;
    }
    *ret = fd;
    return true;
}

static bool start(struct listener *listener, struct error *err)
{
    if (!listen_address_parse(listener->config.address, &listener->address, err) ||
        !check_free(listener, err))
        return false;
    unsigned wanted = listener->config.loops ? listener->config.loops : 1;
    listener->loop = calloc(wanted, sizeof(struct loop *));
    if (!listener->loop)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    while (listener->loop_count < wanted) {
        int fd;
        if (!open_socket(listener, &fd, err))
            return false;
        if (!loop_start(&listener->capacity, &listener->config, fd, &listener->loop[listener->loop_count],
                        err))
            return false;
        listener->loop_count++;
    }
    return true;
}

bool listener_open(const struct listener_config *config, struct listener **ret, struct error *err)
{
    struct listener *listener = calloc(1, sizeof *listener);
    if (!listener)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    listener->config = *config;
    capacity_init(&listener->capacity, config);
    if (!start(listener, err)) {
        listener_close(listener);
        return false;
    }
    *ret = listener;
    return true;
}

void listener_address(const struct listener *listener, char out[64])
{
    char host[INET6_ADDRSTRLEN] = "";
    if (listener->address.ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)&listener->address;
        inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
        snprintf(out, 64, "%s:%u", host, ntohs(four->sin_port));
    } else {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&listener->address;
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
        snprintf(out, 64, "[%s]:%u", host, ntohs(six->sin6_port));
    }
}

int64_t listener_turned_ms(struct listener *listener)
{
    int64_t oldest = INT64_MAX;
    for (unsigned i = 0; i < listener->loop_count; i++) {
        int64_t turned = atomic_load(&listener->loop[i]->shared.turned_ms);
        oldest = turned < oldest ? turned : oldest;
        capacity_wake(&listener->loop[i]->shared);
    }
    return oldest;
}

bool listener_drain(struct listener *listener, int64_t deadline_ms)
{
    return capacity_drain(&listener->capacity, deadline_ms);
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    capacity_stop(&listener->capacity);
    for (unsigned i = 0; i < listener->loop_count; i++)
        loop_join(listener->loop[i]);
    free(listener->loop);
    capacity_destroy(&listener->capacity);
    free(listener);
}
