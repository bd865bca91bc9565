/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A certificate with its private key, ready for TLS 1.2 and 1.3. */
#ifndef DFOTA_SERVER_HTTP_CERTIFICATE_H
#define DFOTA_SERVER_HTTP_CERTIFICATE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

struct certificate {
    SSL_CTX *context; /* the caller frees it with SSL_CTX_free() */
    int64_t ends_ms;  /* UTC: notAfter of the first certificate in the file */
    bool is_exposed;  /* users besides the owner and the group may read the key, or others may change it */
};

/* Reads PEM files. cert: the certificate of the server first, then those that signed it. key "": the key is in `cert`
   too. ERROR_INVALID names the file: it cannot be read, has no PEM of this kind, or the key is another one. Any thread. */
bool certificate_load(const char *cert, const char *key, struct certificate *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
