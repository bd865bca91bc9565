/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The limit of open files. */
#ifndef DFOTA_SERVER_DESCRIPTORS_H
#define DFOTA_SERVER_DESCRIPTORS_H

#include "server/config/config.h"

/* Raises the soft limit to the hard one, and lowers the limits of connections in the config where they do not fit in. */
void descriptors_raise(struct config *config);

#endif
