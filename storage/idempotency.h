/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Keys that admins send with a call, so that the call can be repeated: each with the answer of its first call. The
   answers are sealed, because some hold secrets. */
#ifndef DFOTA_STORAGE_IDEMPOTENCY_H
#define DFOTA_STORAGE_IDEMPOTENCY_H

#include "base/clock.h"
#include "storage/db.h"

#define IDEMPOTENCY_KEEP_MS  DAY_MS
#define IDEMPOTENCY_KEYS_MAX 10000 /* the oldest are removed */
#define IDEMPOTENCY_BYTES_MAX                                                                                \
    (64 * 1024 * 1024) /* of all answers; the oldest answers are removed, their keys stay */

struct idempotency_call {
    int64_t token_id; /* of the admin token */
    const char *key;
    const char *fingerprint; /* of the request; only its keyed hash is stored */
};

struct idempotency_found {
    bool is_same;        /* the fingerprint is that of the first call */
    bool has_answer;     /* else the answer of the first call is not known */
    struct slice answer; /* the caller's (free) */
};

/* Finds the key. *ret_found false: it was never sent, or more than a day ago. */
bool idempotency_find(struct db *db, const struct idempotency_call *call, int64_t now_ms,
                      struct idempotency_found *ret, bool *ret_found, struct error *err)
    __attribute__((warn_unused_result));
/* Stores a key that idempotency_find() has not found, without an answer, and removes old keys. */
bool idempotency_add(struct db *db, const struct idempotency_call *call, int64_t now_ms, int64_t *ret_id,
                     struct error *err) __attribute__((warn_unused_result));
/* Stores the answer, and removes the oldest ones above IDEMPOTENCY_BYTES_MAX. A key that was removed meanwhile is no error. */
bool idempotency_answer(struct db *db, int64_t id, struct slice answer, struct error *err)
    __attribute__((warn_unused_result));
/* Removes at most `most` keys that are older than a day. */
bool idempotency_expire(struct db *db, int64_t now_ms, int64_t most, int64_t *ret_removed, struct error *err)
    __attribute__((warn_unused_result));

#endif
