/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The two listeners of the server: for devices and for admins. */
#ifndef DFOTA_SERVER_LISTENERS_H
#define DFOTA_SERVER_LISTENERS_H

#include "server/context.h"

struct listener;

struct listeners {
    struct listener *device, *admin; /* NULL: not open */
    char device_url[72];             /* made of the bound address; daemon->device_url may point here */
};

/* Opens both, sets daemon->device_url and logs the addresses. *ret is zeroed before, and has to be closed also after
   false. */
bool listeners_open(struct daemon *daemon, struct listeners *ret, struct error *err)
    __attribute__((warn_unused_result));
/* For the watchdog: the older of the two values of listener_turned_ms() (http/listener.h). Both are open. */
int64_t listeners_turned_ms(struct listeners *listeners);
/* Accepts no more and waits for the requests in hand until until_ms (boot clock). False: some are not answered. */
bool listeners_drain(struct listeners *listeners, int64_t until_ms);
void listeners_close(struct listeners *listeners);

#endif
