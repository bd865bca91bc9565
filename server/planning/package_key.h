/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The key of the package between two images of a firmware, and the pairs that need no delta or cannot have one. */
#ifndef DFOTA_SERVER_PLANNING_PACKAGE_KEY_H
#define DFOTA_SERVER_PLANNING_PACKAGE_KEY_H

#include "storage/firmware.h"
#include "storage/image.h"
#include "storage/package.h"

struct daemon;

/* The key of the package from → to: all that decides its bytes. Any thread. */
void package_key_of(const struct daemon *daemon, const struct firmware *firmware, const struct image *from,
                    const struct image *to, struct package_key *ret);

/* No delta is made from or to a full package: the script inside is compressed. Nor between releases whose scripts have
   other places. */
bool package_key_can_be_made(const struct image *from, const struct image *to);

/* Whether a device that runs `base` can take the script of a full package for its core. `images`: all of the firmware.
   Each build of `base` has to fit. When the image of `base` is not here, or does not say where its script is, every image of its core that says so has to
   fit: the device may run any of these builds. False: `why` is a sentence. */
bool package_key_full_fits(const struct image *package, const struct version *base,
                           const struct image *images, size_t count, char why[FULL_WHY_SIZE]);

/* *ret: the target of the firmware is a full package, and its core and its script fit a device that runs `base`. The device then
   gets the target itself. */
bool package_key_is_full(struct db *db, const struct firmware *firmware, const struct version *base,
                         bool *ret, struct error *err) __attribute__((warn_unused_result));

#endif
