/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A package, for several commands: waiting for it, and its page. */
#ifndef DFOTA_CTL_PACKAGE_H
#define DFOTA_CTL_PACKAGE_H

#include <jansson.h>
#include "ctl/session.h"

extern const struct table_view package_page_view; /* one package */

/* Prints one package. `package` is changed. */
void package_print_page(struct session *session, json_t *package);

/* Fetches the package at `path` until it is no longer queued, generating or improving. *package, owned by
   the caller, is replaced each time. EXIT_NOT_READY: --timeout, or without it ten minutes, passed before.
   Blocks. */
bool package_wait(struct session *session, const char *path, json_t **package, struct failure *fail);

/* True if the package is ready; EXIT_NOT_READY with the reason if not. */
bool package_check(const json_t *package, struct failure *fail);

#endif
