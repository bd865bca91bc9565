/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The URLs that are handed out: path-only, at most 60 bytes of path, no ':' and no query behind the host. */
#ifndef DFOTA_SERVER_CHECKIN_LINK_URL_H
#define DFOTA_SERVER_CHECKIN_LINK_URL_H

#include <jansson.h>
#include "server/context.h"
#include "storage/link.h"

#define LINK_URL_SIZE 400

/* ".../d/TOKEN/VERSION", or ".../d/TOKEN" with "" for version. */
void link_url(const struct daemon *daemon, const char *token, const char *version, char out[LINK_URL_SIZE]);
void link_report_url(const struct daemon *daemon, const char *token, char out[LINK_URL_SIZE]);
/* What to type into an AT firmware, as a JSON array: empty with https://, which it cannot fetch. NULL when memory is
   gone. */
json_t *link_at_commands(const char *url);

#endif
