/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Bytes of the server into a file that is there whole or not at all. */
#ifndef DFOTA_CTL_DOWNLOAD_H
#define DFOTA_CTL_DOWNLOAD_H

#include <jansson.h>
#include <stdbool.h>
#include "ctl/client.h"

/* GETs `path` into the file `out`, which is replaced when it is a regular file, and compares size and SHA-256
   with what `about` (an image or a package of the API) says. Any failure leaves what was there. */
bool download(struct client *client, const char *path, const json_t *about, const char *out,
              struct failure *fail);

#endif
