#include "delta/par.h"

#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/little.h"

#define HEAD_LENGTH 8
#define HEAD_HASH   12

#define PART_BITS      0
#define PART_LENGTH    4
#define PART_ADDRESS   12
#define PART_NEW       16
#define PART_BASE      20
#define PART_BASE_HASH 24
#define PART_NEW_HASH  60
#define PART_NAME      94

static const uint8_t magic[] = {0xEC, 0xDF};

/* clang-format off */
#define FF8 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF

const struct par_unknown_row par_unknown_table[PAR_UNKNOWNS] = {
    [PAR_HEAD_2]  = {"head-2",  PAR_IN_HEAD, 2, 1, false, {0x20}, "nothing is known of it"},
    [PAR_HEAD_3]  = {"head-3",  PAR_IN_HEAD, 3, 1, false, {0x40}, "nothing is known of it"},
    [PAR_HEAD_4]  = {"head-4",  PAR_IN_HEAD, 4, 2, false, {0, 0}, "nothing is known of it"},
    [PAR_HEAD_6]  = {"head-6",  PAR_IN_HEAD, 6, 2, false, {0x00, 0x80}, "32768 as a number: a block's size?"},
    [PAR_HEAD_44] = {"head-44", PAR_IN_HEAD, 44, 40, false, {FF8, FF8, FF8, FF8, FF8}, "reserved by its maker"},
    [PAR_PART_8]  = {"part-8",  PAR_IN_PART, 8, 4, false, {0}, "reserved by its maker"},
    [PAR_PART_12] = {"part-12", PAR_IN_PART, PART_ADDRESS, 4, true, {0}, "presumably the load address"},
    [PAR_PART_16] = {"part-16", PAR_IN_PART, PART_NEW, 4, true, {0}, "presumably the new image's size"},
    [PAR_PART_56] = {"part-56", PAR_IN_PART, 56, 4, false, {3, 0x24, 0, 0}, "kind 3, 36 bytes with the next field?"},
    [PAR_PART_60] = {"part-60", PAR_IN_PART, PART_NEW_HASH, 32, true, {0}, "presumably the new image's SHA-256"},
    [PAR_PART_92] = {"part-92", PAR_IN_PART, 92, 2, false, {0, 0x14}, "kind 0, 20 bytes with the name?"},
};
/* clang-format on */

const char *par_attribute_name(unsigned int attribute)
{
    static const char *const names[] = {"?", "BL", "AP", "CP", "APP", "APP2", "APP3", "?"};
    return attribute < sizeof names / sizeof names[0] ? names[attribute] : "?";
}

/* ---- Overrides ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_hex(struct slice text, uint8_t *to, size_t size)
{
    if (text.len != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text.ptr[2 * i]), low = hex_digit(text.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool read_override(struct slice item, struct par_overrides *ret, struct error *err)
{
    struct slice name, hex = item;
    if (!slice_split(&hex, '=', &name) || !hex.ptr)
        return error_set(err, ERROR_BAD_REQUEST, "an override is NAME=HEX");
    for (size_t i = 0; i < PAR_UNKNOWNS; i++) {
        const struct par_unknown_row *row = &par_unknown_table[i];
        if (!slice_is(name, row->name))
            continue;
        if (!read_hex(hex, ret->value[i], row->size))
            return error_set(err, ERROR_BAD_REQUEST, "%s needs %zu hex digits", row->name, 2 * row->size);
        ret->set[i] = true;
        return true;
    }
    return error_set(err, ERROR_BAD_REQUEST, "no bytes of the header are called %.*s",
                     (int)(name.len < 40 ? name.len : 40), name.ptr);
}

bool par_overrides_read(struct slice text, struct par_overrides *ret, struct error *err)
{
    struct par_overrides read = {0};
    struct slice item;
    if (text.len > 0)
        while (slice_split(&text, ',', &item))
            if (!read_override(item, &read, err))
                return false;
    *ret = read;
    return true;
}

/* ---- Writing ---- */

