/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The address that links begin with: http://HOST[:PORT], or https:// where a proxy in front does TLS. */
#ifndef DFOTA_SERVER_CONFIG_DEVICE_URL_H
#define DFOTA_SERVER_CONFIG_DEVICE_URL_H

#include <stdbool.h>
#include "base/error.h"

/* ERROR_INVALID, with the reason, for what no module can be sent to: another scheme, a path, a host that is no name and no
   address, an unspecified, multicast or link-local address in any notation. */
bool device_url_check(const char *url, struct error *err) __attribute__((warn_unused_result));

/* Of a URL that was checked. A local one (localhost, 127.0.0.1, [::1], …) leads a module to itself. It is only warned of:
   simulated modules on this machine use it. */
bool device_url_is_local(const char *url);
bool device_url_is_https(const char *url);

/* For whoever is given a link: "" or a sentence. */
const char *device_url_warn_local(const char *url);
const char *device_url_warn_https(const char *url);

#endif
