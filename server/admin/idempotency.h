/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Idempotency-Key: a call that is sent again with the same key gets the answer of the first call, and changes nothing.

   The key is stored in the transaction of the change, the answer when it is made. A server that is killed in between
   knows that the call was carried out, and not what it answered. */
#ifndef DFOTA_SERVER_ADMIN_IDEMPOTENCY_H
#define DFOTA_SERVER_ADMIN_IDEMPOTENCY_H

#include "base/sha256.h"
#include "server/http/request.h"
#include "storage/db.h"
#include "storage/idempotency.h"

struct admin_call;

#define IDEMPOTENCY_KEY_SIZE 129 /* 1 to 128 visible ASCII characters and NUL */

struct idempotency {
    bool is_claimed;  /* the call has a key, and no other call with the same one runs */
    bool is_replayed; /* the reply is that of the first call: the handler must not run */
    bool goes_on; /* set by a handler in the writer's thread: the call has more transactions after this one */
    char key[IDEMPOTENCY_KEY_SIZE];
    char fingerprint[SHA256_HEX_SIZE]; /* of method, path, query and body */
    int64_t token_id, row;             /* row 0: not stored */
    struct idempotency *next;          /* of the calls that run */
};

/* Before the handler, with call->db: reads the key, and looks for an earlier call. ERROR_BAD_REQUEST: the key is not
   valid, or the call takes none; ERROR_IDEMPOTENCY_…. */
bool idempotency_begin(struct admin_call *call, struct error *err) __attribute__((warn_unused_result));
/* Writer's thread, at the end of a change: stores the key. */
bool idempotency_note(struct admin_call *call, struct db *db, struct error *err)
    __attribute__((warn_unused_result));
/* When the reply is complete, or the call failed (`ok` false): stores the answer. Also after idempotency_begin() has
   failed. */
void idempotency_end(struct admin_call *call, bool ok);

/* For a call that takes no key. ERROR_BAD_REQUEST: the request has one. */
bool idempotency_check_none(const struct request *request, struct error *err)
    __attribute__((warn_unused_result));

#endif
