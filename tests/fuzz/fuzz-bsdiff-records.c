/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: the three streams of a bsdiff package, compressed here so that changes are not stopped by
   the checksums of bzip2, and a simple model of the format for comparison.

   Input: length of old (1 byte), size of new (2 bytes, low first), number of control records (1 byte),
   length of the diff stream (2 bytes); then old, the records (24 bytes each), the diff stream, and the
   rest is extra. */
#include <stdint.h>
#include <stdlib.h>
#include "delta/bsdiff/bsdiff.h"
#include "delta/bzip2/bzip.h"

#define MAX_BYTES 65535

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

struct streams {
    struct bytes old, control, diff, extra;
    size_t new_size;
};

static struct bytes cut(struct bytes *rest, size_t len)
{
    struct bytes head = {rest->ptr, len < rest->len ? len : rest->len};
    rest->ptr += head.len;
    rest->len -= head.len;
    return head;
}

static size_t number_16(struct bytes from)
{
    return (size_t)((from.len > 0 ? from.ptr[0] : 0) | (from.len > 1 ? from.ptr[1] << 8 : 0));
}

static struct streams split(struct bytes input)
{
    struct streams s;
    size_t old_len = number_16(cut(&input, 1));
    s.new_size = number_16(cut(&input, 2));
    size_t records = number_16(cut(&input, 1));
    size_t diff_len = number_16(cut(&input, 2));
    s.old = cut(&input, old_len);
    s.control = cut(&input, records * 24);
    s.diff = cut(&input, diff_len);
    s.extra = input;
    return s;
}

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void put_number(uint8_t *to, size_t value)
{
    for (size_t i = 0; i < 8; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static struct buffer pack(const struct streams *s)
{
    struct buffer package = {0};
    struct error err;
    must(buffer_add(&package, "BSDIFF40 lengths of 8 bytes each", 32, &err));
    must(bzip_add_stream(&package, s->control, &err));
    size_t control_end = package.len;
    must(bzip_add_stream(&package, s->diff, &err));
    size_t diff_end = package.len;
    must(bzip_add_stream(&package, s->extra, &err));
    put_number(package.ptr + 8, control_end - 32);
    put_number(package.ptr + 16, diff_end - control_end);
    put_number(package.ptr + 24, s->new_size);
    return package;
}

/* Wide enough to never overflow. */
static __int128 take_number(struct bytes *from)
{
    uint64_t bits = 0;
    struct bytes eight = cut(from, 8);
    for (size_t i = 0; i < 8; i++)
        bits |= (uint64_t)eight.ptr[i] << 8 * i;
    __int128 magnitude = (__int128)(bits & INT64_MAX);
    return bits >> 63 ? -magnitude : magnitude;
}

/* A naive reader of the format: byte by byte, all in memory. False: the package must be refused. `new`
   has room for new_size bytes. */
static bool model(struct streams s, uint8_t *new)
{
    __int128 old_at = 0;
    size_t at = 0;
    while (at < s.new_size) {
        if (s.control.len < 24)
            return false;
        __int128 diff_len = take_number(&s.control), extra_len = take_number(&s.control);
        __int128 seek = take_number(&s.control);
        if (diff_len < 0 || extra_len < 0 || diff_len + extra_len > (__int128)(s.new_size - at) ||
            diff_len > (__int128)s.diff.len || extra_len > (__int128)s.extra.len)
            return false;
        for (; diff_len > 0; diff_len--, old_at++) {
            bool inside = old_at >= 0 && old_at < (__int128)s.old.len;
            new[at++] = (uint8_t)(cut(&s.diff, 1).ptr[0] + (inside ? s.old.ptr[old_at] : 0));
        }
        for (; extra_len > 0; extra_len--)
            new[at++] = cut(&s.extra, 1).ptr[0];
        old_at += seek;
        if (old_at > INT64_MAX / 2 || old_at < -(INT64_MAX / 2))
            return false;
    }
    return s.control.len == 0 && s.diff.len == 0 && s.extra.len == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    struct streams s = split((struct bytes){input, len});
    struct buffer package = pack(&s), new = {0};
    struct error err;
    uint8_t expected[MAX_BYTES];
    bool should = model(s, expected);
    bool does = bsdiff_apply(s.old, buffer_bytes(&package), MAX_BYTES, &new, &err);
    must(does == should);
    if (does)
        must(bytes_equal(buffer_bytes(&new), (struct bytes){expected, s.new_size}));
    else
        must(!new.ptr &&err.code == ERROR_CORRUPT);
    buffer_free(&package);
    buffer_free(&new);
    return 0;
}
