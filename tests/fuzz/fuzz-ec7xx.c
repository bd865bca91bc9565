/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as an EC7xx image, as a package in any wrapper over any old image or release, as a delta, as
   two contents between which a delta is made, and as two images or releases between which a package is made. Input: a
   byte that chooses, length of old (2 bytes, low first), old, and the rest. In a package the hashes and sizes that follow
   from other bytes are corrected first, so that changes reach the code behind the checks. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/little.h"
#include "delta/container/luatos.h"
#include "delta/container/par.h"
#include "delta/container/wrapper.h"
#include "delta/ec618/image.h"
#include "delta/ec7xx/delta.h"
#include "delta/ec7xx/ec7xx.h"
#include "delta/ec7xx/image.h"
#include "delta/ec7xx/stream.h"
#include "delta/engine.h"
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

/* Sets size and hash of the base in the head of a package. */
static void fit_base(const struct ec618_image *old, const struct par_part *part, uint8_t *head)
{
    enum ec618_slot slot = EC618_AP;
    struct sha256 hash;
    struct error err;
    if (old->is_binpkg && !ec618_image_find_slot(old, part->attribute, &slot, &err))
        return;
    struct bytes base = old->part[slot];
    sha256_of(base.ptr, base.len, &hash);
    little_put_u32(head + 20, (uint32_t)base.len);
    memcpy(head + 24, hash.byte, sizeof hash.byte);
}

/* Corrects a bare archive in place. */
static void fit_archive(const struct ec618_image *old, uint8_t *archive, size_t len)
{
    struct par par;
    struct error err;
    struct sha256 hash;
    if (!par_read((struct bytes){archive, len}, &par, &err) || par.parts == 0)
        return;
    for (unsigned int i = 0; i < par.parts; i++) {
        uint8_t *head = archive + (par.part[i].head.ptr - archive);
        fit_base(old, &par.part[i], head);
        head[0] = (uint8_t)((head[0] & 0xF0) | i);
    }
    archive[3] = (uint8_t)((archive[3] & 0xF0) | (par.parts - 1));
    par_hash((struct bytes){archive, len}, &hash);
    memcpy(archive + 12, hash.byte, sizeof hash.byte);
}

/* Corrects the archive and the head of 92 bytes around it, if the package has one. */
static void fit_package(struct bytes old, uint8_t *package, size_t len)
{
    struct ec618_image image;
    struct luatos_file file;
    struct bytes archive = {package, len};
    uint32_t stated;
    struct error err;
    if (!ec618_image_open(old, "", &image, &err))
        return;
    if (luatos_owns(archive) && luatos_read(archive, &file, &err)) {
        fit_archive(&image, package + (len - file.sdk.len - file.rest.len), file.sdk.len);
        must(luatos_md5(file.common, package + LUATOS_COMMON_MD5, &err));
        little_put_u32(package + LUATOS_CRC, luatos_head_crc(package));
    } else if (!wrapper_at_owns(archive) || wrapper_at_read(archive, &archive, &stated, &err)) {
        fit_archive(&image, package + (len - archive.len), archive.len);
    }
    ec618_image_free(&image);
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
    fit_package(old, package, bytes.len);
    struct bytes fitted = {package, bytes.len};
    bool ok = ec7xx_apply(old, fitted, MAX_BYTES, &new, &err);
    must(ok ? new.len <= MAX_BYTES
            : !new.ptr &&err.text[0] && (err.code == ERROR_CORRUPT || err.code == ERROR_CANNOT_APPLY ||
                                         err.code == ERROR_INVALID || err.code == ERROR_TOO_LARGE));
    must(!ok || ec7xx_owns(fitted));
    must(ec7xx_fits_module(fitted, fitted, NULL, &err) || err.code != ERROR_INTERNAL);
    print(fitted);
    buffer_free(&new);
    free(package);
}

/* The proof of engine_make() fails with ERROR_INTERNAL. */
static void try_make(struct bytes old, struct bytes new)
{
    static const char *const formats[] = {"ec7xx-at", "ec7xx-luatos"};
    const struct engine_options options = {.effort = ENGINE_QUICK};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct buffer made = {0};
        struct error err = {ERROR_CODES, ""};
        must(engine_make(engine_find(formats[i]), old, new, &options, &made, NULL, &err) ||
             err.code != ERROR_INTERNAL);
        must(made.len == 0 || ec7xx_owns(buffer_bytes(&made)));
        buffer_free(&made);
    }
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
    switch (input[0] % 6) {
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
    case 4:
        try_stream(old, other, EC7XX_GOOD);
        break;
    default:
        try_make(old, other);
    }
    return 0;
}
