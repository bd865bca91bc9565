/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Repr-Digest and Content-Digest (RFC 9530): the SHA-256 of the body, as the sender gives it. A body with
   another SHA-256 was changed during the transfer and is refused. Any thread; no state. */
#ifndef DFOTA_SERVER_ADMIN_DIGEST_H
#define DFOTA_SERVER_ADMIN_DIGEST_H

#include "base/error.h"
#include "base/sha256.h"
#include "server/http/request.h"

struct digest {
    bool given; /* the sender named a SHA-256 */
    struct sha256 sha256;
};

/* Reads the value of one header: a dictionary such as "sha-256=:BASE64:, sha-512=:BASE64:". Algorithms
   other than sha-256 are ignored, but each value must be a byte sequence. Fills *digest if a sha-256 is
   given. ERROR_BAD_REQUEST: the value is malformed, or names another SHA-256 than *digest already has. */
bool digest_parse(const char *header, struct slice value, struct digest *digest, struct error *err)
    __attribute__((warn_unused_result));

/* Reads both headers of a request. */
bool digest_read(const struct request *request, struct digest *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Compares the received body with the digest, if one was given. ERROR_DIGEST_MISMATCH names both. */
bool digest_check(const struct digest *digest, const struct sha256 *body, struct error *err)
    __attribute__((warn_unused_result));

#endif
