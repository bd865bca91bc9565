/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* An image, for several commands. */
#ifndef DFOTA_CTL_IMAGE_H
#define DFOTA_CTL_IMAGE_H

#include "ctl/session.h"
#include "ctl/table.h"

extern const struct table_view image_view;      /* one row per image */
extern const struct table_view image_page_view; /* one image */

/* Prints one image. `image` is changed. */
void image_print_page(struct session *session, json_t *image);

/* Adds --as and --variant to the path of an upload. */
bool image_add_kind(const struct session *session, struct client_path *path, struct failure *fail);

#endif
