/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/access/secret.h"

#include <openssl/rand.h>
#include <stdio.h>

bool secret_make(char out[SECRET_SIZE], struct sha256 *ret_hash, struct error *err)
{
    unsigned char random[(SECRET_SIZE - 1) / 2];
    if (RAND_bytes(random, sizeof random) != 1)
        return error_set(err, ERROR_INTERNAL, "no random numbers for a secret");
    for (unsigned i = 0; i < sizeof random; i++)
        snprintf(out + 2 * i, 3, "%02x", random[i]);
    sha256_of(out, SECRET_SIZE - 1, ret_hash);
    return true;
}
