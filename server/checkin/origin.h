/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Where a request comes from, as far as requests of one device are told apart by it: the peer's address
   without its port, of IPv6 the first 64 bits, which one subscriber has for himself. */
#ifndef DFOTA_SERVER_CHECKIN_ORIGIN_H
#define DFOTA_SERVER_CHECKIN_ORIGIN_H

#include "storage/device.h"

#define ORIGIN_LINK "link" /* over a link that an admin made: no address looks like it */

/* `peer` as in struct request: "192.0.2.7:40312", "[2001:db8::7]:40312". Any thread. */
void origin_of_peer(const char *peer, char out[ORIGIN_SIZE]);

#endif
