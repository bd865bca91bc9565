/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bsdiff/bsdiff.h"

#include <string.h>
#include "base/cleanup.h"
#include "delta/bzip2/bzip.h"
#include "delta/bzip2/block.h"

static const char magic[8] = "BSDIFF40";

/* Magic, compressed length of control, compressed length of diff, size of the new image. */
#define HEADER_SIZE 32
#define RECORD_SIZE 24 /* diff length, extra length, seek */
#define CHUNK       65536

/* Empty records are legal, and stock bsdiff writes some of them. More than this number are refused. */
#define IDLE_RECORDS 1024

/* Numbers have 63 bits of magnitude, low byte first. The top bit is the sign. */
static void put_number(uint8_t *to, int64_t value)
{
    uint64_t bits = value < 0 ? (uint64_t)-value | 1ULL << 63 : (uint64_t)value;
    for (size_t i = 0; i < 8; i++)
        to[i] = (uint8_t)(bits >> 8 * i);
}

static int64_t get_number(const uint8_t *from)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < 8; i++)
        bits |= (uint64_t)from[i] << 8 * i;
    int64_t magnitude = (int64_t)(bits & ~(1ULL << 63));
    return bits >> 63 ? -magnitude : magnitude;
}

bool bsdiff_owns(struct bytes package)
{
    return package.len >= sizeof magic && memcmp(package.ptr, magic, sizeof magic) == 0;
}

static bool plain_control(const struct match_script *script, struct buffer *plain, struct error *err)
{
    if (!buffer_reserve(plain, script->count * RECORD_SIZE, err))
        return false;
    for (size_t i = 0; i < script->count; i++) {
        const struct match_record *record = &script->record[i];
        put_number(plain->ptr + plain->len, record->diff_len);
        put_number(plain->ptr + plain->len + 8, record->extra_len);
        put_number(plain->ptr + plain->len + 16, record->seek);
        plain->len += RECORD_SIZE;
    }
    return true;
}

/* The byte of old at that position; 0 outside of old. */
static uint8_t old_byte(struct bytes old, int64_t at)
{
    return at >= 0 && (uint64_t)at < old.len ? old.ptr[at] : 0;
}

static bool plain_diff(struct bytes old, struct bytes new, const struct match_script *script,
                       struct buffer *plain, struct error *err)
{
    size_t total = 0;
    for (size_t i = 0; i < script->count; i++)
        total += script->record[i].diff_len;
    if (!buffer_reserve(plain, total, err))
        return false;
    size_t new_at = 0;
    int64_t old_at = 0;
    for (size_t i = 0; i < script->count; i++) {
        const struct match_record *record = &script->record[i];
        for (size_t k = 0; k < record->diff_len; k++)
            plain->ptr[plain->len++] = (uint8_t)(new.ptr[new_at++] - old_byte(old, old_at++));
        new_at += record->extra_len;
        old_at += record->seek;
    }
    return true;
}

static bool plain_extra(struct bytes new, const struct match_script *script, struct buffer *plain,
                        struct error *err)
{
    size_t total = 0;
    for (size_t i = 0; i < script->count; i++)
        total += script->record[i].extra_len;
    if (!buffer_reserve(plain, total, err))
        return false;
    size_t new_at = 0;
    for (size_t i = 0; i < script->count; i++) {
        const struct match_record *record = &script->record[i];
        new_at += record->diff_len;
        if (!buffer_add(plain, new.ptr + new_at, record->extra_len, err))
            return false;
        new_at += record->extra_len;
    }
    return true;
}

bool bsdiff_plain(enum bsdiff_stream stream, struct bytes old, struct bytes new,
                  const struct match_script *script, struct buffer *ret, struct error *err)
{
    ret->len = 0;
    if (stream == BSDIFF_CONTROL)
        return plain_control(script, ret, err);
    return stream == BSDIFF_DIFF ? plain_diff(old, new, script, ret, err)
                                 : plain_extra(new, script, ret, err);
}

/* Which encoders are used for a stream, by its length. For long streams our encoder takes too long with the effort quick.
   With more effort it was better than libbz2 for each long stream that was measured. */
