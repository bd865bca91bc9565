/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/config/reload.h"

#include <string.h>

#include "server/config/firmware_section.h"
#include "server/config/keys.h"

#define WIDTH 80u

static void add_name(char names[RELOAD_NAMES_SIZE], const char *name)
{
    size_t used = strlen(names);
    snprintf(names + used, RELOAD_NAMES_SIZE - used, "%s%s", used ? "," : "", name);
}

static bool is_equal_section(const struct firmware_section *a, const struct firmware_section *b)
{
    for (size_t i = 0; i < FIRMWARE_FIELDS; i++)
        if (strcmp(a->value[i], b->value[i]) != 0)
            return false;
    return strcmp(a->name, b->name) == 0;
}

/* The settings of a firmware are part of the keys of its packages, of plans and of jobs: they stay as they are. */
static void compare_sections(const struct config *started, const struct config *fresh,
                             struct reload_names *names)
{
    bool equal = started->firmware_count == fresh->firmware_count;
    for (size_t i = 0; equal && i < fresh->firmware_count; i++)
        equal = is_equal_section(&started->firmware[i], &fresh->firmware[i]);
    if (!equal)
        add_name(names->needs_restart, "[firmware]");
}

static bool merge(const struct config *started, const struct config *now, struct config *fresh,
                  struct reload_names *names, struct error *err)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_key_table[i];
        if (!key->name)
            continue;
        if (key->when == RELOADS) {
            if (!config_key_equal(key, now, fresh))
                add_name(names->changed, key->name);
            continue;
        }
        if (!config_key_equal(key, started, fresh))
            add_name(names->needs_restart, key->name);
        if (!config_key_copy(key, now, fresh, err))
            return false;
    }
    compare_sections(started, fresh, names);
    firmware_section_free(fresh);
    return true;
}

bool reload_read(int argc, char **argv, const struct config *started, const struct config *now,
                 struct config *ret, struct reload_names *ret_names, struct error *err)
{
    struct config fresh = {.data_dir = NULL};
    enum config_action action;
    *ret_names = (struct reload_names){.changed = ""};
    if (!config_load(argc, argv, &fresh, &action, err))
        return false;
    if (!merge(started, now, &fresh, ret_names, err)) {
        config_free(&fresh);
        return false;
    }
    *ret = fresh;
    return true;
}

void reload_print_keys(FILE *out)
{
    size_t column = 0;
    for (size_t i = 0; i < config_key_count; i++) {
        const char *name = config_key_table[i].name;
        if (!name || config_key_table[i].when != RELOADS)
            continue;
        if (column > 0 && column + 1 + strlen(name) > WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        column += (size_t)fprintf(out, "%s%s", column ? " " : "  ", name);
    }
    fputc('\n', out);
}
