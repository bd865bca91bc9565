/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include "base/sha256.h"

static void format(const struct sha256 *hash, char out[DIGEST_SIZE])
{
    unsigned char base64[48];
    EVP_EncodeBlock(base64, hash->byte, SHA256_SIZE);
    snprintf(out, DIGEST_SIZE, "sha-256=:%s:", (const char *)base64);
}

static bool read_all(FILE *from, FILE *copy, struct sha256_state *state, int64_t *ret_size,
                     struct failure *fail)
{
    char bytes[65536];
    size_t got;
    *ret_size = 0;
    while ((got = fread(bytes, 1, sizeof bytes, from)) > 0) {
        sha256_add(state, bytes, got);
        *ret_size += (int64_t)got;
        if (copy && fwrite(bytes, 1, got, copy) != got)
            return failure_set(fail, EXIT_USAGE, "cannot write a temporary copy: %s", strerror(errno));
    }
    return !ferror(from) || failure_set(fail, EXIT_USAGE, "cannot read the file: %s", strerror(errno));
}

bool digest_open(FILE *file, struct digest_file *ret, struct failure *fail)
{
    struct sha256 hash;
    struct sha256_state *state;
    *ret = (struct digest_file){.file = file};
    if (fseeko(file, 0, SEEK_SET) != 0) { /* a pipe */
        ret->file = ret->copy = tmpfile();
        if (!ret->copy)
            return failure_set(fail, EXIT_USAGE, "cannot create a temporary copy: %s", strerror(errno));
    }
    state = sha256_begin();
    bool ok = read_all(file, ret->copy, state, &ret->size, fail);
    sha256_end(state, &hash);
    format(&hash, ret->digest);
    if (!ok || fseeko(ret->file, 0, SEEK_SET) == 0)
        return ok;
    return failure_set(fail, EXIT_USAGE, "cannot read the file a second time: %s", strerror(errno));
}

void digest_close(struct digest_file *file)
{
    if (file->copy)
        fclose(file->copy);
}