/* The bytes that are not known, into a head at which all others stand already. */
static void put_unknown(uint8_t *head, enum par_place place, const struct par_overrides *overrides)
{
    for (size_t i = 0; i < PAR_UNKNOWNS; i++) {
        const struct par_unknown_row *row = &par_unknown_table[i];
        bool other = overrides && overrides->set[i];
        if (row->place == place && (other || !row->computed))
            memcpy(head + row->offset, other ? overrides->value[i] : row->sample, row->size);
    }
}

static void put_part(uint8_t *head, const struct par_source *source, const struct par_overrides *overrides)
{
    struct sha256 hash;
    uint32_t segments = (uint32_t)((source->new.len + PAR_SEGMENT - 1) / PAR_SEGMENT);
    memset(head, 0, PAR_PART_BYTES);
    little_put_u32(head + PART_BITS,
                   (uint32_t)source->attribute << 5 | (uint32_t)PAR_PART_BYTES << 8 | segments << 24);
    little_put_u32(head + PART_LENGTH, (uint32_t)(PAR_PART_BYTES + source->payload.len));
    little_put_u32(head + PART_ADDRESS, source->load_address);
    little_put_u32(head + PART_NEW, (uint32_t)source->new.len);
    little_put_u32(head + PART_BASE, (uint32_t)source->old.len);
    sha256_of(source->old.ptr, source->old.len, &hash);
    memcpy(head + PART_BASE_HASH, hash.byte, sizeof hash.byte);
    sha256_of(source->new.ptr, source->new.len, &hash);
    memcpy(head + PART_NEW_HASH, hash.byte, sizeof hash.byte);
    snprintf((char *)head + PART_NAME, PAR_NAME_BYTES, "EC618_%s.par", par_attribute_name(source->attribute));
    put_unknown(head, PAR_IN_PART, overrides);
}

static bool add_part(const struct par_source *source, const struct par_overrides *overrides,
                     struct buffer *out, struct error *err)
{
    if (source->new.len > (size_t)PAR_SEGMENTS_MAX * PAR_SEGMENT || source->old.len > UINT32_MAX)
        return error_set(err, ERROR_TOO_LARGE, "a part of %zu bytes is more than %d segments of %d bytes",
                         source->new.len, PAR_SEGMENTS_MAX, PAR_SEGMENT);
    if (source->payload.len > UINT32_MAX - PAR_PART_BYTES - out->len)
        return error_set(err, ERROR_TOO_LARGE, "the archive would be 4 GiB or more");
    if (!buffer_reserve(out, PAR_PART_BYTES, err))
        return false;
    put_part(out->ptr + out->len, source, overrides);
    out->len += PAR_PART_BYTES;
    return buffer_add(out, source->payload.ptr, source->payload.len, err);
}

bool par_make(const struct par_source *source, size_t count, const struct par_overrides *overrides,
              struct buffer *ret, struct error *err)
{
    _cleanup_(buffer_free) struct buffer out = {0};
    if (!buffer_reserve(&out, PAR_HEAD_BYTES, err))
        return false;
    memset(out.ptr, 0, PAR_HEAD_BYTES);
    memcpy(out.ptr, magic, sizeof magic);
    out.len = PAR_HEAD_BYTES;
    for (size_t i = 0; i < count; i++)
        if (!add_part(&source[i], overrides, &out, err))
            return false;
    little_put_u32(out.ptr + HEAD_LENGTH, (uint32_t)out.len);
    put_unknown(out.ptr, PAR_IN_HEAD, overrides);
    struct sha256 hash;
    par_hash(buffer_bytes(&out), &hash);
    memcpy(out.ptr + HEAD_HASH, hash.byte, sizeof hash.byte);
    *ret = out;
    out = (struct buffer){0};
    return true;
}

/* ---- Reading ---- */

bool par_owns(struct bytes bytes)
{
    return bytes.len >= sizeof magic && memcmp(bytes.ptr, magic, sizeof magic) == 0;
}

