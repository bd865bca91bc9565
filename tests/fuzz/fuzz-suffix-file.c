/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: an index from a file of unknown origin. The unchanged input is refused or correct. With
   correct hashes and any order, searches stay within the text, and the package made with the index gives
   the new image. Input: length of old (1 byte), old, length of new (1 byte), new, and the rest is the
   order. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/sha256.h"
#include "delta/bsdiff/bsdiff.h"
#include "delta/bsdiff/make.h"

#define HEAD 80 /* bytes; the last field of the head is the hash of the order */

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static struct bytes take(const uint8_t **input, size_t *len)
{
    if (*len == 0)
        return (struct bytes){NULL, 0};
    size_t wanted = **input;
    *len -= 1;
    wanted = wanted < *len ? wanted : *len;
    struct bytes taken = {*input + 1, wanted};
    *input += 1 + wanted;
    *len -= wanted;
    return taken;
}

static void check(struct bytes old, struct bytes new, struct buffer *file)
{
    struct suffix *index;
    struct error err;
    if (!suffix_open(old, file, &index, &err)) {
        must(err.code == ERROR_CORRUPT);
        return;
    }
    struct buffer package = {0}, again = {0};
    must(bsdiff_make(old, new, index, BSDIFF_EFFORT_GOOD, &package, NULL, &err));
    must(bsdiff_apply(old, buffer_bytes(&package), new.len, &again, &err));
    must(bytes_equal(buffer_bytes(&again), new));
    buffer_free(&package);
    buffer_free(&again);
}

/* An index file of old with this order. */
static void forge(struct bytes old, struct bytes order, struct buffer *file)
{
    struct suffix *index;
    struct sha256 hash;
    struct error err;
    must(suffix_build(old, &index, &err));
    struct bytes sealed = suffix_seal(index);
    must(buffer_add(file, sealed.ptr, sealed.len, &err));
    suffix_free(index);
    size_t room = file->len - HEAD;
    if (order.len > 0)
        memcpy(file->ptr + HEAD, order.ptr, order.len < room ? order.len : room);
    sha256_of(file->ptr + HEAD, room, &hash);
    memcpy(file->ptr + HEAD - sizeof hash, &hash, sizeof hash);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    struct bytes old = take(&input, &len), new = take(&input, &len);
    struct buffer raw = {0}, forged = {0};
    struct error err;
    must(buffer_add(&raw, input, len, &err));
    check(old, new, &raw);
    forge(old, (struct bytes){input, len}, &forged);
    check(old, new, &forged);
    buffer_free(&raw);
    buffer_free(&forged);
    return 0;
}
