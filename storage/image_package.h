/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The builds that a stored package leads from and to, by its bytes. */
#ifndef DFOTA_STORAGE_IMAGE_PACKAGE_H
#define DFOTA_STORAGE_IMAGE_PACKAGE_H

#include "storage/db.h"

/* Whether this package leads to a build of this version that is not withdrawn. */
bool image_package_is_servable(struct db *db, int64_t firmware_id, const char *version,
                               const struct sha256 *package, bool *ret, struct error *err);
/* The build of this version that the package leads to; a full package of LuatOS is that build itself. *ret_found false: none,
   or it may be one of several. */
bool image_package_to(struct db *db, int64_t firmware_id, const char *version, const struct sha256 *package,
                      struct sha256 *ret, bool *ret_found, struct error *err);
/* The builds of these two versions that this package leads from and to. */
bool image_package_ends(struct db *db, int64_t firmware_id, const char *from, const char *to,
                        const struct sha256 *package, struct sha256 *ret_from, struct sha256 *ret_to,
                        bool *ret_found, struct error *err);

struct image_failures {
    int64_t device_id, firmware_id;
    const char *version; /* that the device still runs */
    int64_t attempt_id;  /* an attempt that ends with this request; 0: none */
};
/* Whether a package from the image `from` was delivered to the device and not applied, since the device came to this
   version. */
bool image_package_failed(struct db *db, const struct image_failures *question, const struct sha256 *from,
                          bool *ret, struct error *err);

/* Whether these bytes are a full package of this firmware that is not withdrawn. */
bool image_full_is_servable(struct db *db, int64_t firmware_id, const struct sha256 *hash, bool *ret,
                            struct error *err);

/* Whether an image or a package has these bytes. Then the blob must stay. */
bool image_uses_blob(struct db *db, const struct sha256 *hash, bool *ret, struct error *err);

#endif
