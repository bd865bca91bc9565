/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One TLS connection: the handshake, then bytes in both directions between the peer and the listener. The inner side is a
   TCP connection on the loopback interface, whose other end the listener gets: the gate, libmicrohttpd and the measuring
   of acknowledgements work on it as on any other. Internal to the http folder; terminator's thread. */
#ifndef DFOTA_SERVER_HTTP_TUNNEL_H
#define DFOTA_SERVER_HTTP_TUNNEL_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include "server/http/crowd.h"

#define TUNNEL_SCRATCH 16384 /* the most bytes of one TLS record */

enum tunnel_state {
    TUNNEL_HANDSHAKE,
    TUNNEL_RELAY,
    TUNNEL_DRAINING, /* the listener has ended its side: the rest is on its way to the peer */
    TUNNEL_CLOSING,  /* the peer has all bytes, and has not closed */
    TUNNEL_STATES
};

/* Bytes that one side sent and the other does not take yet. */
struct tunnel_rest {
    char *bytes; /* NULL: none */
    size_t at, size;
};

struct tunnel_side { /* the address of a side is the mark of its events */
    struct tunnel *tunnel;
    int fd;          /* -1: closed */
    uint32_t events; /* that epoll watches */
};

struct tunnel {
    struct tunnel_side outer, inner;
    SSL *ssl;
    struct sockaddr_storage peer;
    enum tunnel_state state;
    struct tunnel_rest up, down; /* to the listener, to the peer */
    bool up_ended, up_told;      /* the peer sends no more; the listener knows */
    bool down_ended;             /* the listener sends no more */
    bool wants_write;    /* the handshake or the end of TLS waits until the outer socket is writable */
    const char *failure; /* why it must end at once, or NULL; static text */
    bool is_over;        /* both sides have ended in order */
    int64_t since_ms;    /* of the state, boot clock */
    uint64_t acked;      /* bytes that the peer had acknowledged at acked_ms */
    int64_t acked_ms;
    struct crowd_member member; /* while the handshake lasts */
    TAILQ_ENTRY(tunnel) in_state;
};

/* The tunnel of a member of the crowd. */
struct tunnel *tunnel_of(struct crowd_member *member);
void tunnel_log_failure(const struct tunnel *tunnel);
/* Moves what can be moved without waiting. Sets `state`, `failure` or `is_over`. `scratch` has TUNNEL_SCRATCH bytes.
   True: the handshake has just succeeded, and the inner side is to be made. */
bool tunnel_step(struct tunnel *tunnel, char *scratch, int64_t now_ms);
/* The events to wait for on each side. */
uint32_t tunnel_outer_events(const struct tunnel *tunnel);
uint32_t tunnel_inner_events(const struct tunnel *tunnel);
/* Makes a pair of connected TCP sockets. inner.fd is one end; *ret, which the caller owns, the other. */
bool tunnel_connect(struct tunnel *tunnel, int *ret);
/* To be called about once a second, after tunnel_step(). True: bytes wait for the peer, who has acknowledged fewer than
   `least` (at least one) in idle_ms; or the peer has all bytes, and does not close. */
bool tunnel_is_stalled(struct tunnel *tunnel, int64_t idle_ms, uint64_t least, int64_t now_ms);
/* Closes both sides and frees. After a failure they are reset: nobody takes a part for the whole. */
void tunnel_free(struct tunnel *tunnel);

#endif
