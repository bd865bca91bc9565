/* Shared by the files on images. */
#ifndef DFOTA_SERVER_ADMIN_IMAGE_H
#define DFOTA_SERVER_ADMIN_IMAGE_H

#include <jansson.h>
#include "server/admin/call.h"
#include "storage/image.h"

json_t *admin_image_json(const char *firmware, const struct image *image);

/* Takes away blobs that no image and no package uses any more; what cannot be removed is left to the next start's sweep. */
void admin_blobs_remove(struct admin_call *call, const struct sha256 *hashes, size_t count);

#endif
