/* What the configuration adds to a package format decides a package's bytes as the images do: its recipe is
   part of the package's key, so that a changed configuration makes new packages and what was made before
   stays what it is. */
#ifndef DFOTA_SERVER_RECIPE_H
#define DFOTA_SERVER_RECIPE_H

#include "server/config.h"
#include "server/config_firmware.h"
#include "storage/package.h"

/* "" where the configuration adds nothing to packages of that format, else 16 hex digits. Any thread. */
void recipe_of(const struct config *config, const char *firmware, const char *format, char out[RECIPE_SIZE]);

/* The firmware whose recipe a package was queued with: one that has its base and whose configuration is such
 *still. ret_section NULL: none is. Not for packages without a recipe. */
bool recipe_find(const struct config *config, struct db *db, const struct package_key *key,
                 char ret_firmware[FIRMWARE_NAME_SIZE], const struct config_firmware **ret_section,
                 struct error *err) __attribute__((warn_unused_result));

#endif
