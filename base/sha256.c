/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static EVP_MD *digest;
static pthread_once_t digest_once = PTHREAD_ONCE_INIT;

static void need(bool ok)
{
    if (!ok) {
        fputs("libcrypto cannot compute SHA-256\n", stderr);
        abort();
    }
}

static void fetch(void)
{
    digest = EVP_MD_fetch(NULL, "SHA256", NULL);
    need(digest != NULL);
}

struct sha256_state *sha256_begin(void)
{
    pthread_once(&digest_once, fetch);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    need(context && EVP_DigestInit_ex2(context, digest, NULL) == 1);
    return (struct sha256_state *)context;
}

void sha256_add(struct sha256_state *state, const void *bytes, size_t len)
{
    need(EVP_DigestUpdate((EVP_MD_CTX *)state, bytes, len) == 1);
}

void sha256_end(struct sha256_state *state, struct sha256 *ret)
{
    need(EVP_DigestFinal_ex((EVP_MD_CTX *)state, ret->byte, NULL) == 1);
    sha256_free(state);
}

void sha256_free(struct sha256_state *state)
{
    EVP_MD_CTX_free((EVP_MD_CTX *)state);
}

void sha256_of(const void *bytes, size_t len, struct sha256 *ret)
{
    struct sha256_state *state = sha256_begin();
    sha256_add(state, bytes, len);
    sha256_end(state, ret);
}

bool sha256_equal(const struct sha256 *a, const struct sha256 *b)
{
    return CRYPTO_memcmp(a->byte, b->byte, SHA256_SIZE) == 0;
}

bool sha256_is_zero(const struct sha256 *hash)
{
    static const struct sha256 zero;
    return sha256_equal(hash, &zero);
}

void sha256_hex(const struct sha256 *hash, char out[SHA256_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        out[2 * i] = digits[hash->byte[i] >> 4];
        out[2 * i + 1] = digits[hash->byte[i] & 15];
    }
    out[SHA256_HEX_SIZE - 1] = '\0';
}

bool sha256_from_hex(struct slice text, struct sha256 *ret)
{
    if (text.len != SHA256_HEX_SIZE - 1)
        return false;
    struct sha256 value = {{0}};
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return false;
        value.byte[i / 2] = (uint8_t)(value.byte[i / 2] << 4 | digit);
    }
    *ret = value;
    return true;
}
