/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The two listeners of the server: for devices and for admins. */
#ifndef DFOTA_SERVER_LISTENERS_H
#define DFOTA_SERVER_LISTENERS_H

#include "server/context.h"

struct listener;
struct terminator;

struct listeners {
    struct listener *device, *admin;           /* NULL: not open */
    struct terminator *device_tls, *admin_tls; /* TLS in front of them; NULL: none */
    char device_url[72]; /* made of the bound address; daemon->device_url may point here */
};

/* Reads the certificates that the configuration names. ERROR_INVALID names the key and the file. */
bool listeners_check(const struct config *config, struct error *err) __attribute__((warn_unused_result));
/* Opens both, sets daemon->device_url and logs the addresses. *ret is zeroed before, and has to be closed also after
   false. */
bool listeners_open(struct daemon *daemon, struct listeners *ret, struct error *err)
    __attribute__((warn_unused_result));
/* For the watchdog: the older of the two values of listener_turned_ms() (http/listener.h). Both are open. */
int64_t listeners_turned_ms(struct listeners *listeners);
/* Accepts no more and waits for the requests in hand until until_ms (boot clock). False: some are not answered. */
bool listeners_drain(struct listeners *listeners, int64_t until_ms);
/* After a reload: links begin with the address of the new configuration, and handshakes use the new certificates. */
void listeners_reload(struct listeners *listeners, struct daemon *daemon);
/* Warns of certificates that end soon; call it once a day. */
void listeners_warn(const struct daemon *daemon);
void listeners_close(struct listeners *listeners);

#endif
