/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 with libcrypto. A state is used by one thread at a time. */
#ifndef DFOTA_BASE_SHA256_H
#define DFOTA_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"

#define SHA256_SIZE     32
#define SHA256_HEX_SIZE 65 /* 64 hex digits and NUL */

struct sha256 {
    uint8_t byte[SHA256_SIZE];
};

struct sha256_state;

/* Aborts the program if memory is exhausted or libcrypto has no SHA-256. */
struct sha256_state *sha256_begin(void);
void sha256_add(struct sha256_state *state, const void *bytes, size_t len);
void sha256_end(struct sha256_state *state, struct sha256 *ret); /* frees state */
void sha256_free(struct sha256_state *state);                    /* without a result; NULL is allowed */

void sha256_of(const void *bytes, size_t len, struct sha256 *ret);

bool sha256_equal(const struct sha256 *a, const struct sha256 *b); /* in constant time */
bool sha256_is_zero(const struct sha256 *hash);
void sha256_hex(const struct sha256 *hash, char out[SHA256_HEX_SIZE]);
bool sha256_from_hex(struct slice text, struct sha256 *ret); /* 64 digits, upper or lower case */

#endif
