/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/tunnel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "server/core/log.h"
#include "server/http/listen_socket.h"

#define RECORDS_PER_STEP 16 /* then other tunnels have their turn */
#define LINGER_MS        10000
/* What the kernel may hold between the listener and the tunnel: what is there counts as handed over already. */
#define HELD_BYTES (64 * 1024)

struct tunnel *tunnel_of(struct crowd_member *member)
{
    return (struct tunnel *)(void *)((char *)member - offsetof(struct tunnel, member));
}

void tunnel_log_failure(const struct tunnel *tunnel)
{
    char peer[64];
    listen_socket_text(&tunnel->peer, peer);
    log_stranger(LOG_LEVEL_INFO, "tls-failed", "peer", peer, "reason", tunnel->failure, NULL);
}

static void move_to(struct tunnel *tunnel, enum tunnel_state state, int64_t now_ms)
{
    tunnel->state = state;
    tunnel->since_ms = tunnel->acked_ms = now_ms;
}

static bool keep(struct tunnel_rest *rest, const char *bytes, size_t size)
{
    rest->bytes = malloc(size);
    if (!rest->bytes)
        return false;
    memcpy(rest->bytes, bytes, size);
    rest->at = 0;
    rest->size = size;
    return true;
}

static void drop(struct tunnel_rest *rest)
{
    free(rest->bytes);
    *rest = (struct tunnel_rest){0};
}

/* ---- The handshake ---- */

static bool shake_hands(struct tunnel *tunnel)
{
    ERR_clear_error();
    int result = SSL_accept(tunnel->ssl);
    int reason = SSL_get_error(tunnel->ssl, result);
    tunnel->wants_write = result != 1 && reason == SSL_ERROR_WANT_WRITE;
    if (result == 1)
        return true;
    if (reason != SSL_ERROR_WANT_WRITE && reason != SSL_ERROR_WANT_READ) {
        const char *text = ERR_reason_error_string(ERR_peek_error());
        tunnel->failure = text ? text : "the peer has closed the connection";
    }
    return false;
}

/* A listening socket for one connection only: nothing else in the machine has the time to find it. */
static int listen_once(struct sockaddr_in *address)
{
    socklen_t len = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)address, sizeof *address) == 0 && listen(fd, 1) == 0 &&
        getsockname(fd, (struct sockaddr *)address, &len) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Whether the accepted connection is ours. */
static bool is_same(const struct sockaddr_in *accepted, int connected)
{
    struct sockaddr_in own;
    socklen_t len = sizeof own;
    return getsockname(connected, (struct sockaddr *)&own, &len) == 0 && own.sin_port == accepted->sin_port &&
           own.sin_addr.s_addr == accepted->sin_addr.s_addr;
}

bool tunnel_connect(struct tunnel *tunnel, int *ret)
{
    struct sockaddr_in address, from;
    socklen_t len = sizeof from;
    int one = 1;
    _cleanup_(cleanup_close) int listening = listen_once(&address);
    _cleanup_(cleanup_close) int near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(near, SOL_SOCKET, SO_RCVBUF, &(int){HELD_BYTES}, sizeof(int));
    if (listening < 0 || near < 0 || connect(near, (struct sockaddr *)&address, sizeof address) != 0)
        return false;
    _cleanup_(cleanup_close) int far =
        accept4(listening, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (far < 0 || !is_same(&from, near) || fcntl(near, F_SETFL, O_NONBLOCK) != 0)
        return false;
    setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    tunnel->inner.fd = near;
    *ret = far;
    near = far = -1;
    return true;
}

/* ---- Peer to listener ---- */

/* False: the rest must wait. */
static bool send_up(struct tunnel *tunnel, const char *bytes, size_t size)
{
    ssize_t sent = send(tunnel->inner.fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        /* The listener has closed: an answer may still be on its way. What the peer sends is dropped. */
        drop(&tunnel->up);
        tunnel->up_told = true;
        return true;
    }
    size_t done = sent > 0 ? (size_t)sent : 0;
    if (tunnel->up.bytes) {
        tunnel->up.at += done;
        if (tunnel->up.at == tunnel->up.size)
            drop(&tunnel->up);
    } else if (done < size && !keep(&tunnel->up, bytes + done, size - done)) {
        tunnel->failure = "out of memory";
    }
    return !tunnel->up.bytes;
}

/* False: no record is there. */
static bool read_record(struct tunnel *tunnel, char *scratch)
{
    size_t got = 0;
    ERR_clear_error();
    if (SSL_read_ex(tunnel->ssl, scratch, TUNNEL_SCRATCH, &got) == 1) {
        if (!tunnel->up_told)
            send_up(tunnel, scratch, got);
        return true;
    }
    int reason = SSL_get_error(tunnel->ssl, 0);
    if (reason == SSL_ERROR_ZERO_RETURN)
        tunnel->up_ended = true;
    else if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE)
        tunnel->failure = "the connection was cut, or is not TLS any more";
    return false;
}

static void move_up(struct tunnel *tunnel, char *scratch)
{
    if (tunnel->up.bytes &&
        !send_up(tunnel, tunnel->up.bytes + tunnel->up.at, tunnel->up.size - tunnel->up.at))
        return;
    for (int i = 0; i < RECORDS_PER_STEP && !tunnel->up.bytes && !tunnel->up_ended && !tunnel->failure; i++)
        if (!read_record(tunnel, scratch))
            break;
    if (tunnel->up_ended && !tunnel->up.bytes && !tunnel->up_told) {
        shutdown(tunnel->inner.fd, SHUT_WR);
        tunnel->up_told = true;
    }
}

