/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Downloads bytes into a file. The file is replaced completely or not at all. */
#ifndef DFOTA_CTL_DOWNLOAD_H
#define DFOTA_CTL_DOWNLOAD_H

#include <jansson.h>
#include <stdbool.h>
#include "ctl/client.h"

/* GETs `path` into the file `out`, which must be a regular file or not exist. Size and SHA-256 must be
   those in `about`, an image or a package of the API; NULL: neither is compared. A transfer that breaks is continued
   where it was, when `about` has the SHA-256. After a failure `out` is unchanged. */
bool download(struct client *client, const char *path, const json_t *about, const char *out,
              struct failure *fail);

#endif
