/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Lists of origins of web pages, as in the header Origin. */
#ifndef DFOTA_SERVER_CONFIG_ORIGIN_LIST_H
#define DFOTA_SERVER_CONFIG_ORIGIN_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

#define WEB_ORIGIN_SIZE 264 /* https://, a host name, a port */

/* Copies the origins in `text` to out, with one blank between two. Each is https://HOST or
   https://HOST:PORT (http:// too), as a browser writes it: in lower case, without a path, and without the
   port that the scheme has anyway. ERROR_INVALID. */
bool origin_list_parse(const char *text, char *out, size_t out_size, struct error *err)
    __attribute__((warn_unused_result));

#endif
