/* Shared by the two files on images. */
#ifndef DFOTA_SERVER_ADMIN_IMAGE_H
#define DFOTA_SERVER_ADMIN_IMAGE_H

#include <jansson.h>
#include "storage/image.h"

json_t *admin_image_json(const char *firmware, const struct image *image);

#endif
