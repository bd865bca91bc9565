/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The admin token: made at the first start, written to admin.token in the data directory (mode 0600), kept
 * only as a hash. */
#ifndef DFOTA_SERVER_ADMIN_TOKEN_H
#define DFOTA_SERVER_ADMIN_TOKEN_H

#include "storage/db.h"

/* Before anything listens: the hashes of all tokens, one made where there is none. *ret is the caller's
 * (free). */
bool admin_token_load(const char *directory, struct db *db, struct sha256 **ret, size_t *ret_count,
                      struct error *err);

#endif
