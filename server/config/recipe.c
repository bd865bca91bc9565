/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/config/recipe.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/package_format.h"
#include "server/config/command_template.h"
#include "upgrade/full.h"

const struct ec7xx_chip *recipe_chip_by_config(const struct firmware_section *section)
{
    return section ? ec7xx_chip_find(section->value[FIRMWARE_CHIP]) : NULL;
}

const struct ec7xx_chip *recipe_chip_by_name(const char *firmware)
{
    const char *chip = chip_in_name(firmware);
    return chip ? ec7xx_chip_find(chip) : NULL;
}

const struct ec7xx_chip *recipe_chip(const struct firmware_section *section, const char *firmware)
{
    const struct ec7xx_chip *chip = recipe_chip_by_config(section);
    return chip ? chip : recipe_chip_by_name(firmware);
}

/* The text that is hashed, one line per setting; "" when only the images decide the bytes. `section` may be
   NULL. */
static void write_text(const struct firmware_section *section, const char *firmware,
                       const struct package_format *format, char *out, size_t out_size)
{
    static const enum firmware_section_field of_external[] = {FIRMWARE_EXTERNAL_COMMAND,
                                                              FIRMWARE_EXTERNAL_VERIFY},
                                             of_module[] = {FIRMWARE_LOAD_ADDRESS};
    const enum firmware_section_field *fields = format->by_dfota ? of_module : of_external;
    size_t count = !format->by_dfota ? 2 : format->chip != PACKAGE_CHIP_NONE, at = 0;
    const struct ec7xx_chip *chip =
        format->chip == PACKAGE_CHIP_EC7XX ? recipe_chip(section, firmware) : NULL;
    out[0] = '\0';
    if (format->rules > 1)
        at += (size_t)snprintf(out, out_size, "rules=%u\n", format->rules);
    if (chip)
        at += (size_t)snprintf(out + at, out_size - at, "chip=%s\n", chip->name);
    for (size_t i = 0; i < count && section; i++) {
        const char *value = section->value[fields[i]];
        if (value[0])
            at += (size_t)snprintf(out + at, out_size - at, "%s=%s\n", firmware_section_keys[fields[i]].name,
                                   value);
        if (value[0] && command_template_uses(value, "firmware"))
            at += (size_t)snprintf(out + at, out_size - at, "firmware=%s\n", firmware);
    }
}

void recipe_of(const struct config *config, const char *firmware, const char *format, char out[RECIPE_SIZE])
{
    const struct firmware_section *section = firmware_section_of(config, firmware);
    const struct package_format *row = package_format_find(format);
    char text[2048], hex[SHA256_HEX_SIZE]; /* room for two values, each as long as a line of the file */
    struct sha256 hash;
    out[0] = '\0';
    if (!row)
        return;
    write_text(section, firmware, row, text, sizeof text);
    if (!text[0])
        return;
    sha256_of(text, strlen(text), &hash);
    sha256_hex(&hash, hex);
    snprintf(out, RECIPE_SIZE, "%.*s", RECIPE_SIZE - 1, hex);
}

bool recipe_find(const struct config *config, struct db *db, const struct package_key *key,
                 char ret_firmware[FIRMWARE_NAME_SIZE], const struct firmware_section **ret_section,
                 bool *ret_found, struct error *err)
{
    _cleanup_(cleanup_free) struct firmware_name *names = NULL;
    size_t count;
    bool whole = strcmp(key->format, FULL_FORMAT) == 0; /* only its image decides its bytes */
    if (!firmware_names_of_image(db, whole ? &key->to : &key->from, &names, &count, err))
        return false;
    *ret_section = NULL;
    *ret_found = false;
    if (whole && count > 0) {
        *ret_found = true;
        snprintf(ret_firmware, FIRMWARE_NAME_SIZE, "%s", names[0].text);
        return true;
    }
    for (size_t i = 0; i < count && !*ret_found; i++) {
        char recipe[RECIPE_SIZE];
        recipe_of(config, names[i].text, key->format, recipe);
        if (strcmp(recipe, key->recipe) != 0)
            continue;
        *ret_found = true;
        *ret_section = firmware_section_of(config, names[i].text);
        snprintf(ret_firmware, FIRMWARE_NAME_SIZE, "%s", names[i].text);
    }
    return true;
}
