/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The origin of a request: the peer's address without the port; for IPv6 the first 64 bits, which belong
   to one subscriber. Requests of one device are distinguished by it. */
#ifndef DFOTA_SERVER_CHECKIN_ORIGIN_H
#define DFOTA_SERVER_CHECKIN_ORIGIN_H

#include "storage/device.h"

#define ORIGIN_LINK "link" /* over a link that an admin made; no address has this text */

/* `peer` as in struct request: "192.0.2.7:40312", "[2001:db8::7]:40312". Any thread. */
void origin_of_peer(const char *peer, char out[ORIGIN_SIZE]);

#endif
