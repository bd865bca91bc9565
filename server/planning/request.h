/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Asks for packages: for one that an admin wants, or for those that a device needs next. */
#ifndef DFOTA_SERVER_PLANNING_REQUEST_H
#define DFOTA_SERVER_PLANNING_REQUEST_H

#include "storage/firmware.h"
#include "storage/image.h"
#include "storage/package.h"

struct daemon;

struct package_request {
    const struct firmware *firmware;
    const struct image *from, *to;
    bool requeue_failed; /* also where it has failed before */
    int64_t now_ms;
};

/* Writer's thread: queues the package in the format of the firmware, unless it is there or has failed, and wakes the
   jobs. Does nothing for a firmware without a format. ERROR_INVALID: the package cannot be made. */
bool package_request(struct db *db, struct daemon *daemon, const struct package_request *request,
                     struct error *err) __attribute__((warn_unused_result));

/* Writer's thread: queues the package of the key, unless it is there or has failed, and wakes the jobs. */
bool package_request_key(struct db *db, struct daemon *daemon, const struct package_key *key, int64_t now_ms,
                         struct error *err) __attribute__((warn_unused_result));

/* Writer's thread: a device of this firmware runs, or probably runs, `version`, and of it the image with the hash
   `build` (NULL or zero: not known). Queues what the device needs next on its
   way to the target. */
bool package_request_upgrade(struct db *db, struct daemon *daemon, const struct firmware *firmware,
                             const char *version, const struct sha256 *build, int64_t now_ms,
                             struct error *err) __attribute__((warn_unused_result));

#endif
