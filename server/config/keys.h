/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The table of configuration keys and how each value is read. For config.c, and for tests that walk it. */
#ifndef DFOTA_SERVER_CONFIG_KEYS_H
#define DFOTA_SERVER_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "server/config/config.h"

/* One row a key, in the order of the sample and of the help; a row with a help text alone is a heading. */
struct config_key {
    const char *name; /* in the file; on the command line with - for _ */
    size_t offset;    /* of its field */
    bool owned;       /* the field is text to be freed */
    bool (*take)(const struct config_key *key, const char *value, void *field, struct error *err);
    const char *preset;   /* the default, as it would be written in the file */
    uint64_t least, most; /* of numbers */
    const char *argument; /* what the value is called in the help */
    const char *help;
};

extern const struct config_key config_key_table[];
extern const size_t config_key_count;

/* By the name in the file; NULL when there is none. */
const struct config_key *config_key_find(const char *name);

void *config_key_field(const struct config_key *key, struct config *config);

/* Gives the key its value. `where` tells the person where it was read and begins the text of an error. */
bool config_key_set(const struct config_key *key, const char *value, const char *where, struct config *config,
                    struct error *err) __attribute__((warn_unused_result));

#endif
