/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The INI file of the configuration: its keys, and its sections [firmware NAME]. For config.c. */
#ifndef DFOTA_SERVER_CONFIG_CONFIG_FILE_H
#define DFOTA_SERVER_CONFIG_CONFIG_FILE_H

#include <stdbool.h>
#include "base/error.h"

struct config;

/* Sets in `config` each key that the file has. On an error the keys before it are set; the caller frees the
   config. ERROR_INVALID with file and line: the file cannot be read, an unknown key, a key that is set twice,
   a bad value, a line that is too long. Any thread. */
bool config_file_read(const char *path, struct config *config, struct error *err)
    __attribute__((warn_unused_result));

#endif
