/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/container/binpkg.h"

#include <ctype.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/little.h"

#define NAME_BYTES 64
#define TYPE_AT    336
#define TYPE_BYTES 16

static const char pkgmode[] =
    "pkgmode"; /* at offset 0x38. In a file with the short head, that offset is in the name of the first
                  entry. */
#define PKGMODE_AT 0x38

static size_t head_bytes(struct bytes bytes)
{
    size_t len = sizeof pkgmode - 1;
    bool is = bytes.len >= PKGMODE_AT + len && memcmp(bytes.ptr + PKGMODE_AT, pkgmode, len) == 0;
    return is ? BINPKG_HEAD_PKGMODE : BINPKG_HEAD_BYTES;
}

/* Printable text, padded with NUL. */
static bool is_padded_text(const uint8_t *at, size_t size)
{
    size_t len = strnlen((const char *)at, size);
    for (size_t i = 0; i < size; i++)
        if (i < len ? at[i] < 0x20 || at[i] > 0x7E : at[i] != 0)
            return false;
    return len > 0;
}

static bool read_hash(const uint8_t *field, struct sha256 *ret)
{
    return is_padded_text(field, BINPKG_HASH_BYTES) &&
           strnlen((const char *)field, BINPKG_HASH_BYTES) == 64 &&
           sha256_from_hex((struct slice){(const char *)field, 64}, ret);
}

/* Takes the next entry from *rest. False: the bytes are not an entry. */
static bool read_entry(struct bytes *rest, struct binpkg_entry *ret)
{
    if (rest->len < BINPKG_ENTRY_BYTES || !is_padded_text(rest->ptr, NAME_BYTES))
        return false;
    const uint8_t *head = rest->ptr;
    *ret = (struct binpkg_entry){
        .head = {head, BINPKG_ENTRY_BYTES},
        .address = little_u32(head + 64),
        .flash_bytes = little_u32(head + 68),
        .offset = little_u32(head + 72),
        .image_bytes = little_u32(head + BINPKG_ENTRY_SIZE),
        .vt = little_u16(head + 352),
        .vt_bytes = little_u16(head + 354),
        .reserved = little_u32(head + 356),
        .data = little_u32(head + 360),
    };
    memcpy(ret->name, head, NAME_BYTES); /* the initialiser set the last byte of both to NUL */
    memcpy(ret->type, head + TYPE_AT, TYPE_BYTES);
    ret->has_hash = read_hash(head + BINPKG_ENTRY_HASH, &ret->hash);
    size_t left = rest->len - BINPKG_ENTRY_BYTES;
    size_t image = ret->image_bytes < left ? ret->image_bytes : left;
    ret->image = (struct bytes){head + BINPKG_ENTRY_BYTES, image};
    *rest = (struct bytes){ret->image.ptr + image, left - image};
    return true;
}

bool binpkg_owns(struct bytes bytes)
{
    size_t head = head_bytes(bytes);
    if (bytes.len < head)
        return false;
    struct bytes rest = {bytes.ptr + head, bytes.len - head};
    struct binpkg_entry entry;
    return read_entry(&rest, &entry) && entry.has_hash;
}

bool binpkg_read(struct bytes bytes, struct binpkg *ret, struct error *err)
{
    if (!binpkg_owns(bytes))
        return error_set(err, ERROR_CORRUPT, "this is not a .binpkg");
    size_t head = head_bytes(bytes);
    *ret = (struct binpkg){
        .head = {bytes.ptr, head},
        .pkgmode = head == BINPKG_HEAD_PKGMODE,
        .rest = {bytes.ptr + head, bytes.len - head},
    };
    if (ret->pkgmode && is_padded_text(bytes.ptr + BINPKG_PRODUCT, BINPKG_PRODUCT_SIZE - 1))
        memcpy(ret->product, bytes.ptr + BINPKG_PRODUCT, BINPKG_PRODUCT_SIZE - 1);
    while (ret->entries < BINPKG_ENTRIES_MAX && read_entry(&ret->rest, &ret->entry[ret->entries]))
        ret->entries++;
    return true;
}

