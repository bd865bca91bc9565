/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The sections `[firmware NAME]` of the configuration: what is special about the packages of one firmware, by
   its name in whatever product. `*` stands for all that have no section of their own. A table of keys, as for
   the others. */
#ifndef DFOTA_SERVER_CONFIG_FIRMWARE_SECTION_H
#define DFOTA_SERVER_CONFIG_FIRMWARE_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

struct config;

enum firmware_section_field {
    FIRMWARE_LOAD_ADDRESS,     /* "0x24000" */
    FIRMWARE_EXTERNAL_COMMAND, /* as template.h has it */
    FIRMWARE_EXTERNAL_VERIFY,
    FIRMWARE_EXTERNAL_WRITABLE, /* folders as words */
    FIRMWARE_FIELDS,
};

struct firmware_section {
    char *name;
    char *value[FIRMWARE_FIELDS];     /* "": not set; never NULL */
    unsigned set_at[FIRMWARE_FIELDS]; /* the line that set it, 0 for none */
};

struct firmware_section_key {
    const char *name;
    bool (*take)(const char *value, char **field, struct error *err);
    const char *argument, *help;
};

extern const struct firmware_section_key firmware_section_keys[FIRMWARE_FIELDS];

/* The section of that name, made where it is not there yet; the config's. */
bool firmware_section_get(struct config *config, const char *name, struct firmware_section **ret,
                          struct error *err) __attribute__((warn_unused_result));
/* ERROR_INVALID without a place: for an unknown key, one that is set already, a bad value. */
bool firmware_section_set(struct firmware_section *section, const char *key, const char *value, unsigned line,
                          struct error *err) __attribute__((warn_unused_result));
/* What holds for a firmware: its own section, else that of `*`, else NULL. */
const struct firmware_section *firmware_section_of(const struct config *config, const char *firmware);
void firmware_section_free(struct config *config); /* all of them */

#endif
