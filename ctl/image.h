/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Images as shown by more than one command. */
#ifndef DFOTA_CTL_IMAGE_H
#define DFOTA_CTL_IMAGE_H

#include "ctl/session.h"
#include "ctl/table.h"

extern const struct table_view image_view; /* a row each */
extern const struct table_view image_page_view;

/* Appends what --as says of the file that is uploaded there. */
bool upload_add_kind(const struct session *session, struct client_path *path, struct failure *fail);

#endif
