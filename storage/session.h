/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Sessions of the console. Only the SHA-256 of the secret in the cookie is stored. */
#ifndef DFOTA_STORAGE_SESSION_H
#define DFOTA_STORAGE_SESSION_H

#include "storage/db.h"

/* Times are UTC in milliseconds. */
struct session {
    struct sha256 hash;  /* of the secret */
    struct sha256 token; /* hash of the admin token that the session came from */
    int64_t created_ms;
    int64_t used_ms;    /* last use */
    int64_t expires_ms; /* then the session ends, however often it is used */
};

bool session_add(struct db *db, const struct session *session, struct error *err);
bool session_use(struct db *db, const struct sha256 *hash, int64_t used_ms, struct error *err);
bool session_remove(struct db *db, const struct sha256 *hash, struct error *err);
/* Oldest first; *ret is the caller's (free). */
bool session_list(struct db *db, struct session **ret, size_t *ret_count, struct error *err);

#endif