static const struct packing {
    size_t most[BSDIFF_STREAMS]; /* longest stream for our encoder */
    size_t stock_most;           /* longest stream for libbz2 */
    enum bzip_effort effort;
} packings[] = {
    [BSDIFF_STOCK] = {{1 << 18, 1 << 15, 1 << 15}, SIZE_MAX, BZIP_QUICK},
    [BSDIFF_GOOD] = {{SIZE_MAX, SIZE_MAX, SIZE_MAX}, 1 << 15, BZIP_GOOD},
    [BSDIFF_BEST] = {{SIZE_MAX, SIZE_MAX, SIZE_MAX}, 1 << 15, BZIP_BEST},
};

/* Compresses a stream with both encoders and appends the smaller result. An empty stream has 14 bytes. Stock bspatch
   takes none instead, but another reader may open each stream first. */
static bool add_stream(struct buffer *out, struct bytes plain, size_t most, const struct packing *how,
                       struct error *err)
{
    _cleanup_(buffer_free) struct buffer packed = {0};
    size_t before = out->len;
    if (plain.len > how->stock_most)
        return bzip_block_add_stream(out, plain, BZIP_LARGE_BLOCK, how->effort, err);
    if (!bzip_add_stream(out, plain, err))
        return false;
    if (plain.len > most)
        return true;
    if (!bzip_block_add_stream(&packed, plain, BZIP_LARGE_BLOCK, how->effort, err))
        return false;
    if (packed.len >= out->len - before)
        return true;
    out->len = before;
    return buffer_add(out, packed.ptr, packed.len, err);
}

bool bsdiff_encode(struct bytes old, struct bytes new, const struct match_script *script,
                   enum bsdiff_packing packing, struct buffer *ret, struct error *err)
{
    _cleanup_(buffer_free) struct buffer out = {0};
    size_t len[BSDIFF_STREAMS];
    if (!buffer_reserve(&out, HEADER_SIZE, err))
        return false;
    out.len = HEADER_SIZE;
    for (enum bsdiff_stream stream = BSDIFF_CONTROL; stream < BSDIFF_STREAMS; stream++) {
        _cleanup_(buffer_free) struct buffer plain = {0};
        size_t before = out.len;
        const struct packing *how = &packings[packing];
        if (!bsdiff_plain(stream, old, new, script, &plain, err) ||
            !add_stream(&out, buffer_bytes(&plain), how->most[stream], how, err))
            return false;
        len[stream] = out.len - before;
    }
    memcpy(out.ptr, magic, sizeof magic);
    put_number(out.ptr + 8, (int64_t)len[BSDIFF_CONTROL]);
    put_number(out.ptr + 16, (int64_t)len[BSDIFF_DIFF]);
    put_number(out.ptr + 24, (int64_t) new.len);
    *ret = out;
    out = (struct buffer){0};
    return true;
}

bool bsdiff_measure(struct bytes old, struct bytes new, const struct match_script *script, size_t *ret_len,
                    struct error *err)
{
    _cleanup_(buffer_free) struct buffer plain = {0};
    *ret_len = HEADER_SIZE;
    for (enum bsdiff_stream stream = BSDIFF_CONTROL; stream < BSDIFF_STREAMS; stream++) {
        size_t len;
        if (!bsdiff_plain(stream, old, new, script, &plain, err) ||
            !bzip_block_measure(buffer_bytes(&plain), BZIP_LARGE_BLOCK, &len, err))
            return false;
        *ret_len += len;
    }
    return true;
}

struct apply {
    struct bytes old;
    struct buffer new;
    size_t new_size;
    int64_t old_at;      /* may be outside of old */
    size_t idle_records; /* number of empty records so far */
    struct bzip_reader *control, *diff, *extra;
};

static void apply_free(struct apply *a)
{
    buffer_free(&a->new);
    bzip_close(a->control);
    bzip_close(a->diff);
    bzip_close(a->extra);
}