/* ---- Listener to peer ---- */

/* False: the rest must wait. */
static bool send_down(struct tunnel *tunnel, const char *bytes, size_t size)
{
    size_t done = 0;
    ERR_clear_error();
    if (SSL_write_ex(tunnel->ssl, bytes, size, &done) != 1) {
        int reason = SSL_get_error(tunnel->ssl, 0);
        done = 0;
        if (reason != SSL_ERROR_WANT_WRITE && reason != SSL_ERROR_WANT_READ)
            tunnel->failure = "the peer has closed the connection";
    }
    if (tunnel->down.bytes) {
        tunnel->down.at += done;
        if (tunnel->down.at == tunnel->down.size)
            drop(&tunnel->down);
    } else if (done < size && !keep(&tunnel->down, bytes + done, size - done)) {
        tunnel->failure = "out of memory";
    }
    return !tunnel->down.bytes;
}

static void move_down(struct tunnel *tunnel, char *scratch)
{
    if (tunnel->down.bytes &&
        !send_down(tunnel, tunnel->down.bytes + tunnel->down.at, tunnel->down.size - tunnel->down.at))
        return;
    for (int i = 0; i < RECORDS_PER_STEP && !tunnel->down_ended && !tunnel->failure; i++) {
        ssize_t got = recv(tunnel->inner.fd, scratch, TUNNEL_SCRATCH, MSG_DONTWAIT);
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            tunnel->failure = "the server has given the connection up";
        if (got == 0)
            tunnel->down_ended = true;
        if (got <= 0 || !send_down(tunnel, scratch, (size_t)got))
            return;
    }
}

/* ---- The end ---- */

static void close_outer(struct tunnel *tunnel, int64_t now_ms)
{
    ERR_clear_error();
    int result = SSL_shutdown(tunnel->ssl);
    tunnel->wants_write = result < 0 && SSL_get_error(tunnel->ssl, result) == SSL_ERROR_WANT_WRITE;
    if (tunnel->wants_write)
        return;
    shutdown(tunnel->outer.fd, SHUT_WR);
    close(tunnel->inner.fd); /* leaves epoll, too */
    tunnel->inner.fd = -1;
    move_to(tunnel, TUNNEL_DRAINING, now_ms);
}

/* Bytes that the kernel holds for the peer. */
static bool has_unsent(const struct tunnel *tunnel)
{
    int waiting = 0;
    (void)!ioctl(tunnel->outer.fd, SIOCOUTQ, &waiting);
    return waiting > 0;
}

/* Drops what the peer still sends: a close with unread bytes would reset the connection and destroy the answer. */
static void await_close(struct tunnel *tunnel)
{
    ssize_t got = recv(tunnel->outer.fd, NULL, 1 << 20, MSG_TRUNC | MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        tunnel->is_over = true;
}

bool tunnel_step(struct tunnel *tunnel, char *scratch, int64_t now_ms)
{
    if (tunnel->state == TUNNEL_HANDSHAKE) {
        if (!shake_hands(tunnel))
            return false;
        move_to(tunnel, TUNNEL_RELAY, now_ms);
        return true;
    }
    if (tunnel->state == TUNNEL_RELAY) {
        move_up(tunnel, scratch);
        if (!tunnel->failure)
            move_down(tunnel, scratch);
        if (!tunnel->failure && tunnel->down_ended && !tunnel->down.bytes)
            close_outer(tunnel, now_ms);
    }
    if (tunnel->state == TUNNEL_DRAINING && !has_unsent(tunnel))
        move_to(tunnel, TUNNEL_CLOSING, now_ms);
    if (tunnel->state == TUNNEL_DRAINING || tunnel->state == TUNNEL_CLOSING)
        await_close(tunnel);
    return false;
}

uint32_t tunnel_outer_events(const struct tunnel *tunnel)
{
    bool reads = tunnel->state != TUNNEL_RELAY || (!tunnel->up.bytes && !tunnel->up_ended);
    bool writes = tunnel->wants_write || tunnel->down.bytes;
    return (reads ? EPOLLIN : 0u) | (writes ? EPOLLOUT : 0u);
}

uint32_t tunnel_inner_events(const struct tunnel *tunnel)
{
    bool reads = !tunnel->down.bytes && !tunnel->down_ended;
    return (reads ? EPOLLIN : 0u) | (tunnel->up.bytes ? EPOLLOUT : 0u);
}

bool tunnel_is_stalled(struct tunnel *tunnel, int64_t idle_ms, uint64_t least, int64_t now_ms)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (tunnel->state == TUNNEL_CLOSING)
        return now_ms - tunnel->since_ms >= LINGER_MS;
    if (getsockopt(tunnel->outer.fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return true;
    if ((!has_unsent(tunnel) && !tunnel->down.bytes) ||
        info.tcpi_bytes_acked - tunnel->acked >= (least ? least : 1)) {
        tunnel->acked = info.tcpi_bytes_acked;
        tunnel->acked_ms = now_ms;
    }
    return now_ms - tunnel->acked_ms >= idle_ms;
}

static void close_side(struct tunnel_side *side, bool reset)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (side->fd < 0)
        return;
    if (reset)
        setsockopt(side->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(side->fd);
    side->fd = -1;
}

void tunnel_free(struct tunnel *tunnel)
{
    bool reset = tunnel->failure && tunnel->state != TUNNEL_HANDSHAKE;
    SSL_free(tunnel->ssl);
    close_side(&tunnel->outer, reset);
    close_side(&tunnel->inner, reset);
    drop(&tunnel->up);
    drop(&tunnel->down);
    free(tunnel);
}
