/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a running server: reads it again, and takes the keys that can change without a restart. */
#ifndef DFOTA_SERVER_CONFIG_RELOAD_H
#define DFOTA_SERVER_CONFIG_RELOAD_H

#include "server/config/config.h"

#define RELOAD_NAMES_SIZE 1024

/* Names of keys with commas between them; "" for none. */
struct reload_names {
    char changed[RELOAD_NAMES_SIZE];       /* have another value now */
    char needs_restart[RELOAD_NAMES_SIZE]; /* differ from the values of the start, which stay in force */
};

/* Reads the command line of the start and its file again. `started`: the configuration as it was read at the start.
   `now`: the one in force. *ret is the new one, which the caller frees with config_free(): its keys of RELOADS are as
   they were read, and all others are those of `now`. It has no sections [firmware NAME]: those of `started` stay.
   False: an error in the file or the command line, as config_load() says it, and *ret is not set. */
bool reload_read(int argc, char **argv, const struct config *started, const struct config *now,
                 struct config *ret, struct reload_names *ret_names, struct error *err)
    __attribute__((warn_unused_result));

/* Prints the names of the keys that a reload can change, in lines of at most 80 columns. */
void reload_print_keys(FILE *out);

#endif
