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

/* The key of the full package of CSDK of this image, which leads from any version. */
void package_key_of_whole(const struct firmware *firmware, const struct image *to, struct package_key *ret);

/* No delta is made from or to a full package: the script inside is compressed. Nor between releases whose scripts have
   other places. */
bool package_key_can_be_made(const struct image *from, const struct image *to);

/* Where devices that run a version have their script, as far as it is known: from the release with the hash `build` (NULL or
   zero: not known), else from all builds of that version, else from all releases of its core, any of which the device may
   run. */
struct package_base {
    struct full_script script;
    bool differs; /* two builds have their scripts in different places, or for different machines */
};
void package_base_of(const struct image *images, size_t count, const struct version *version,
                     const struct sha256 *build,
                     struct package_base *ret); /* `images`: all of the firmware */

/* Whether such a device can take the script of a full package for its core. False: `why` is a sentence. */
bool package_base_takes(const struct package_base *base, const struct image *package,
                        char why[FULL_WHY_SIZE]);

/* *ret: the device that runs `base` needs neither image nor delta. The target of the firmware is a full package that fits
   it, or the firmware takes full packages of CSDK. */
bool package_key_is_full(struct db *db, const struct firmware *firmware, const struct version *base,
                         bool *ret, struct error *err) __attribute__((warn_unused_result));

#endif
