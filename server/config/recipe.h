/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The recipe of a package: a hash of everything besides the two images that decides the package's bytes. That
   is the configuration of its format, and the version of the rules by which packages of the format are made
   and verified. The recipe is a part of the package's key. When it changes, older packages are no longer
   found, and new ones are made. */
#ifndef DFOTA_SERVER_CONFIG_RECIPE_H
#define DFOTA_SERVER_CONFIG_RECIPE_H

#include "base/chip.h"
#include "server/config/config.h"
#include "server/config/firmware_section.h"
#include "storage/package.h"

/* 16 hex digits, or "" when only the images decide the bytes. Any thread. */
void recipe_of(const struct config *config, const char *firmware, const char *format, char out[RECIPE_SIZE]);

/* The chip of the modules, for the ec7xx formats. `dfota diff` gets the chip that the section of the firmware names; if there
   is none, the chip that the name of the firmware means. NULL: neither. `section` may be NULL. */
const struct ec7xx_chip *recipe_chip(const struct firmware_section *section, const char *firmware);
const struct ec7xx_chip *recipe_chip_by_config(const struct firmware_section *section);
const struct ec7xx_chip *recipe_chip_by_name(const char *firmware);

/* Finds a firmware that has the base image of a queued package and still has the package's recipe. *ret_found
   is false when there is no such firmware. *ret_section is borrowed from the config, NULL when no section is
   for the firmware. */
bool recipe_find(const struct config *config, struct db *db, const struct package_key *key,
                 char ret_firmware[FIRMWARE_NAME_SIZE], const struct firmware_section **ret_section,
                 bool *ret_found, struct error *err) __attribute__((warn_unused_result));

#endif
