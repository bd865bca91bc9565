/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/link_url.h"

#include "server/config/device_url.h"

#include <stdio.h>

void link_url(const struct daemon *daemon, const char *token, const char *version, char out[LINK_URL_SIZE])
{
    link_url_under(daemon, "", token, version, out);
}

void link_url_under(const struct daemon *daemon, const char *secret, const char *token, const char *version,
                    char out[LINK_URL_SIZE])
{
    snprintf(out, LINK_URL_SIZE, "%s%s%s/d/%s%s%s", daemon->device_url, secret[0] ? "/t/" : "", secret, token,
             version[0] ? "/" : "", version);
}

void link_report_url(const struct daemon *daemon, const char *token, char out[LINK_URL_SIZE])
{
    snprintf(out, LINK_URL_SIZE, "%s/d/%s/report", daemon->device_url, token);
}

json_t *link_at_commands(const char *url)
{
    if (device_url_is_https(url))
        return json_array();
    return json_pack("[o, s]", json_sprintf("AT+UPGRADE=\"URL\",\"%s\"", url), "AT+UPGRADE");
}
