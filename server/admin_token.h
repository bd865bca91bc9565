/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The tokens that are made on the machine itself: the first one at the first start, another one when all are lost. Such
   a token may do everything. The server writes it to admin.token in the data directory (mode 0600) and stores only its
   hash. */
#ifndef DFOTA_SERVER_ADMIN_TOKEN_H
#define DFOTA_SERVER_ADMIN_TOKEN_H

#include "storage/db.h"

/* Call it before anything listens. Makes a token when there is no token yet. */
bool admin_token_load(const char *directory, struct db *db, struct error *err)
    __attribute__((warn_unused_result));

/* Stores another token that may do everything, under this name, or NAME-2, NAME-3 … when that is taken. The ledger has `by`.
   For a server that does not run. */
bool admin_token_add_named(struct db *db, const char *name, const struct sha256 *hash, const char *by,
                           struct error *err) __attribute__((warn_unused_result));

/* For --new-admin-token: makes another token, in the data directory of a server that does not run, and prints the
   path of its file. ERROR_UNAVAILABLE: the server runs. */
bool admin_token_renew(const char *directory, struct error *err) __attribute__((warn_unused_result));

#endif