void par_hash(struct bytes archive, struct sha256 *ret)
{
    static const uint8_t zero[SHA256_SIZE];
    struct sha256_state *state = sha256_begin();
    sha256_add(state, archive.ptr, HEAD_HASH);
    sha256_add(state, zero, sizeof zero);
    sha256_add(state, archive.ptr + HEAD_HASH + SHA256_SIZE, archive.len - HEAD_HASH - SHA256_SIZE);
    sha256_end(state, ret);
}

/* The next part off the front of the rest. False where none stands. */
static bool read_part(struct bytes *rest, struct par_part *part)
{
    if (rest->len < PAR_PART_BYTES)
        return false;
    const uint8_t *head = rest->ptr;
    uint32_t bits = little_u32(head + PART_BITS);
    size_t head_bytes = bits >> 8 & 0x3FF, package_bytes = little_u32(head + PART_LENGTH);
    if (head_bytes < PAR_PART_BYTES || head_bytes > package_bytes || head_bytes > rest->len)
        return false;
    *part = (struct par_part){
        .head = {head, head_bytes},
        .attribute = bits >> 5 & 7,
        .segments = bits >> 24,
        .package_bytes = (uint32_t)package_bytes,
        .zero = little_u32(head + 8),
        .load_address = little_u32(head + PART_ADDRESS),
        .new_bytes = little_u32(head + PART_NEW),
        .base_bytes = little_u32(head + PART_BASE),
    };
    memcpy(part->base_hash.byte, head + PART_BASE_HASH, SHA256_SIZE);
    memcpy(part->new_hash.byte, head + PART_NEW_HASH, SHA256_SIZE);
    memcpy(part->name, head + PART_NAME, PAR_NAME_BYTES); /* the initialiser put a NUL behind it */
    size_t taken = package_bytes < rest->len ? package_bytes : rest->len;
    part->payload = (struct bytes){head + head_bytes, taken - head_bytes};
    *rest = (struct bytes){head + taken, rest->len - taken};
    return true;
}

bool par_read(struct bytes bytes, struct par *ret, struct error *err)
{
    if (!par_owns(bytes) || bytes.len < PAR_HEAD_BYTES)
        return error_set(err, ERROR_CORRUPT, "this is no .par archive");
    *ret = (struct par){
        .all = bytes,
        .head = {bytes.ptr, PAR_HEAD_BYTES},
        .stated_bytes = little_u32(bytes.ptr + HEAD_LENGTH),
        .rest = {bytes.ptr + PAR_HEAD_BYTES, bytes.len - PAR_HEAD_BYTES},
    };
    memcpy(ret->stated_hash.byte, bytes.ptr + HEAD_HASH, SHA256_SIZE);
    while (ret->parts < PAR_PARTS_MAX && read_part(&ret->rest, &ret->part[ret->parts]))
        ret->parts++;
    return true;
}

bool par_check(const struct par *par, struct error *err)
{
    if (par->stated_bytes > par->all.len)
        return error_set(err, ERROR_CORRUPT, "the archive is cut off: it should have %u bytes and has %zu",
                         par->stated_bytes, par->all.len);
    if (par->stated_bytes < par->all.len)
        return error_set(err, ERROR_CORRUPT, "%zu bytes stand behind the archive",
                         par->all.len - par->stated_bytes);
    struct sha256 hash;
    par_hash(par->all, &hash);
    if (!sha256_equal(&hash, &par->stated_hash))
        return error_set(err, ERROR_CORRUPT,
                         "the archive is damaged: its hash is not the one that it states");
    if (par->parts == 0)
        return error_set(err, ERROR_CORRUPT, "the archive holds no package");
    const struct par_part *last = &par->part[par->parts - 1];
    if (par->rest.len > 0 || last->head.len + last->payload.len != last->package_bytes)
        return error_set(err, ERROR_CORRUPT, "the packages of the archive do not fill it");
    return true;
}
