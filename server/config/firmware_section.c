/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/config/firmware_section.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/chip.h"
#include "base/slice.h"
#include "server/config/config.h"
#include "server/config/command_template.h"

static bool parse_address(const char *value, char **field, struct error *err);
static bool parse_chip(const char *value, char **field, struct error *err);
static bool parse_command(const char *value, char **field, struct error *err);
static bool parse_verify(const char *value, char **field, struct error *err);
static bool parse_folders(const char *value, char **field, struct error *err);
static bool parse_yes(const char *value, char **field, struct error *err);

/* clang-format off */
const struct firmware_section_key firmware_section_keys[FIRMWARE_FIELDS] = {
    [FIRMWARE_LOAD_ADDRESS] = {"load_address", parse_address, "N",
        "The address of the AP part in the module, as for dfota diff --load-address. For the ec618- and ec7xx- formats. "
        "The module does not use this address when it applies a package."},
    [FIRMWARE_CHIP] = {"chip", parse_chip, "NAME",
        "The chip of the modules, such as ec718p, as for dfota diff --chip. For the ec7xx- formats. Unless set, the name of "
        "the firmware or its images tell the chip, if they can. The limit of the firmware cannot be above "
        "that of the chip; a lower one stays."},
    [FIRMWARE_EXTERNAL_COMMAND] = {"external_command", parse_command, "COMMAND",
        "The command that makes the packages of the format external: the absolute path of a program, and its "
        "arguments. {old}, {new} and {out} must be among the arguments; {workdir} and {firmware} may be."},
    [FIRMWARE_EXTERNAL_VERIFY] = {"external_verify", parse_verify, "COMMAND",
        "The command that verifies such a package. Status 0 means that the package is right: it is then "
        "proven. {old}, {package} and {new} must be among the arguments; {workdir} and {firmware} may be."},
    [FIRMWARE_EXTERNAL_WRITABLE] = {"external_writable", parse_folders, "DIR...",
        "Folders besides {workdir} in which these commands may write. The kernel must have Landlock to "
        "enforce this."},
    [FIRMWARE_EXTERNAL_NETWORK] = {"external_network", parse_yes, "yes|no",
        "yes: these commands may use the network. no, the default: they can use only sockets of this machine (AF_UNIX). "
        "The kernel must have seccomp to enforce this."},
};
/* clang-format on */

static bool copy_text(const char *value, char **field, struct error *err)
{
    char *copy = strdup(value);
    if (!copy)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    free(*field);
    *field = copy;
    return true;
}

static bool parse_yes(const char *value, char **field, struct error *err)
{
    if (value[0] && strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return error_set(err, ERROR_INVALID, "'%.60s' is not yes or no", value);
    return copy_text(value, field, err);
}

static bool parse_address(const char *value, char **field, struct error *err)
{
    char *end, text[24] = "";
    errno = 0;
    unsigned long long address = strtoull(value, &end, 0);
    if (value[0] && (errno != 0 || end == value || *end || strchr(value, '-') || address > UINT32_MAX))
        return error_set(err, ERROR_INVALID, "'%.60s' is not a number below 2^32, such as 0x24000", value);
    if (value[0])
        snprintf(text, sizeof text, "0x%llx", address);
    return copy_text(text, field, err);
}

static bool parse_chip(const char *value, char **field, struct error *err)
{
    const struct ec7xx_chip *chip = ec7xx_chip_find(value);
    if (value[0] && !chip)
        return error_set(err, ERROR_INVALID, "'%.60s' is not a chip with a known limit, such as ec718p",
                         value);
    return copy_text(chip ? chip->name : "", field, err);
}

static bool check_template(const char *value, const struct command_template_value *values, size_t count,
                           struct error *err)
{
    _cleanup_(cleanup_free) char **argv = NULL;
    return !value[0] || command_template_expand(value, values, count, &argv, err);
}

static bool parse_command(const char *value, char **field, struct error *err)
{
    static const struct command_template_value values[] = {{"old", "", true},
                                                           {"new", "", true},
                                                           {"out", "", true},
                                                           {"workdir", "", false},
                                                           {"firmware", "", false}};
    return check_template(value, values, sizeof values / sizeof *values, err) && copy_text(value, field, err);
}

static bool parse_verify(const char *value, char **field, struct error *err)
{
    static const struct command_template_value values[] = {{"old", "", true},
                                                           {"package", "", true},
                                                           {"new", "", true},
                                                           {"workdir", "", false},
                                                           {"firmware", "", false}};
    return check_template(value, values, sizeof values / sizeof *values, err) && copy_text(value, field, err);
}

static bool parse_folders(const char *value, char **field, struct error *err)
{
    _cleanup_(cleanup_free) char **folder = NULL;
    if (value[0] && !command_template_expand(value, NULL, 0, &folder, err))
        return false;
    for (size_t i = 0; folder && folder[i]; i++)
        if (folder[i][0] != '/')
            return error_set(err, ERROR_INVALID, "'%.60s' is not an absolute path", folder[i]);
    return copy_text(value, field, err);
}

static struct firmware_section *find(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->firmware_count; i++)
        if (strcmp(config->firmware[i].name, name) == 0)
            return &config->firmware[i];
    return NULL;
}

