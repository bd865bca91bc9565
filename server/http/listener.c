/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/listener.h"

#include <stdatomic.h>
#include <stdlib.h>
#include "server/core/listen_address.h"
#include "server/http/listen_socket.h"
#include "server/http/loop.h"

struct listener {
    struct listener_config config;
    struct loop **loop;
    unsigned loop_count;
    struct sockaddr_storage address;
    struct capacity capacity;
    _Atomic unsigned given; /* by listener_give() */
};

static bool start(struct listener *listener, struct error *err)
{
    if (!listen_address_parse(listener->config.address, &listener->address, err) ||
        !listen_socket_check(&listener->address, listener->config.address, err))
        return false;
    unsigned wanted = listener->config.loops ? listener->config.loops : 1;
    listener->loop = calloc(wanted, sizeof(struct loop *));
    if (!listener->loop)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    while (listener->loop_count < wanted) {
        int fd;
        /* The first socket decides the port. */
        if (!listen_socket_open(&listener->address, listener->config.address, true, &fd, err))
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
    listen_socket_text(&listener->address, out);
}

void listener_give(struct listener *listener, int fd, const struct sockaddr_storage *peer)
{
    unsigned turn = atomic_fetch_add(&listener->given, 1);
    loop_give(listener->loop[turn % listener->loop_count], fd, peer);
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