/* Checks the header and finds the three streams. */
static bool apply_begin(struct apply *a, struct bytes package, size_t max_bytes, struct error *err)
{
    if (!bsdiff_owns(package) || package.len < HEADER_SIZE)
        return error_set(err, ERROR_CORRUPT, "this is not a BSDIFF40 package");
    int64_t control_len = get_number(package.ptr + 8);
    int64_t diff_len = get_number(package.ptr + 16);
    int64_t new_size = get_number(package.ptr + 24);
    if (control_len < 0 || diff_len < 0 || new_size < 0)
        return error_set(err, ERROR_CORRUPT, "a length in the header is negative");
    uint64_t left = package.len - HEADER_SIZE;
    if ((uint64_t)control_len > left || (uint64_t)diff_len > left - (uint64_t)control_len)
        return error_set(err, ERROR_CORRUPT, "the package is cut off: its header states longer streams");
    if ((uint64_t)new_size > max_bytes)
        return error_set(err, ERROR_TOO_LARGE, "the new image would have %lld bytes; the limit is %zu",
                         (long long)new_size, max_bytes);
    a->new_size = (size_t)new_size;
    struct bytes control = {package.ptr + HEADER_SIZE, (size_t)control_len};
    struct bytes diff = {control.ptr + control.len, (size_t)diff_len};
    struct bytes extra = {diff.ptr + diff.len, (size_t)left - control.len - diff.len};
    return bzip_open(control, "control", &a->control, err) && bzip_open(diff, "diff", &a->diff, err) &&
           bzip_open(extra, "extra", &a->extra, err);
}

/* Appends `len` bytes of a stream to new, in pieces, so that memory grows only with the bytes that are
   really there. */
static bool take(struct apply *a, struct bzip_reader *from, size_t len, bool onto_old, struct error *err)
{
    while (len > 0) {
        size_t piece = len < CHUNK ? len : CHUNK;
        if (!buffer_reserve(&a->new, piece, err) || !bzip_read(from, a->new.ptr + a->new.len, piece, err))
            return false;
        if (onto_old) {
            for (size_t i = 0; i < piece; i++, a->old_at++)
                if (a->old_at >= 0 && (uint64_t)a->old_at < a->old.len)
                    a->new.ptr[a->new.len + i] =
                        (uint8_t)(a->new.ptr[a->new.len + i] + a->old.ptr[a->old_at]);
        }
        a->new.len += piece;
        len -= piece;
    }
    return true;
}

static bool apply_record(struct apply *a, struct error *err)
{
    uint8_t record[RECORD_SIZE];
    if (!bzip_read(a->control, record, sizeof record, err))
        return false;
    int64_t diff_len = get_number(record), extra_len = get_number(record + 8), seek = get_number(record + 16);
    uint64_t left = a->new_size - a->new.len;
    if (diff_len < 0 || extra_len < 0 || (uint64_t)diff_len > left ||
        (uint64_t)extra_len > left - (uint64_t)diff_len)
        return error_set(err, ERROR_CORRUPT, "a control record goes past the end of the new image");
    if (diff_len == 0 && extra_len == 0 && a->idle_records++ > IDLE_RECORDS + a->new.len)
        return error_set(err, ERROR_CORRUPT, "too many control records are empty");
    if (!take(a, a->diff, (size_t)diff_len, true, err) || !take(a, a->extra, (size_t)extra_len, false, err))
        return false;
    /* The limit leaves room for the diff bytes of all later records, so old_at cannot overflow. */
    if (__builtin_add_overflow(a->old_at, seek, &a->old_at) || a->old_at > INT64_MAX / 2 ||
        a->old_at < -(INT64_MAX / 2))
        return error_set(err, ERROR_CORRUPT, "a control record moves the read position too far");
    return true;
}

bool bsdiff_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                  struct error *err)
{
    _cleanup_(apply_free) struct apply a = {.old = old};
    if (!apply_begin(&a, package, max_bytes, err))
        return false;
    while (a.new.len < a.new_size)
        if (!apply_record(&a, err))
            return false;
    if (!bzip_read_end(a.control, err) || !bzip_read_end(a.diff, err) || !bzip_read_end(a.extra, err))
        return false;
    *ret = a.new;
    a.new = (struct buffer){0};
    return true;
}
