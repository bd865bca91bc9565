/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 signatures (RFC 8032), and base64.

   What is signed begins with a tag that says what it is. So a signature of one kind of thing is never valid for
   another. doc/evidence.md describes the messages for other programs. */
#ifndef DFOTA_BASE_SIGNATURE_H
#define DFOTA_BASE_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/sha256.h"
#include "base/slice.h"

#define SIGNATURE_EVIDENCE_TAG "dfota evidence 1\n" /* before the payload of an evidence file */
#define SIGNATURE_PACKAGE_TAG  "dfota package 1\n"  /* before "HEX\n", the SHA-256 of a package */

struct signature_public_key {
    unsigned char byte[32];
};
struct signature {
    unsigned char byte[64];
};
struct signature_key; /* private */

/* A new key; NULL: libcrypto has failed. */
struct signature_key *signature_key_make(void);
/* Reads and writes a private key as PEM (PKCS #8). NULL, false: it is no Ed25519 key, or the file failed. */
struct signature_key *signature_key_read(FILE *file);
bool signature_key_write(const struct signature_key *key, FILE *file);
void signature_key_free(struct signature_key *key); /* NULL is fine */

void signature_key_public(const struct signature_key *key, struct signature_public_key *ret);
/* PEM (SubjectPublicKeyInfo), as openssl reads it. The caller frees it. NULL: out of memory. */
char *signature_public_pem(const struct signature_public_key *key);
/* Reads such a PEM. */
bool signature_public_read(FILE *file, struct signature_public_key *ret);

/* Signs the tag and the message as one. Any thread. */
bool signature_make(const struct signature_key *key, const char *tag, struct slice message,
                    struct signature *ret);
bool signature_check(const struct signature_public_key *key, const char *tag, struct slice message,
                     const struct signature *signature);
/* The same for a package with this SHA-256. */
bool signature_make_package(const struct signature_key *key, const struct sha256 *package,
                            struct signature *ret);

/* The caller frees it. NULL: out of memory. */
char *signature_base64(const void *bytes, size_t len);
/* False: it is no base64, or has more than `most` bytes. *ret is the caller's (free). */
bool signature_base64_read(const char *text, size_t most, unsigned char **ret, size_t *ret_len);

#endif
