/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a package, as more than one command does. */
#ifndef DFOTA_CTL_PACKAGE_H
#define DFOTA_CTL_PACKAGE_H

#include <jansson.h>
#include "ctl/session.h"

extern const struct table_view package_page_view; /* one package */

/* Asks for the package at `path` until it is neither queued nor generating; *package, owned by the caller, is
   replaced by what it became. EXIT_NOT_READY when --timeout, or ten minutes, are over before. Blocks. */
bool package_wait(struct session *session, const char *path, json_t **package, struct failure *fail);

/* Whether it is ready; EXIT_NOT_READY with the reason when not. */
bool package_check(const json_t *package, struct failure *fail);

#endif
