/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Failed attempts to use a token, counted for each address (IPv4) or network (IPv6 /64). An address may fail
   ATTEMPTS_BURST times at once, and then once in ATTEMPTS_EVERY_MS; further failures are answered with 429 and not
   logged. Right tokens are not affected: they have 256 random bits, so the limit is there for the load and the log, and
   an admin behind the same address as an attacker is not locked out.

   At most ATTEMPTS_MAX addresses are in memory; the one whose failures are forgotten first makes room. */
#ifndef DFOTA_SERVER_ACCESS_ATTEMPTS_H
#define DFOTA_SERVER_ACCESS_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

#define ATTEMPTS_BURST    10
#define ATTEMPTS_EVERY_MS 6000
#define ATTEMPTS_MAX      512

struct attempts;

bool attempts_open(struct attempts **ret, struct error *err) __attribute__((warn_unused_result));
void attempts_close(struct attempts *attempts); /* NULL is fine */

/* Notes a failed attempt. False: the address has failed too often. `address`: without a port; now_ms: boot clock.
   Quick, any thread. */
bool attempts_note(struct attempts *attempts, const char *address, int64_t now_ms);

#endif
