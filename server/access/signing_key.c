/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/access/signing_key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "server/core/field.h"
#include "server/core/log.h"

static void note(const struct signing_key *key)
{
    char hex[SHA256_HEX_SIZE];
    struct sha256 hash;
    sha256_of(key->public_key.byte, sizeof key->public_key.byte, &hash);
    sha256_hex(&hash, hex);
    log_line(LOG_LEVEL_INFO, "signing-key-made", "sha256", hex, NULL);
}

/* The file gets its name when all of it is durable. */
static bool write_file(const char *data_dir, const char *path, const struct signature_key *key,
                       struct error *err)
{
    char fresh[PATH_MAX];
    snprintf(fresh, sizeof fresh, "%s/" SIGNING_KEY_FILE ".new", data_dir);
    unlink(fresh);
    _cleanup_(cleanup_close) int folder = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file) {
        cleanup_close(&fd);
        return error_errno(err, errno, "cannot write %s", fresh);
    }
    bool ok = signature_key_write(key, file) && fflush(file) == 0 && fsync(fileno(file)) == 0;
    ok = fclose(file) == 0 && ok && rename(fresh, path) == 0;
    return (ok && folder >= 0 && fsync(folder) == 0) || error_errno(err, errno, "cannot write %s", path);
}

static bool make(const char *data_dir, const char *path, struct signing_key *ret, struct error *err)
{
    ret->key = signature_key_make();
    if (!ret->key)
        return error_set(err, ERROR_INTERNAL, "libcrypto cannot make an Ed25519 key");
    if (!write_file(data_dir, path, ret->key, err))
        return false;
    signature_key_public(ret->key, &ret->public_key);
    note(ret);
    return true;
}

static bool load(const char *data_dir, struct signing_key *ret, struct error *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/" SIGNING_KEY_FILE, data_dir) >= (int)sizeof path - 8)
        return error_set(err, ERROR_INVALID, "the path of the data directory is too long");
    _cleanup_(cleanup_fclose) FILE *file = fopen(path, "re");
    if (!file)
        return errno == ENOENT ? make(data_dir, path, ret, err)
                               : error_errno(err, errno, "cannot read %s", path);
    ret->key = signature_key_read(file);
    if (!ret->key)
        return error_set(err, ERROR_CORRUPT,
                         "%.300s is not an Ed25519 key: take it from a backup, or move it away; then the "
                         "server makes another key",
                         path);
    signature_key_public(ret->key, &ret->public_key);
    return true;
}

bool signing_key_load(const char *data_dir, const struct signing_key **ret, struct error *err)
{
    struct signing_key *key = calloc(1, sizeof *key);
    if (!key)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    if (!load(data_dir, key, err)) {
        signing_key_free(key);
        return false;
    }
    *ret = key;
    return true;
}

void signing_key_free(const struct signing_key *key)
{
    if (key)
        signature_key_free(key->key);
    free((struct signing_key *)(uintptr_t)key);
}

json_t *signing_key_json(const struct signing_key *key)
{
    _cleanup_(cleanup_free) char *text = signature_base64(key->public_key.byte, sizeof key->public_key.byte);
    _cleanup_(cleanup_free) char *pem = signature_public_pem(&key->public_key);
    struct sha256 hash;
    sha256_of(key->public_key.byte, sizeof key->public_key.byte, &hash);
    if (!text || !pem)
        return NULL;
    return json_pack("{s:s, s:s, s:o, s:s}", "algorithm", "Ed25519", "key", text, "sha256", field_hash(&hash),
                     "pem", pem);
}
