/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What else than the images decides a package's bytes: what the configuration adds to its format, and by
   which rules the format's packages are made and judged. Their hash is the recipe, a part of the package's
   key: when either changes, packages are made anew, and those made before are found no longer. */
#ifndef DFOTA_SERVER_CONFIG_RECIPE_H
#define DFOTA_SERVER_CONFIG_RECIPE_H

#include "server/config/config.h"
#include "server/config/firmware_section.h"
#include "storage/package.h"

/* "" where nothing does, else 16 hex digits. Any thread. */
void recipe_of(const struct config *config, const char *firmware, const char *format, char out[RECIPE_SIZE]);

/* The firmware whose recipe a package was queued with: one that has its base, and whose recipe is that still.
   ret_found false: there is none. ret_section NULL: the configuration has nothing for it. */
bool recipe_find(const struct config *config, struct db *db, const struct package_key *key,
                 char ret_firmware[FIRMWARE_NAME_SIZE], const struct firmware_section **ret_section,
                 bool *ret_found, struct error *err) __attribute__((warn_unused_result));

#endif
