/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The sections `[firmware NAME]` of the configuration: settings for the packages of the firmwares with this
   name, in any product. `*` is for all firmwares that have no section. The keys are a table, as in keys.h. */
#ifndef DFOTA_SERVER_CONFIG_FIRMWARE_SECTION_H
#define DFOTA_SERVER_CONFIG_FIRMWARE_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

struct config;

enum firmware_section_field {
    FIRMWARE_LOAD_ADDRESS,     /* "0x24000" */
    FIRMWARE_CHIP,             /* "ec718p" */
    FIRMWARE_EXTERNAL_COMMAND, /* a command as in command_template.h */
    FIRMWARE_EXTERNAL_VERIFY,
    FIRMWARE_EXTERNAL_WRITABLE, /* absolute paths, one word each */
    FIRMWARE_EXTERNAL_NETWORK,  /* "yes" or "no" */
    FIRMWARE_FIELDS,
};

struct firmware_section {
    char *name;
    char *value[FIRMWARE_FIELDS];     /* "" when not set; never NULL */
    unsigned set_at[FIRMWARE_FIELDS]; /* the line that set the key, 0: not set */
};

struct firmware_section_key {
    const char *name;
    bool (*parse)(const char *value, char **field, struct error *err);
    const char *argument, *help;
};

extern const struct firmware_section_key firmware_section_keys[FIRMWARE_FIELDS];

/* The section with this name, added when it does not exist. The config owns the section. ERROR_INTERNAL: no
   memory. */
bool firmware_section_get(struct config *config, const char *name, struct firmware_section **ret,
                          struct error *err) __attribute__((warn_unused_result));
/* ERROR_INVALID for an unknown key, a key that is already set, a bad value. The text of the error names no
   file or line. */
bool firmware_section_set(struct firmware_section *section, const char *key, const char *value, unsigned line,
                          struct error *err) __attribute__((warn_unused_result));
/* The section for a firmware: its own, else the section `*`, else NULL. */
const struct firmware_section *firmware_section_of(const struct config *config, const char *firmware);
void firmware_section_free(struct config *config); /* frees all sections */

#endif
