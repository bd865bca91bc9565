/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The admin token. The server makes it at the first start, writes it to admin.token in the data directory
   (mode 0600) and stores only its hash. */
#ifndef DFOTA_SERVER_ADMIN_TOKEN_H
#define DFOTA_SERVER_ADMIN_TOKEN_H

#include "storage/db.h"

/* Call it before anything listens. Gives the hashes of all tokens, and makes a token when there is no
   token yet. *ret belongs to the caller (free). */
bool admin_token_load(const char *directory, struct db *db, struct sha256 **ret, size_t *ret_count,
                      struct error *err);

#endif
