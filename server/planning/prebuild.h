/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The matrix: every forward pair of a firmware's images is asked for in the background, so that a path is known before
   the first device needs it. One thread of its own; it writes in small transactions, so that check-ins go on
   in between, and what it asks for is made last (package.wanted 0). */
#ifndef DFOTA_SERVER_PLANNING_PREBUILD_H
#define DFOTA_SERVER_PLANNING_PREBUILD_H

#include <stdint.h>
#include "base/error.h"

struct daemon;
struct prebuild;

/* Asks for what is missing in every firmware; with the configuration's `prebuild = needed` for nothing, and what was only
   queued for the matrix is forgotten. */
bool prebuild_start(struct daemon *daemon, struct prebuild **ret, struct error *err);
/* There is a new image, or one is no longer withdrawn: its pairs. Image 0: all pairs of the firmware, whose format
   was set. Any thread. */
void prebuild_add(struct prebuild *prebuild, int64_t firmware_id, int64_t image_id);
/* When nobody calls prebuild_add() any more, before the writer is stopped. NULL is fine. */
void prebuild_stop(struct prebuild *prebuild);

#endif
