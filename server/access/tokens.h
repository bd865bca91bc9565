/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The tokens of the admin API in memory, so that the loop of a listener can check one without I/O.

   The list has all tokens that are not revoked, and changes with the database: tokens_change() stores a token, and
   changes the list before it returns. Only hashes of secrets are kept. Times are UTC in milliseconds. */
#ifndef DFOTA_SERVER_ACCESS_TOKENS_H
#define DFOTA_SERVER_ACCESS_TOKENS_H

#include "server/db/writer.h"
#include "storage/token.h"

#define TOKENS_MAX 256 /* that are not revoked */

struct tokens;

/* Reads the stored tokens. For the start: `db` is the writer's connection, and nothing else runs. */
bool tokens_open(struct db *db, struct tokens **ret, struct error *err) __attribute__((warn_unused_result));
void tokens_close(struct tokens *tokens); /* NULL is fine */

/* The token with this secret, or with the hash of its secret; a secret before the last rotation counts for the time of
   the overlap. False: there is none (*ret_expired, which may be NULL: there is, but it has expired). Quick, any thread. */
bool tokens_find(struct tokens *tokens, struct slice secret, int64_t now_ms, struct token *ret,
                 bool *ret_expired);
bool tokens_find_hash(struct tokens *tokens, const struct sha256 *hash, int64_t now_ms, struct token *ret,
                      bool *ret_expired);
/* Notes a use of the token. `from`: an address without a port. Quick, any thread. */
void tokens_note_use(struct tokens *tokens, int64_t id, int64_t now_ms, const char *from);
/* Fills used_ms and used_from from memory, where they are newer than in the database. Any thread. */
void tokens_fill_use(struct tokens *tokens, struct token *token);

/* The token with the lowest id above after_id that expires from now_ms to before_ms. False: there is none. Any thread. */
bool tokens_next_expiring(struct tokens *tokens, int64_t after_id, int64_t now_ms, int64_t before_ms,
                          struct token *ret);

/* Runs `change` in the writer's thread and transaction. `change` stores *token; when it is durable, the list has *token
   too, or no longer has it when it is revoked. Worker thread. */
bool tokens_change(struct tokens *tokens, struct writer *writer, writer_function *change, void *cls,
                   const struct token *token, struct error *err) __attribute__((warn_unused_result));

/* For struct writer_flush: stores the last uses, at most once a minute. now_ms: boot clock. Writer's thread. */
bool tokens_store(struct tokens *tokens, struct db *db, int64_t now_ms, struct error *err);
void tokens_flushed(struct tokens *tokens, bool committed);
/* The server ends: the next tokens_store() waits no longer. Any thread; NULL is fine. */
void tokens_end(struct tokens *tokens);

#endif
