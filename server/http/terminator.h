/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* TLS in front of a listener: accepts connections at an address of its own, and gives their plain bytes to the listener.
   One thread. libmicrohttpd's own TLS cannot be used: the gate reads each request head before libmicrohttpd gets the
   socket, so TLS has to end before the gate.

   A handshake has a time limit. The number of handshakes is limited; at the limit the oldest is closed, and one address
   may have half of them. A tunnel after its handshake counts as a connection of the listener. */
#ifndef DFOTA_SERVER_HTTP_TERMINATOR_H
#define DFOTA_SERVER_HTTP_TERMINATOR_H

#include <openssl/ssl.h>
#include "server/http/listener.h"

struct terminator;

struct terminator_config {
    const char *name;    /* of the thread */
    const char *address; /* as listener_config.address */
    struct listener *listener;
    unsigned max_connections;     /* of the listener */
    int64_t handshake_timeout_ms; /* from accept */
    int64_t idle_timeout_ms;      /* in which the peer must acknowledge bytes, while bytes wait for it */
    uint64_t least_rate;          /* bytes per second, over idle_timeout_ms; 0: one byte is enough */
};

/* Takes over `context`, also after false. The config is copied, what it points to is not. The listener must be open until
   terminator_close(). */
bool terminator_open(const struct terminator_config *config, SSL_CTX *context, struct terminator **ret,
                     struct error *err) __attribute__((warn_unused_result));
/* Further handshakes use this certificate; takes it over. Connections that exist go on. Any thread. */
void terminator_set_certificate(struct terminator *terminator, SSL_CTX *context);
void terminator_address(const struct terminator *terminator, char out[64]);
/* Accepts no more, and ends the handshakes. */
void terminator_stop_accepting(struct terminator *terminator);
/* Waits until all bytes are with the peers, at most deadline_ms. After listener_drain(). False: some are left. */
bool terminator_drain(struct terminator *terminator, int64_t deadline_ms);
void terminator_close(struct terminator *terminator); /* NULL is fine */

#endif
