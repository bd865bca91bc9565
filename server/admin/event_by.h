/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Who made an admin's call, for the ledger. */
#ifndef DFOTA_SERVER_ADMIN_EVENT_BY_H
#define DFOTA_SERVER_ADMIN_EVENT_BY_H

#include <jansson.h>
#include "server/http/request.h"
#include "storage/firmware.h"

/* {"client":"198.51.100.7","name":…,"peer":"127.0.0.1:40312","token":"1f0e…","token_name":"admin"}. `client` is there
   when the peer is a proxy of admin_proxies that told the address. `token` is the first digits of the SHA-256 of the
   token. `name` is that of ?by=, if the call has one. */
json_t *event_by(const struct request *request);
/* Like event_by(), with the name from the body; "" or NULL: none. */
json_t *event_by_name(const struct request *request, const char *name);
/* The name of ?by=, "" if the call has none. */
void event_by_text(const struct request *request, char out[ADMIN_NAME_SIZE]);

#endif
