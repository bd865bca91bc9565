/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/cleanup.h"
#include "base/sha256.h"

#define NONCE_SIZE 12
#define TAG_SIZE   16
_Static_assert(NONCE_SIZE + TAG_SIZE == SEAL_EXTRA, "what a sealed text has besides the text");

struct seal { /* three keys from the one in the file: no use tells anything about another */
    struct sha256 mac, cipher, check;
};

static void hmac(const struct sha256 *key, struct slice text, struct sha256 *ret)
{
    unsigned len = SHA256_SIZE;
    if (!HMAC(EVP_sha256(), key->byte, SHA256_SIZE, (const unsigned char *)text.ptr, text.len, ret->byte,
              &len))
        abort(); /* out of memory, or libcrypto has no SHA-256 */
}

static bool derive(const struct sha256 *key, struct seal **ret, struct error *err)
{
    *ret = calloc(1, sizeof **ret);
    if (!*ret)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    hmac(key, slice_of("dfota mac"), &(*ret)->mac);
    hmac(key, slice_of("dfota cipher"), &(*ret)->cipher);
    hmac(key, slice_of("dfota check"), &(*ret)->check);
    return true;
}

void seal_free(struct seal *seal)
{
    if (seal)
        OPENSSL_cleanse(seal, sizeof *seal);
    free(seal);
}

/* The file */

struct key_path {
    char folder[PATH_MAX], file[PATH_MAX], fresh[PATH_MAX];
};

static bool find_path(const char *database, struct key_path *ret, struct error *err)
{
    const char *slash = strrchr(database, '/');
    int len = slash ? (int)(slash - database) : 1;
    if (snprintf(ret->folder, sizeof ret->folder, "%.*s", len, slash ? database : ".") < PATH_MAX - 16 &&
        snprintf(ret->file, sizeof ret->file, "%s/" SEAL_FILE, ret->folder) < PATH_MAX &&
        snprintf(ret->fresh, sizeof ret->fresh, "%s/" SEAL_FILE ".new", ret->folder) < PATH_MAX)
        return true;
    return error_set(err, ERROR_INVALID, "the path of the database is too long");
}

static bool fail(struct error *err, const char *what, const char *path)
{
    error_errno(err, errno, "cannot %s %s", what, path);
    err->code = err->code == ERROR_NO_SPACE ? err->code : ERROR_UNAVAILABLE;
    return false;
}

bool seal_open(const char *database, struct seal **ret, struct error *err)
{
    struct key_path path;
    char text[SHA256_HEX_SIZE + 1];
    struct sha256 key;
    *ret = NULL;
    if (!find_path(database, &path, err))
        return false;
    _cleanup_(cleanup_close) int fd = open(path.file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || fail(err, "open", path.file);
    ssize_t got = read(fd, text, sizeof text);
    if (got < 0)
        return fail(err, "read", path.file);
    bool ok = got == SHA256_HEX_SIZE && text[SHA256_HEX_SIZE - 1] == '\n' &&
              sha256_from_hex((struct slice){text, SHA256_HEX_SIZE - 1}, &key);
    ok = ok ? derive(&key, ret, err)
            : error_set(err, ERROR_UNAVAILABLE, "%.300s is not a key of dfotad: put it back from a backup",
                        path.file);
    OPENSSL_cleanse(text, sizeof text);
    OPENSSL_cleanse(&key, sizeof key);
    return ok;
}

/* A file that root writes belongs to the owner of the folder, who runs the server. */
static bool give_to_owner(int fd, int folder_fd)
{
    struct stat owner;
    return geteuid() != 0 || (fstat(folder_fd, &owner) == 0 && fchown(fd, owner.st_uid, owner.st_gid) == 0);
}

static bool write_file(const struct key_path *path, const char *hex, struct error *err)
{
    unlink(path->fresh);
    _cleanup_(cleanup_close) int folder = open(path->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_(cleanup_close) int fd = open(path->fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (folder < 0 || fd < 0 || !give_to_owner(fd, folder) || dprintf(fd, "%s\n", hex) != SHA256_HEX_SIZE ||
        fsync(fd) != 0 || rename(path->fresh, path->file) != 0)
        return fail(err, "write", path->file);
    return fsync(folder) == 0 || fail(err, "sync", path->folder);
}

bool seal_make(const char *database, struct seal **ret, struct error *err)
{
    struct key_path path;
    struct sha256 key;
    char hex[SHA256_HEX_SIZE];
    *ret = NULL;
    if (!find_path(database, &path, err))
        return false;
    if (RAND_priv_bytes(key.byte, sizeof key.byte) != 1)
        return error_set(err, ERROR_INTERNAL, "no random numbers for " SEAL_FILE);
    sha256_hex(&key, hex);
    bool ok = write_file(&path, hex, err) && derive(&key, ret, err);
    OPENSSL_cleanse(hex, sizeof hex);
    OPENSSL_cleanse(&key, sizeof key);
    return ok;
}

/* Hashes */

void seal_check_value(const struct seal *seal, char out[SEAL_MAC_SIZE])
{
    sha256_hex(&seal->check, out);
}

void seal_mac(const struct seal *seal, struct slice text, char out[SEAL_MAC_SIZE])
{
    struct sha256 mac;
    hmac(&seal->mac, text, &mac);
    sha256_hex(&mac, out);
}

/* Sealed texts: nonce, cipher text, tag */

static void cleanup_cipher(EVP_CIPHER_CTX **cipher)
{
    EVP_CIPHER_CTX_free(*cipher);
}

bool seal_close(const struct seal *seal, struct slice text, uint8_t *out, struct error *err)
{
    _cleanup_(cleanup_cipher) EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    uint8_t *bytes = out + NONCE_SIZE;
    int len = 0, more = 0;
    if (cipher && text.len < INT_MAX && RAND_bytes(out, NONCE_SIZE) == 1 &&
        EVP_EncryptInit_ex2(cipher, EVP_aes_256_gcm(), seal->cipher.byte, out, NULL) == 1 &&
        EVP_EncryptUpdate(cipher, bytes, &len, (const unsigned char *)text.ptr, (int)text.len) == 1 &&
        EVP_EncryptFinal_ex(cipher, bytes + len, &more) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, bytes + text.len) == 1)
        return true;
    return error_set(err, ERROR_INTERNAL, "a secret cannot be sealed");
}

bool seal_break(const struct seal *seal, struct slice sealed, char *out, size_t out_size, struct error *err)
{
    _cleanup_(cleanup_cipher) EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    const unsigned char *nonce = (const unsigned char *)sealed.ptr, *bytes = nonce + NONCE_SIZE;
    uint8_t tag[TAG_SIZE];
    int len = 0, more = 0;
    if (cipher && sealed.len >= SEAL_EXTRA && sealed.len - SEAL_EXTRA < out_size && sealed.len < INT_MAX) {
        size_t size = sealed.len - SEAL_EXTRA;
        memcpy(tag, bytes + size, TAG_SIZE);
        if (EVP_DecryptInit_ex2(cipher, EVP_aes_256_gcm(), seal->cipher.byte, nonce, NULL) == 1 &&
            EVP_DecryptUpdate(cipher, (unsigned char *)out, &len, bytes, (int)size) == 1 &&
            EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1 &&
            EVP_DecryptFinal_ex(cipher, (unsigned char *)out + len, &more) == 1) {
            out[size] = '\0';
            return true;
        }
    }
    out[0] = '\0';
    return error_set(err, ERROR_CORRUPT, "a secret in the database cannot be read with this " SEAL_FILE);
}
