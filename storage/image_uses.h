/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What uses one build of a version: devices, attempts, links, packages that are being made. */
#ifndef DFOTA_STORAGE_IMAGE_USES_H
#define DFOTA_STORAGE_IMAGE_USES_H

#include "storage/image.h"

struct image_uses {  /* of one build; numbers of devices, except generating */
    size_t builds;   /* that are stored of its version, with this one */
    bool assumed;    /* a device whose build is not known may run this one: no other build is the default */
    bool leads;      /* devices may be led to it when the version is a target */
    int64_t running; /* known to run this build */
    int64_t
        unclear; /* at this version, confirmed or asked from, and the build is not known; 0 unless `assumed` */
    int64_t coming;     /* an open attempt leads to it, or has it as target */
    int64_t leaving;    /* an open attempt has a package from it */
    int64_t linked;     /* a link names it, and the device has not been heard of yet */
    int64_t generating; /* packages from or to its bytes that are being made now */
};
bool image_count_uses(struct db *db, const struct image *image, struct image_uses *ret, struct error *err);

#endif
