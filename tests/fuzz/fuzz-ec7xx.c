/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as an EC7xx image, as a package over any old image, as a delta, and as two contents between
   which a delta is made. Input: a byte that chooses, length of old (2 bytes, low first), old, and the rest. In a package
   the hashes and sizes that follow from other bytes are corrected first, so that changes reach the code behind the
   checks. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/little.h"
#include "delta/container/binpkg.h"
#include "delta/container/par.h"
#include "delta/ec7xx/delta.h"
#include "delta/ec7xx/ec7xx.h"
#include "delta/ec7xx/image.h"
#include "delta/ec7xx/stream.h"
#include "delta/inspect/inspect.h"

#define MAX_BYTES 131072

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void print(struct bytes file)
{
    char *text = NULL;
    size_t text_len;
    struct error err;
    FILE *to = open_memstream(&text, &text_len);
    must(to != NULL);
    must(inspect_file(file, to, &err) || err.code == ERROR_CORRUPT || err.code == ERROR_INVALID);
    fclose(to);
    free(text);
}

static void try_image(struct bytes bytes)
{
    struct ec7xx_image image;
    struct error err = {ERROR_CODES, ""};
    if (!ec7xx_image_open(bytes, &image, &err))
        must(err.code == ERROR_CORRUPT || err.code == ERROR_INVALID);
    else if (ec7xx_image_check_hashes(&image, &err))
        must(ec7xx_image_check_packing(&image, &err) || err.code == ERROR_INVALID);
    else
        must(err.code == ERROR_CORRUPT);
    print(bytes);
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
        head[0] = (uint8_t)((head[0] & 0xF0) | i);
    }
    archive[3] = (uint8_t)((archive[3] & 0xF0) | (par.parts - 1));
    par_hash((struct bytes){archive, len}, &hash);
    memcpy(archive + 12, hash.byte, sizeof hash.byte);
}

static void try_package(struct bytes old, struct bytes bytes)
{
    struct buffer new = {0};
    struct error err = {ERROR_CODES, ""};
    uint8_t *package =
        malloc(bytes.len ? bytes.len : 1); /* exactly as large as the package, for the sanitizers */
    must(package != NULL);
    if (bytes.len > 0)
        memcpy(package, bytes.ptr, bytes.len);
    if (!binpkg_owns(old))
        make_right(old, package, bytes.len);
    bool ok = ec7xx_apply(old, (struct bytes){package, bytes.len}, MAX_BYTES, &new, &err);
    must(ok ? new.len <= MAX_BYTES
            : !new.ptr &&err.text[0] && (err.code == ERROR_CORRUPT || err.code == ERROR_CANNOT_APPLY ||
                                         err.code == ERROR_INVALID || err.code == ERROR_TOO_LARGE));
    print((struct bytes){package, bytes.len});
    buffer_free(&new);
    free(package);
}

/* The first two bytes are the size that the delta must make. */
static void try_delta(struct bytes old, struct bytes bytes)
{
    struct ec7xx_delta delta;
    struct error err;
    if (bytes.len < 2)
        return;
    uint32_t size = little_u16(bytes.ptr);
    uint8_t *out = malloc(size + 1);
    must(out != NULL);
    if (!ec7xx_delta_open((struct bytes){bytes.ptr + 2, bytes.len - 2}, size, &delta, &err) ||
        !ec7xx_delta_apply(&delta, old, out, &err))
        must(err.code == ERROR_CORRUPT);
    ec7xx_delta_free(&delta);
    free(out);
}

static void try_stream(struct bytes old, struct bytes new, enum ec7xx_effort effort)
{
    struct buffer made = {0};
    struct ec7xx_delta delta;
    struct error err;
    uint8_t *out = malloc(new.len + 1);
    must(out != NULL);
    must(ec7xx_stream_make(old, new, effort, &made, &err));
    must(ec7xx_delta_open(buffer_bytes(&made), (uint32_t) new.len, &delta, &err));
    must(ec7xx_delta_apply(&delta, old, out, &err));
    must(new.len == 0 || memcmp(out, new.ptr, new.len) == 0);
    ec7xx_delta_free(&delta);
    buffer_free(&made);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    if (len < 3)
        return 0;
    size_t rest = len - 3, wanted = (size_t)(input[1] | input[2] << 8);
    struct bytes old = {input + 3, wanted < rest ? wanted : rest};
    struct bytes other = {input + 3 + old.len, rest - old.len};
    switch (input[0] % 5) {
    case 0:
        try_image((struct bytes){input + 3, rest});
        break;
    case 1:
        try_package(old, other);
        break;
    case 2:
        try_delta(old, other);
        break;
    case 3:
        try_stream(old, other, EC7XX_QUICK);
        break;
    default:
        try_stream(old, other, EC7XX_GOOD);
    }
    return 0;
}
