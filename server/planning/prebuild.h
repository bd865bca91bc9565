/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The matrix: requests every forward pair of a firmware's images in the background, so that a path exists
   before the first device needs it. One thread, which writes in small transactions, so that check-ins go
   on in between. These packages are made last (package.wanted 0). */
#ifndef DFOTA_SERVER_PLANNING_PREBUILD_H
#define DFOTA_SERVER_PLANNING_PREBUILD_H

#include <stdint.h>
#include "base/error.h"

struct daemon;
struct prebuild;

/* Requests the missing pairs of every firmware. With `matrix = needed` in the configuration it requests
   nothing, and packages that were only queued for the matrix are removed from the queue. */
bool prebuild_start(struct daemon *daemon, struct prebuild **ret, struct error *err);
/* Requests the pairs of a new image, or of one that is no longer withdrawn. image_id 0: all pairs of the
   firmware, after its format was set. Any thread. */
void prebuild_add(struct prebuild *prebuild, int64_t firmware_id, int64_t image_id);
/* After the last prebuild_add(), before the writer is stopped. NULL is fine. */
void prebuild_stop(struct prebuild *prebuild);

#endif
