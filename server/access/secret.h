/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Secrets of tokens, sessions and one-time codes. */
#ifndef DFOTA_SERVER_ACCESS_SECRET_H
#define DFOTA_SERVER_ACCESS_SECRET_H

#include "base/error.h"
#include "base/sha256.h"

#define SECRET_SIZE 65 /* 64 hex digits and NUL: 256 random bits */

/* Makes a secret and its hash. Any thread. */
bool secret_make(char out[SECRET_SIZE], struct sha256 *ret_hash, struct error *err)
    __attribute__((warn_unused_result));

#endif
