/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "server/core/listen_address.h"
#include "server/http/loop.h"

#define BACKLOG 1024

struct listener {
    struct listener_config config;
    struct loop **loop;
    unsigned loop_count; /* with `loop` guarded by lock, once there is more than one thread */
    struct sockaddr_storage address;

    struct notices notices;
    _Atomic uint64_t bodies_bytes;
    _Atomic unsigned connections;
    _Atomic unsigned accepting; /* loops */
    _Atomic bool draining, stopping;
    pthread_mutex_t lock; /* with `quiet`: one of the counts has come down to 0 */
    pthread_cond_t quiet;
};

static socklen_t address_len(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* A bound socket, -1 with errno else. */
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

/* SO_REUSEPORT would let a second server of the same user share the port unnoticed: ask without it first. */
static bool check_free(const struct listener *listener, struct error *err)
{
    _cleanup_(cleanup_close) int fd = bind_socket(&listener->address, false);
    return fd >= 0 || error_errno(err, errno, "%s cannot be listened on", listener->config.address);
}

/* The first one settles the port. */
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
        atomic_fetch_add(&listener->accepting, 1);
        struct loop *loop;
        if (!loop_start(listener, &listener->config, fd, &loop, err)) {
            atomic_fetch_sub(&listener->accepting, 1);
            return false;
        }
        pthread_mutex_lock(&listener->lock);
        listener->loop[listener->loop_count++] = loop;
        pthread_mutex_unlock(&listener->lock);
    }
    return true;
}

bool listener_open(const struct listener_config *config, struct listener **ret, struct error *err)
{
    struct listener *listener = calloc(1, sizeof *listener);
    if (!listener)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    listener->config = *config;
    notices_init(&listener->notices, config->name);
    pthread_mutex_init(&listener->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&listener->quiet, &monotonic);
    pthread_condattr_destroy(&monotonic);
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

bool listener_count_in(struct listener *listener)
{
    if (atomic_fetch_add(&listener->connections, 1) < listener->config.max_connections)
        return true;
    listener_count_out(listener);
    return false;
}

unsigned listener_share(const struct listener *listener, unsigned divisor)
{
    unsigned loops = listener->config.loops ? listener->config.loops : 1;
    unsigned share = listener->config.max_connections / divisor / loops;
    return share ? share : 1;
}

struct notices *listener_notices(struct listener *listener)
{
    return &listener->notices;
}

bool listener_bodies_take(struct listener *listener, uint64_t bytes)
{
    uint64_t most = listener->config.max_bodies_bytes;
    uint64_t before = atomic_fetch_add(&listener->bodies_bytes, bytes);
    if (!most || before + bytes <= most)
        return true;
    listener_bodies_give(listener, bytes);
    return false;
}

void listener_bodies_give(struct listener *listener, uint64_t bytes)
{
    atomic_fetch_sub(&listener->bodies_bytes, bytes);
}

static void tell_quiet(struct listener *listener)
{
    pthread_mutex_lock(&listener->lock);
    pthread_cond_broadcast(&listener->quiet);
    pthread_mutex_unlock(&listener->lock);
}

void listener_count_out(struct listener *listener)
{
    if (atomic_fetch_sub(&listener->connections, 1) == 1 && atomic_load(&listener->draining))
        tell_quiet(listener);
}

void listener_loop_closed(struct listener *listener)
{
    if (atomic_fetch_sub(&listener->accepting, 1) == 1)
        tell_quiet(listener);
}

static bool is_quiet(struct listener *listener)
{
    return atomic_load(&listener->accepting) == 0 && atomic_load(&listener->connections) == 0;
}

bool listener_is_draining(struct listener *listener)
{
    return atomic_load(&listener->draining);
}

bool listener_is_stopping(struct listener *listener)
{
    return atomic_load(&listener->stopping);
}

static void wake_all(struct listener *listener)
{
    for (unsigned i = 0; i < listener->loop_count; i++)
        loop_wake(listener->loop[i]);
}

void listener_ask_room(struct listener *listener, const struct loop *asking)
{
    pthread_mutex_lock(&listener->lock);
    for (unsigned i = 0; i < listener->loop_count; i++) {
        if (listener->loop[i] == asking)
            continue;
        atomic_store(&listener->loop[i]->room_wanted, true);
        loop_wake(listener->loop[i]);
    }
    pthread_mutex_unlock(&listener->lock);
}

bool listener_drain(struct listener *listener, int64_t deadline_ms)
{
    atomic_store(&listener->draining, true);
    wake_all(listener);
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += deadline_ms / 1000;
    until.tv_nsec += deadline_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&listener->lock);
    int timed_out = 0;
    while (!is_quiet(listener) && !timed_out)
        timed_out = pthread_cond_timedwait(&listener->quiet, &listener->lock, &until);
    pthread_mutex_unlock(&listener->lock);
    return is_quiet(listener);
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    atomic_store(&listener->stopping, true);
    wake_all(listener);
    pthread_mutex_lock(&listener->lock);
    unsigned loop_count = listener->loop_count;
    listener->loop_count = 0; /* one that runs on does not wake one that has ended */
    pthread_mutex_unlock(&listener->lock);
    for (unsigned i = 0; i < loop_count; i++)
        loop_join(listener->loop[i]);
    free(listener->loop);
    notices_end(&listener->notices);
    pthread_cond_destroy(&listener->quiet);
    pthread_mutex_destroy(&listener->lock);
    free(listener);
}
