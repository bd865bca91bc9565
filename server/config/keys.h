/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The table of configuration keys, with the parser of each value. For the files of this folder and for tests.
   */
#ifndef DFOTA_SERVER_CONFIG_KEYS_H
#define DFOTA_SERVER_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "server/config/config.h"

/* How a changed value comes into force. */
enum config_when {
    RESTARTS, /* with the next start */
    RELOADS,  /* with a reload (SIGHUP) */
};

/* One row per key, in the order of the sample and of the help. A row with only a help text is a heading. */
struct config_key {
    const char *name; /* in the file; the command line has - instead of _ */
    size_t offset;    /* of the field in struct config */
    size_t size;      /* of the field */
    bool owned;       /* the field is a text that the config owns */
    enum config_when when;
    bool (*parse)(const struct config_key *key, const char *value, void *field, struct error *err);
    const char *preset;   /* the default, as it is written in the file */
    uint64_t least, most; /* limits of a number, both allowed */
    const char *argument; /* name of the value in the help */
    const char *help;
};

extern const struct config_key config_key_table[];
extern const size_t config_key_count;

/* The key with this name in the file; NULL when there is no such key. */
const struct config_key *config_key_find(const char *name);

void *config_key_field(const struct config_key *key, struct config *config);

bool config_key_equal(const struct config_key *key, const struct config *a, const struct config *b);
/* Copies the value, a text too. False: no memory. */
bool config_key_copy(const struct config_key *key, const struct config *from, struct config *to,
                     struct error *err) __attribute__((warn_unused_result));

/* Parses `value` into the field of the key. `where` is the place of the value, for the beginning of an error
   text. ERROR_INVALID for a bad value. */
bool config_key_set(const struct config_key *key, const char *value, const char *where, struct config *config,
                    struct error *err) __attribute__((warn_unused_result));

#endif
