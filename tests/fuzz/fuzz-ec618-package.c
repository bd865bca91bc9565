/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as a package of one of the EC618 formats. Input: length of old (2 bytes, low
   first), old, the package. First the fields that follow from other bytes are corrected, so that changes
   reach the code behind the checks: counts, sizes, order, and the hashes of the archive and the base. Then the same bytes as a full package of CSDK. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "delta/container/binpkg.h"
#include "delta/container/luatos.h"
#include "delta/ec618/ec618.h"
#include "delta/ec618/full.h"
#include "delta/ec618/payload.h"
#include "base/little.h"
#include "delta/container/par.h"

#define MAX_BYTES 131072

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

/* Sets the fields of the head that follow from the payload. */
static void fit_head(uint8_t *head, struct bytes bytes, unsigned int index)
{
    struct ec618_payload payload;
    struct error err;
    if (!ec618_payload_open(bytes, &payload, &err))
        return;
    head[0] = (uint8_t)((head[0] & 0xE0) | (payload.order == EC618_REVERSE ? 0x10 : 0) | index);
    head[3] = (uint8_t)payload.parts;
    little_put_u32(head + 16, payload.new_bytes);
}

/* Corrects a bare archive in place. */
static void make_right(struct bytes old, uint8_t *archive, size_t len)
{
    struct par par;
    struct error err;
    struct sha256 hash;
    if (!par_read((struct bytes){archive, len}, &par, &err) || par.parts == 0)
        return;
    sha256_of(old.ptr, old.len, &hash);
    for (unsigned int i = 0; i < par.parts; i++) {
        uint8_t *head = archive + (par.part[i].head.ptr - archive);
        little_put_u32(head + 20, (uint32_t)old.len);
        memcpy(head + 24, hash.byte, sizeof hash.byte);
        fit_head(head, par.part[i].payload, i);
    }
    archive[3] = (uint8_t)((archive[3] & 0xF0) | (par.parts - 1));
    par_hash((struct bytes){archive, len}, &hash);
    memcpy(archive + 12, hash.byte, sizeof hash.byte);
}

/* Corrects the lengths and hashes in the head of a full package of CSDK in place. */
static void make_full_right(uint8_t *package, size_t len)
{
    struct error err;
    struct bytes bytes = {package, len};
    if (!luatos_owns_full(bytes) || len < LUATOS_HEAD_BYTES)
        return;
    little_put_u32(package + LUATOS_COMMON, (uint32_t)(len - LUATOS_HEAD_BYTES));
    if (luatos_md5((struct bytes){package + LUATOS_HEAD_BYTES, len - LUATOS_HEAD_BYTES},
                   package + LUATOS_COMMON_MD5, &err))
        little_put_u32(package + LUATOS_CRC, luatos_head_crc(package));
}

/* The same bytes as a full package of CSDK, with `image` as the image. */
static void verify_full(struct bytes image, uint8_t *package, size_t len)
{
    struct error err = {ERROR_CODES, ""};
    make_full_right(package, len);
    if (!ec618_full_verify((struct bytes){package, len}, image, &err) &&
        (!err.text[0] ||
         (err.code != ERROR_CORRUPT && err.code != ERROR_INVALID && err.code != ERROR_TOO_LARGE)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    if (len < 2)
        return 0;
    size_t rest = len - 2, wanted = (size_t)(input[0] | input[1] << 8);
    struct bytes old = {input + 2, wanted < rest ? wanted : rest};
    size_t size = rest - old.len;
    uint8_t *package = malloc(size ? size : 1); /* exactly as large as the package, for the sanitizers */
    if (!package)
        return 0;
    if (size > 0)
        memcpy(package, input + 2 + old.len, size);
    if (!binpkg_owns(old))
        make_right(old, package, size);
    struct buffer new = {0};
    struct error err = {ERROR_CODES, ""};
    bool ok = ec618_apply(old, (struct bytes){package, size}, MAX_BYTES, &new, &err);
    if (ok ? new.len > MAX_BYTES
           : new.ptr || !err.text[0] ||
                 (err.code != ERROR_CORRUPT && err.code != ERROR_CANNOT_APPLY && err.code != ERROR_INVALID &&
                  err.code != ERROR_TOO_LARGE))
        abort();
    buffer_free(&new);
    verify_full(old, package, size);
    free(package);
    return 0;
}
