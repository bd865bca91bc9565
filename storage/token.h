/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Admin tokens. Only their SHA-256 is stored. */
#ifndef DFOTA_STORAGE_TOKEN_H
#define DFOTA_STORAGE_TOKEN_H

#include "storage/db.h"

bool token_add(struct db *db, const struct sha256 *hash, int64_t now_ms, struct error *err);
/* The hashes of all tokens; *ret is the caller's (free). */
bool token_list(struct db *db, struct sha256 **ret, size_t *ret_count, struct error *err);

#endif
