/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The package that a firmware needs from one version: found by the images' bytes, asked for, judged against
 * the limit. */
#ifndef DFOTA_SERVER_PLANNING_REQUEST_H
#define DFOTA_SERVER_PLANNING_REQUEST_H

#include "storage/firmware.h"
#include "storage/image.h"
#include "storage/package.h"

struct daemon;

/* What decides the bytes of the package from → to of this firmware. Any thread. */
void package_key_of(const struct daemon *daemon, const struct firmware *firmware, const struct image *from,
                    const struct image *to, struct package_key *ret);

/* Nothing is diffed from or to a full package: what its devices run stands packed inside of it. */
bool package_key_can_be_made(const struct image *from, const struct image *to);

/* A device that runs `base` is served the target as it is: it is a full package, and the core is right. */
bool package_key_is_full(struct db *db, const struct firmware *firmware, const struct version *base,
                         bool *ret, struct error *err) __attribute__((warn_unused_result));

/* Writer's thread: the package from → to in the firmware's format is wanted: queued where it is not there (or
   failed and `again` is set), and the jobs are woken. Without a format nothing happens. ERROR_INVALID where
   it cannot be made. */
bool package_request(struct db *db, struct daemon *daemon, const struct firmware *firmware,
                     const struct image *from, const struct image *to, bool again, int64_t now_ms,
                     struct error *err) __attribute__((warn_unused_result));

/* Writer's thread: a device of this firmware runs, or is thought to run, `version`: what its way to the target needs
   next is wanted. */
bool package_request_upgrade(struct db *db, struct daemon *daemon, const struct firmware *firmware,
                             const char *version, int64_t now_ms, struct error *err)
    __attribute__((warn_unused_result));

#endif
