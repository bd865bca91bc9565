/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What device revoke and its question share. */
#ifndef DFOTA_CTL_LINK_REVOKE_H
#define DFOTA_CTL_LINK_REVOKE_H

#include <stdbool.h>
#include "ctl/session.h"

/* Whether the command line of device revoke names what to revoke. EXIT_USAGE: no, or twice. */
bool link_check_revoke(const struct session *session, struct failure *fail);

/* The devices of --csv: [{"line":1,"device":"…"},…], from the first column of the file. *ret is owned by the caller.
   EXIT_USAGE: the file cannot be read, or names no device. */
bool link_read_devices(const char *name, json_t **ret, struct failure *fail);

/* The number of links of a device, as GET …/devices/{device} answers, that are not revoked. */
size_t link_count_valid(const json_t *device);

#endif