static bool check_entry(const struct binpkg_entry *entry, unsigned int number, struct error *err)
{
    if (entry->image.len != entry->image_bytes)
        return error_set(err, ERROR_CORRUPT,
                         "the .binpkg is cut off: entry %u should have %u bytes and has %zu", number,
                         entry->image_bytes, entry->image.len);
    struct sha256 hash;
    sha256_of(entry->image.ptr, entry->image.len, &hash);
    if (!entry->has_hash || !sha256_equal(&hash, &entry->hash))
        return error_set(err, ERROR_CORRUPT,
                         "entry %u of the .binpkg is damaged: it does not have the stated SHA-256", number);
    return true;
}

bool binpkg_check(const struct binpkg *binpkg, struct error *err)
{
    static const char *const single[] = {"AP", "CP"};
    for (unsigned int i = 0; i < binpkg->entries; i++)
        if (!check_entry(&binpkg->entry[i], i + 1, err))
            return false;
    if (binpkg->rest.len > 0)
        return error_set(err, ERROR_CORRUPT, "%zu bytes of the .binpkg are not an entry", binpkg->rest.len);
    for (size_t k = 0; k < sizeof single / sizeof single[0]; k++) {
        unsigned int found = 0;
        for (unsigned int i = 0; i < binpkg->entries; i++)
            found += strcmp(binpkg->entry[i].type, single[k]) == 0;
        if (found > 1)
            return error_set(err, ERROR_CORRUPT, "the .binpkg has %u entries of type %s", found, single[k]);
    }
    return true;
}

const struct binpkg_entry *binpkg_find(const struct binpkg *binpkg, const char *type)
{
    for (unsigned int i = 0; i < binpkg->entries; i++)
        if (strcmp(binpkg->entry[i].type, type) == 0)
            return &binpkg->entry[i];
    return NULL;
}

static bool add_entry(const struct binpkg_entry *entry, struct bytes image, struct buffer *out,
                      struct error *err)
{
    size_t at = out->len;
    if (!buffer_add(out, entry->head.ptr, entry->head.len, err) ||
        !buffer_add(out, image.ptr, image.len, err))
        return false;
    if (bytes_equal(image, entry->image))
        return true;
    struct sha256 hash;
    char hex[SHA256_HEX_SIZE];
    sha256_of(image.ptr, image.len, &hash);
    sha256_hex(&hash, hex);
    little_put_u32(out->ptr + at + BINPKG_ENTRY_SIZE, (uint32_t)image.len);
    uint8_t *field = out->ptr + at + BINPKG_ENTRY_HASH;
    bool upper = false; /* hex digits in the case that the entry had */
    for (size_t i = 0; i < SHA256_HEX_SIZE - 1; i++)
        upper |= field[i] >= 'A' && field[i] <= 'F';
    for (size_t i = 0; i < SHA256_HEX_SIZE - 1; i++)
        field[i] = (uint8_t)(upper ? toupper((unsigned char)hex[i]) : hex[i]);
    return true;
}

bool binpkg_rebuild(const struct binpkg *binpkg, const struct bytes image[BINPKG_ENTRIES_MAX],
                    size_t max_bytes, struct buffer *ret, struct error *err)
{
    uint64_t total = binpkg->head.len + binpkg->rest.len;
    for (unsigned int i = 0; i < binpkg->entries; i++)
        total += BINPKG_ENTRY_BYTES + image[i].len;
    if (total > max_bytes)
        return error_set(err, ERROR_TOO_LARGE, "the new image would have %llu bytes; the limit is %zu",
                         (unsigned long long)total, max_bytes);
    _cleanup_(buffer_free) struct buffer out = {0};
    if (!buffer_reserve(&out, total, err) || !buffer_add(&out, binpkg->head.ptr, binpkg->head.len, err))
        return false;
    for (unsigned int i = 0; i < binpkg->entries; i++)
        if (!add_entry(&binpkg->entry[i], image[i], &out, err))
            return false;
    if (!buffer_add(&out, binpkg->rest.ptr, binpkg->rest.len, err))
        return false;
    *ret = out;
    out = (struct buffer){0};
    return true;
}
