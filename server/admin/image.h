/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files on images. */
#ifndef DFOTA_SERVER_ADMIN_IMAGE_H
#define DFOTA_SERVER_ADMIN_IMAGE_H

#include <jansson.h>
#include "server/admin/call.h"
#include "storage/firmware.h"
#include "storage/image.h"

json_t *admin_image_json(const char *firmware, const struct image *image);
/* Answers with the image, and what an admin has said about it. */
bool admin_image_answer(struct admin_call *call, const struct firmware *firmware, const struct image *image,
                        struct error *err) __attribute__((warn_unused_result));
/* What an admin has said about the image (image_about.c). */
bool admin_image_about_json(struct db *db, int64_t image_id, json_t **ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
