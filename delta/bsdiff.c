#include "delta/bsdiff.h"

#include <string.h>
#include "base/cleanup.h"
#include "delta/bzip.h"
#include "delta/suffix.h"

static const char magic[8] = "BSDIFF40";

#define HEADER_SIZE 32 /* magic, then packed length of control and of diff, then size of the new image */
#define RECORD_SIZE 24 /* diff length, extra length, seek */
#define CHUNK       65536

/* Records that make no byte of the new image are legal and sometimes made by stock bsdiff, but never many. */
#define IDLE_RECORDS 1024

/* Numbers: 63 bits of magnitude, little endian, and the sign in the top bit. */
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

static bool add_control(const struct match_script *script, struct buffer *out, struct error *err)
{
    _cleanup_(buffer_free) struct buffer plain = {0};
    if (!buffer_reserve(&plain, script->count * RECORD_SIZE, err))
        return false;
    for (size_t i = 0; i < script->count; i++) {
        const struct match_record *record = &script->record[i];
        put_number(plain.ptr + plain.len, record->diff_len);
        put_number(plain.ptr + plain.len + 8, record->extra_len);
        put_number(plain.ptr + plain.len + 16, record->seek);
        plain.len += RECORD_SIZE;
    }
    return bzip_add_stream(out, buffer_bytes(&plain), err);
}

static bool add_diff(struct bytes old, struct bytes new, const struct match_script *script,
                     struct buffer *out, struct error *err)
{
    _cleanup_(buffer_free) struct buffer plain = {0};
    size_t total = 0;
    for (size_t i = 0; i < script->count; i++)
        total += script->record[i].diff_len;
    if (!buffer_reserve(&plain, total, err))
        return false;
    size_t new_at = 0;
    int64_t old_at = 0;
    for (size_t i = 0; i < script->count; i++) {
        const struct match_record *record = &script->record[i];
        for (size_t k = 0; k < record->diff_len; k++)
            plain.ptr[plain.len++] = (uint8_t)(new.ptr[new_at++] - old.ptr[old_at++]);
        new_at += record->extra_len;
        old_at += record->seek;
    }
    return bzip_add_stream(out, buffer_bytes(&plain), err);
}

static bool add_extra(struct bytes new, const struct match_script *script, struct buffer *out,
                      struct error *err)
{
    _cleanup_(buffer_free) struct buffer plain = {0};
    size_t total = 0;
    for (size_t i = 0; i < script->count; i++)
        total += script->record[i].extra_len;
    if (!buffer_reserve(&plain, total, err))
        return false;
    size_t new_at = 0;
    for (size_t i = 0; i < script->count; i++) {
        const struct match_record *record = &script->record[i];
        new_at += record->diff_len;
        if (!buffer_add(&plain, new.ptr + new_at, record->extra_len, err))
            return false;
        new_at += record->extra_len;
    }
    return bzip_add_stream(out, buffer_bytes(&plain), err);
}

bool bsdiff_encode(struct bytes old, struct bytes new, const struct match_script *script, struct buffer *ret,
                   struct error *err)
{
    _cleanup_(buffer_free) struct buffer out = {0};
    if (!buffer_reserve(&out, HEADER_SIZE, err))
        return false;
    out.len = HEADER_SIZE;
    if (!add_control(script, &out, err))
        return false;
    size_t control_len = out.len - HEADER_SIZE;
    if (!add_diff(old, new, script, &out, err))
        return false;
    size_t diff_len = out.len - HEADER_SIZE - control_len;
    if (!add_extra(new, script, &out, err))
        return false;
    memcpy(out.ptr, magic, sizeof magic);
    put_number(out.ptr + 8, (int64_t)control_len);
    put_number(out.ptr + 16, (int64_t)diff_len);
    put_number(out.ptr + 24, (int64_t) new.len);
    *ret = out;
    out = (struct buffer){0};
    return true;
}

bool bsdiff_make(struct bytes old, struct bytes new, struct buffer *ret, struct error *err)
{
    struct suffix *index;
    if (!suffix_build(old, &index, err))
        return false;
    _cleanup_(match_script_free) struct match_script script = {0};
    bool ok = match_make_script(index, old, new, &script, err);
    suffix_free(index); /* before the streams: it is most of the memory */
    return ok && bsdiff_encode(old, new, &script, ret, err);
}

struct apply {
    struct bytes old;
    struct buffer new;
    size_t new_size;
    int64_t old_at;      /* may lie outside of old */
    size_t idle_records; /* records so far that made nothing */
    struct bzip_reader *control, *diff, *extra;
};

static void apply_free(struct apply *a)
{
    buffer_free(&a->new);
    bzip_close(a->control);
    bzip_close(a->diff);
    bzip_close(a->extra);
}

/* Header and the bounds of the three streams. */
static bool apply_begin(struct apply *a, struct bytes package, size_t max_bytes, struct error *err)
{
    if (!bsdiff_owns(package) || package.len < HEADER_SIZE)
        return error_set(err, ERROR_CORRUPT, "this is no BSDIFF40 package");
    int64_t control_len = get_number(package.ptr + 8);
    int64_t diff_len = get_number(package.ptr + 16);
    int64_t new_size = get_number(package.ptr + 24);
    if (control_len < 0 || diff_len < 0 || new_size < 0)
        return error_set(err, ERROR_CORRUPT, "a length in the header is negative");
    uint64_t left = package.len - HEADER_SIZE;
    if ((uint64_t)control_len > left || (uint64_t)diff_len > left - (uint64_t)control_len)
        return error_set(err, ERROR_CORRUPT,
                         "the package is cut off: its streams should be longer than it is");
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

/* `len` bytes of a stream to the end of new, in pieces, so that memory follows what is really there. */
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
        return error_set(err, ERROR_CORRUPT, "too many control records do nothing");
    if (!take(a, a->diff, (size_t)diff_len, true, err) || !take(a, a->extra, (size_t)extra_len, false, err))
        return false;
    /* Keeps room for the diff bytes of every later record, so that old_at itself cannot overflow. */
    if (__builtin_add_overflow(a->old_at, seek, &a->old_at) || a->old_at > INT64_MAX / 2 ||
        a->old_at < -(INT64_MAX / 2))
        return error_set(err, ERROR_CORRUPT, "a control record seeks impossibly far");
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