static bool add(struct config *config, const char *name, struct error *err)
{
    struct firmware_section made = {.name = strdup(name)};
    bool ok = made.name;
    for (size_t i = 0; i < FIRMWARE_FIELDS; i++)
        ok = (made.value[i] = strdup("")) && ok;
    struct firmware_section *all =
        ok ? reallocarray(config->firmware, config->firmware_count + 1, sizeof *all) : NULL;
    if (!all) {
        for (size_t i = 0; i < FIRMWARE_FIELDS; i++)
            free(made.value[i]);
        free(made.name);
        return error_set(err, ERROR_INTERNAL, "out of memory");
    }
    all[config->firmware_count++] = made;
    config->firmware = all;
    return true;
}

bool firmware_section_get(struct config *config, const char *name, struct firmware_section **ret,
                          struct error *err)
{
    if (!find(config, name) && !add(config, name, err))
        return false;
    *ret = find(config, name);
    return true;
}

bool firmware_section_set(struct firmware_section *section, const char *key, const char *value, unsigned line,
                          struct error *err)
{
    struct error why;
    for (size_t i = 0; i < FIRMWARE_FIELDS; i++) {
        const struct firmware_section_key *row = &firmware_section_keys[i];
        if (strcmp(row->name, key) != 0)
            continue;
        if (section->set_at[i])
            return error_set(err, ERROR_INVALID, "%s is already set for this firmware in line %u", key,
                             section->set_at[i]);
        section->set_at[i] = line;
        if (!slice_is_clean_utf8(slice_of(value)))
            return error_set(err, ERROR_INVALID, "%s is not valid UTF-8 without control characters", key);
        return row->parse(value, &section->value[i], &why) ||
               error_set(err, why.code == ERROR_INTERNAL ? ERROR_INTERNAL : ERROR_INVALID, "%s: %s", key,
                         why.text);
    }
    if (strcmp(key, "package_header") == 0)
        return error_set(
            err, ERROR_INVALID,
            "package_header was removed: the images decide each byte of the header that a module "
            "reads, and other bytes can damage a module for ever; delete this line");
    return error_set(err, ERROR_INVALID, "there is no key %.60s in a section [firmware NAME]",
                     slice_is_clean_utf8(slice_of(key)) ? key : "with that name");
}

const struct firmware_section *firmware_section_of(const struct config *config, const char *firmware)
{
    const struct firmware_section *own = find(config, firmware);
    return own ? own : find(config, "*");
}

void firmware_section_free(struct config *config)
{
    for (size_t i = 0; i < config->firmware_count; i++) {
        for (size_t k = 0; k < FIRMWARE_FIELDS; k++)
            free(config->firmware[i].value[k]);
        free(config->firmware[i].name);
    }
    free(config->firmware);
    config->firmware = NULL;
    config->firmware_count = 0;
}
