/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files on images. */
#ifndef DFOTA_SERVER_ADMIN_IMAGE_H
#define DFOTA_SERVER_ADMIN_IMAGE_H

#include <jansson.h>
#include "server/admin/call.h"
#include "storage/image.h"

json_t *admin_image_json(const char *firmware, const struct image *image);

#endif
