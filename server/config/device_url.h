/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The URL that links begin with: http://HOST[:PORT], or https:// with a TLS proxy in front. */
#ifndef DFOTA_SERVER_CONFIG_DEVICE_URL_H
#define DFOTA_SERVER_CONFIG_DEVICE_URL_H

#include <stdbool.h>
#include "base/error.h"

/* ERROR_INVALID, with the reason, for a URL that a module cannot use: another scheme, a path, a host that is
   not a name or an address, an unspecified, multicast or link-local address in any notation. */
bool device_url_check(const char *url, struct error *err) __attribute__((warn_unused_result));

/* For a URL that was checked. A local URL (localhost, 127.0.0.1, [::1], …) leads a module to itself. It is
   allowed with a warning, because simulated modules on this machine use it. */
bool device_url_is_local(const char *url);
bool device_url_is_https(const char *url);

/* A warning for the person who gets a link, or "". Static storage. */
const char *device_url_warn_local(const char *url);
const char *device_url_warn_https(const char *url);

#endif
