/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The URLs of links: at most 60 bytes of path, no ':' and no query after the host. */
#ifndef DFOTA_SERVER_CHECKIN_LINK_URL_H
#define DFOTA_SERVER_CHECKIN_LINK_URL_H

#include <jansson.h>
#include "server/context.h"
#include "storage/link.h"

#define LINK_URL_SIZE 400

/* ".../d/TOKEN/VERSION"; ".../d/TOKEN" when version is "". */
void link_url(const struct daemon *daemon, const char *token, const char *version, char out[LINK_URL_SIZE]);
/* The same under a secret: ".../t/SECRET/d/TOKEN/VERSION". secret "": as link_url(). */
void link_url_under(const struct daemon *daemon, const char *secret, const char *token, const char *version,
                    char out[LINK_URL_SIZE]);
void link_report_url(const struct daemon *daemon, const char *token, char out[LINK_URL_SIZE]);
/* The AT commands for the URL, as a JSON array. Empty for https://, which AT firmware cannot fetch. NULL:
   memory is gone. */
json_t *link_at_commands(const char *url);

#endif
