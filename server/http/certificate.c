/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"

/* With forward secrecy and without SHA-1. Modules know few suites of TLS 1.2, so CBC is left in. */
#define CIPHERS "HIGH:!aNULL:!PSK:!SRP:!3DES:!SHA1:!kRSA:+SHA256:+SHA384"

/* A key with a password cannot be used: nobody is there to type it. */
static int no_password(char *out, int size, int writing, void *cls)
{
    (void)out, (void)size, (void)writing, (void)cls;
    return 0;
}

static bool check_readable(const char *path, bool *ret_exposed, struct error *err)
{
    struct stat info;
    _cleanup_(cleanup_fclose) FILE *file = fopen(path, "re");
    if (!file || fstat(fileno(file), &info) != 0) {
        error_errno(err, errno, "cannot read %s", path);
        err->code = ERROR_INVALID;
        return false;
    }
    *ret_exposed = info.st_mode & (S_IRWXO | S_IWGRP);
    return true;
}

static SSL_CTX *make_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(context, no_password);
    if (SSL_CTX_set_cipher_list(context, CIPHERS) == 1)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

static bool read_files(SSL_CTX *context, const char *cert, const char *key, struct error *err)
{
    if (SSL_CTX_use_certificate_chain_file(context, cert) != 1)
        return error_set(err, ERROR_INVALID, "%s has no usable certificate in PEM", cert);
    ERR_clear_error();
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_check_private_key(context) == 1)
        return true;
    if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH ||
        ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_TYPE_MISMATCH)
        return error_set(err, ERROR_INVALID, "the key in %s does not belong to the first certificate in %s",
                         key, cert);
    return error_set(err, ERROR_INVALID, "%s has no usable private key in PEM without a password", key);
}

static int64_t end_of(SSL_CTX *context)
{
    struct tm end;
    const X509 *first = SSL_CTX_get0_certificate(context);
    if (!first || ASN1_TIME_to_tm(X509_get0_notAfter(first), &end) != 1)
        return INT64_MAX;
    return (int64_t)timegm(&end) * 1000;
}

bool certificate_load(const char *cert, const char *key, struct certificate *ret, struct error *err)
{
    bool ignored;
    const char *key_file = key[0] ? key : cert;
    if (!check_readable(cert, &ignored, err) || !check_readable(key_file, &ret->is_exposed, err))
        return false;
    SSL_CTX *context = make_context();
    if (!context)
        return error_set(err, ERROR_INTERNAL, "TLS cannot be set up");
    bool ok = read_files(context, cert, key_file, err);
    ERR_clear_error();
    if (!ok) {
        SSL_CTX_free(context);
        return false;
    }
    ret->context = context;
    ret->ends_ms = end_of(context);
    return true;
}
