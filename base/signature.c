/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/signature.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

static EVP_PKEY *pkey_of(const struct signature_key *key)
{
    return (EVP_PKEY *)(uintptr_t)key;
}

struct signature_key *signature_key_make(void)
{
    return (struct signature_key *)EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static EVP_PKEY *only_ed25519(EVP_PKEY *key)
{
    if (key && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

struct signature_key *signature_key_read(FILE *file)
{
    return (struct signature_key *)only_ed25519(PEM_read_PrivateKey(file, NULL, NULL, NULL));
}

bool signature_key_write(const struct signature_key *key, FILE *file)
{
    return PEM_write_PKCS8PrivateKey(file, pkey_of(key), NULL, NULL, 0, NULL, NULL) == 1;
}

void signature_key_free(struct signature_key *key)
{
    EVP_PKEY_free(pkey_of(key));
}

void signature_key_public(const struct signature_key *key, struct signature_public_key *ret)
{
    size_t len = sizeof ret->byte;
    if (EVP_PKEY_get_raw_public_key(pkey_of(key), ret->byte, &len) != 1 || len != sizeof ret->byte)
        abort(); /* an Ed25519 key always has one */
}

static EVP_PKEY *public_of(const struct signature_public_key *key)
{
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->byte, sizeof key->byte);
}

char *signature_public_pem(const struct signature_public_key *key)
{
    char *text = NULL;
    size_t size = 0;
    EVP_PKEY *pkey = public_of(key);
    FILE *out = open_memstream(&text, &size);
    bool ok = pkey && out && PEM_write_PUBKEY(out, pkey) == 1;
    ok = out && fclose(out) == 0 && ok;
    EVP_PKEY_free(pkey);
    if (ok)
        return text;
    free(text);
    return NULL;
}

bool signature_public_read(FILE *file, struct signature_public_key *ret)
{
    EVP_PKEY *pkey = only_ed25519(PEM_read_PUBKEY(file, NULL, NULL, NULL));
    size_t len = sizeof ret->byte;
    bool ok = pkey && EVP_PKEY_get_raw_public_key(pkey, ret->byte, &len) == 1 && len == sizeof ret->byte;
    EVP_PKEY_free(pkey);
    return ok;
}

/* Ed25519 takes the message in one piece. The caller frees it. */
static unsigned char *join(const char *tag, struct slice message, size_t *ret_len)
{
    size_t tag_len = strlen(tag);
    unsigned char *joined = malloc(tag_len + message.len + 1);
    if (!joined)
        return NULL;
    memcpy(joined, tag, tag_len);
    if (message.len)
        memcpy(joined + tag_len, message.ptr, message.len);
    *ret_len = tag_len + message.len;
    return joined;
}

bool signature_make(const struct signature_key *key, const char *tag, struct slice message,
                    struct signature *ret)
{
    size_t len, size = sizeof ret->byte;
    unsigned char *joined = join(tag, message, &len);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = joined && context && EVP_DigestSignInit(context, NULL, NULL, NULL, pkey_of(key)) == 1 &&
              EVP_DigestSign(context, ret->byte, &size, joined, len) == 1 && size == sizeof ret->byte;
    EVP_MD_CTX_free(context);
    free(joined);
    return ok;
}

bool signature_check(const struct signature_public_key *key, const char *tag, struct slice message,
                     const struct signature *signature)
{
    size_t len;
    unsigned char *joined = join(tag, message, &len);
    EVP_PKEY *pkey = public_of(key);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = joined && pkey && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
              EVP_DigestVerify(context, signature->byte, sizeof signature->byte, joined, len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pkey);
    free(joined);
    return ok;
}

bool signature_make_package(const struct signature_key *key, const struct sha256 *package,
                            struct signature *ret)
{
    char text[SHA256_HEX_SIZE + 1];
    sha256_hex(package, text);
    memcpy(text + SHA256_HEX_SIZE - 1, "\n", 2);
    return signature_make(key, SIGNATURE_PACKAGE_TAG, slice_of(text), ret);
}

char *signature_base64(const void *bytes, size_t len)
{
    if (len > INT_MAX / 2)
        return NULL;
    char *text = malloc(4 * ((len + 2) / 3) + 1);
    if (text)
        EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
    return text;
}

bool signature_base64_read(const char *text, size_t most, unsigned char **ret, size_t *ret_len)
{
    size_t len = strlen(text), padding = 0;
    if (len % 4 || len / 4 * 3 > most + 2 || len > INT_MAX)
        return false;
    while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
        padding++;
    if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") != len - padding ||
        len / 4 * 3 - padding > most)
        return false;
    unsigned char *bytes = malloc(len / 4 * 3 + 1);
    if (!bytes)
        return false;
    int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len);
    if (decoded < 0) {
        free(bytes);
        return false;
    }
    *ret = bytes;
    *ret_len = (size_t)decoded - padding;
    return true;
}
