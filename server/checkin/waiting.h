/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The devices that were told to ask again soon, because as many transfers run as are allowed. In memory: after a restart
   nobody waits. A device that does not ask for a while is forgotten. Writer's thread. */
#ifndef DFOTA_SERVER_CHECKIN_WAITING_H
#define DFOTA_SERVER_CHECKIN_WAITING_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

#define WAITING_MAX       256   /* devices; further ones are told to ask later */
#define WAITING_FORGET_MS 75000 /* modules that ask again by themselves do so every 30 seconds */

struct waiting;

bool waiting_open(struct waiting **ret, struct error *err);
/* The number of other devices that wait, and came before this one. device_id 0: a new device. now_ms: boot clock. */
unsigned waiting_before(struct waiting *waiting, int64_t device_id, int64_t now_ms);
/* The device asked, and waits or does not. */
void waiting_set(struct waiting *waiting, int64_t device_id, bool waits, int64_t now_ms);
void waiting_close(struct waiting *waiting); /* NULL is fine */

#endif
