/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Tokens of the admin API. Only the SHA-256 of each secret is stored. Revoked tokens stay in the list. */
#ifndef DFOTA_STORAGE_TOKEN_H
#define DFOTA_STORAGE_TOKEN_H

#include "storage/db.h"
#include "upgrade/name.h"

#define TOKEN_NAME_SIZE 65 /* 1 to 64 bytes and NUL */
#define TOKEN_FROM_SIZE 48

/* Each scope includes the ones before. */
enum token_scope { SCOPE_NONE, SCOPE_READ, SCOPE_UPLOAD, SCOPE_OPERATE, SCOPE_ADMIN };
extern const struct enum_names token_scope_names;

/* Times are UTC in milliseconds; 0: not set. */
struct token {
    int64_t id;
    char name[TOKEN_NAME_SIZE]; /* unique among the tokens that are not revoked */
    enum token_scope scope;
    char product[PRODUCT_KEY_SIZE]; /* "": all products */
    struct sha256 hash;             /* of the secret */
    int64_t created_ms;
    int64_t expires_ms;     /* 0: never */
    struct sha256 old_hash; /* of the secret before the last rotation, accepted until old_until_ms */
    int64_t old_until_ms;
    int64_t used_ms;                 /* last use */
    char used_from[TOKEN_FROM_SIZE]; /* the address of that use, without a port */
    int64_t revoked_ms;              /* 0: not revoked */
};

/* Fills token->id. ERROR_TOKEN_EXISTS: another token that is not revoked has the name. */
bool token_add(struct db *db, struct token *token, struct error *err) __attribute__((warn_unused_result));
/* ERROR_TOKEN_NOT_FOUND */
bool token_get(struct db *db, int64_t id, struct token *ret, struct error *err)
    __attribute__((warn_unused_result));
/* Stores everything except the last use. */
bool token_update(struct db *db, const struct token *token, struct error *err)
    __attribute__((warn_unused_result));
bool token_use(struct db *db, int64_t id, int64_t used_ms, const char *from, struct error *err)
    __attribute__((warn_unused_result));
/* Tokens that are not revoked in the order in which they were made, then the revoked ones, the last first; at most
   TOKEN_LIST_MAX. *ret is the caller's (free). */
bool token_list(struct db *db, struct token **ret, size_t *ret_count, struct error *err)
    __attribute__((warn_unused_result));
/* The number of tokens of this product that are not revoked. */
bool token_count_of_product(struct db *db, const char *product, int64_t *ret, struct error *err)
    __attribute__((warn_unused_result));

#define TOKEN_LIST_MAX 1000

#endif
