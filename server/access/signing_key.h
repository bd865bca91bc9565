/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The key that signs evidence and packages: signing.key in the data directory, PEM, readable by the server only. */
#ifndef DFOTA_SERVER_ACCESS_SIGNING_KEY_H
#define DFOTA_SERVER_ACCESS_SIGNING_KEY_H

#include <jansson.h>
#include "base/error.h"
#include "base/signature.h"

#define SIGNING_KEY_FILE "signing.key"

struct signing_key {
    struct signature_key *key;
    struct signature_public_key public_key;
};

/* Reads the key; makes one when there is no file. *ret is freed with signing_key_free(). */
bool signing_key_load(const char *data_dir, const struct signing_key **ret, struct error *err)
    __attribute__((warn_unused_result));
void signing_key_free(const struct signing_key *key); /* NULL is fine */

/* {"algorithm":"Ed25519","key":BASE64,"sha256":HEX,"pem":…}: the public part. */
json_t *signing_key_json(const struct signing_key *key);

#endif
