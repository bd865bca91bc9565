/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotad --init: makes what the first start needs, each file with its owner and mode:

   - the configuration file, with all defaults (0640, the group of the server may read it);
   - the data directory with an empty database (0700) and the first admin token in admin.token (0600);
   - backup.token beside the configuration (0600, owned by the caller), a token for the backup timer.

   What is there is kept, and printed as such. Root makes the data for the owner of the data directory; when the directory
   does not exist, for the user dfota. Another caller makes all files for itself. */
#ifndef DFOTA_SERVER_INIT_H
#define DFOTA_SERVER_INIT_H

#include "server/config/config.h"

#define INIT_USER "dfota" /* as in packaging/dfota.sysusers */

/* `argv` has the options that are written into a new configuration file. For the only thread of a process that ends
   afterwards: the process loses the rights of root. ERROR_UNAVAILABLE: there is no user dfota. ERROR_INVALID: backup.token
   is not a token of this server. */
bool init_run(const struct config *config, int argc, char **argv, struct error *err)
    __attribute__((warn_unused_result));

#endif
