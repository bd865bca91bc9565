/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: INI, with the sections `[firmware NAME]`. */
#ifndef DFOTA_SERVER_CONFIG_CONFIG_FILE_H
#define DFOTA_SERVER_CONFIG_CONFIG_FILE_H

#include "server/config/config.h"

/* Sets what the file says in the config, which has its defaults. ERROR_INVALID with file and line. */
bool config_file_read(const char *path, struct config *config, struct error *err)
    __attribute__((warn_unused_result));

#endif
