/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Secrets in the database are sealed (AES-256-GCM), so that a copy of the database alone gives them to no one. A secret
   that is looked up by its value also has a keyed hash (HMAC-SHA256). The key is the file secret.key beside the
   database. A struct seal never changes after it was opened: any thread. */
#ifndef DFOTA_STORAGE_SEAL_H
#define DFOTA_STORAGE_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/slice.h"

#define SEAL_FILE     "secret.key" /* 32 random bytes as 64 hex digits and a newline, mode 0600 */
#define SEAL_MAC_SIZE 65           /* 64 hex digits and NUL */
#define SEAL_EXTRA    28           /* a sealed text is so many bytes longer: nonce and tag */

struct seal;

/* Reads the key file beside the file `database`. Without one *ret is NULL. ERROR_UNAVAILABLE: it cannot be read, or is
   not a key. */
bool seal_open(const char *database, struct seal **ret, struct error *err)
    __attribute__((warn_unused_result));
/* Makes the key file. When this returns true, the file is durable. */
bool seal_make(const char *database, struct seal **ret, struct error *err)
    __attribute__((warn_unused_result));
void seal_free(struct seal *seal); /* wipes the keys; NULL is fine */

/* Tells this key from others, and says nothing about it. */
void seal_check_value(const struct seal *seal, char out[SEAL_MAC_SIZE]);
void seal_mac(const struct seal *seal, struct slice text, char out[SEAL_MAC_SIZE]);
/* out has text.len + SEAL_EXTRA bytes. Each call gives other bytes. */
bool seal_close(const struct seal *seal, struct slice text, uint8_t *out, struct error *err)
    __attribute__((warn_unused_result));
/* The text again, with NUL. ERROR_CORRUPT: the bytes were changed, were sealed with another key, or do not fit. */
bool seal_break(const struct seal *seal, struct slice sealed, char *out, size_t out_size, struct error *err)
    __attribute__((warn_unused_result));

#endif
