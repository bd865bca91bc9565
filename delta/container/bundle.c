/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/container/bundle.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "base/cleanup.h"
#include "base/little.h"

static void close_reader(struct archive **reader)
{
    archive_read_free(*reader);
}

bool bundle_owns(struct bytes bytes)
{
    return bytes_begin_with(bytes, "PK\3\4", 4) || bytes_begin_with(bytes, "7z\xBC\xAF\x27\x1C", 6);
}

/* ---- Reading ---- */

static bool refuse(struct archive *reader, struct error *err)
{
    const char *why = archive_error_string(reader);
    if (archive_errno(reader) == ENOMEM)
        return error_set(err, ERROR_INTERNAL, "no memory to read the archive");
    return error_set(err, ERROR_CORRUPT, "the archive cannot be read: %s", why ? why : "it is damaged");
}

/* Only the two formats: no filter, so no other program is started. */
static bool open_reader(struct bytes bytes, struct archive **ret, struct error *err)
{
    struct archive *reader = archive_read_new();
    if (!reader)
        return error_set(err, ERROR_INTERNAL, "no memory to read the archive");
    if (archive_read_support_format_7zip(reader) == ARCHIVE_OK &&
        archive_read_support_format_zip_seekable(reader) == ARCHIVE_OK &&
        archive_read_open_memory(reader, bytes.ptr, bytes.len) == ARCHIVE_OK) {
        *ret = reader;
        return true;
    }
    refuse(reader, err);
    archive_read_free(reader);
    return false;
}

/* False with err->text "": the end. */
static bool next(struct archive *reader, struct archive_entry **ret, struct error *err)
{
    err->text[0] = '\0';
    int result = archive_read_next_header(reader, ret);
    if (result == ARCHIVE_OK || result == ARCHIVE_WARN)
        return true;
    if (result != ARCHIVE_EOF)
        refuse(reader, err);
    return false;
}

/* ---- What is refused ---- */

static bool leaves_folder(const char *path)
{
    if (path[0] == '/' || path[0] == '\\' || (path[0] && path[1] == ':'))
        return true;
    for (const char *at = path; at; at = strpbrk(at, "/\\")) {
        at += *at == '/' || *at == '\\';
        if (strncmp(at, "..", 2) == 0 && (!at[2] || at[2] == '/' || at[2] == '\\'))
            return true;
    }
    return false;
}

static const char *base_name(const char *path)
{
    const char *base = path;
    for (const char *at = path; *at; at++)
        if (*at == '/' || *at == '\\')
            base = at + 1;
    return base;
}

static const char *path_of(struct archive_entry *entry)
{
    const char *path = archive_entry_pathname_utf8(entry);
    return path ? path : archive_entry_pathname(entry);
}

static bool is_clean(const char *path)
{
    for (; *path; path++)
        if ((unsigned char)*path < 0x20 || *path == 0x7F)
            return false;
    return true;
}

static bool check_entry(struct archive_entry *entry, struct error *err)
{
    const char *path = path_of(entry);
    if (!path)
        return error_set(err, ERROR_INVALID, "the archive has a name that cannot be read as UTF-8");
    if (!is_clean(path))
        return error_set(err, ERROR_INVALID, "the archive has a name with a control character");
    if (leaves_folder(path))
        return error_set(err, ERROR_INVALID, "the archive has an entry outside of its own folder: %.100s",
                         path);
    if (strlen(base_name(path)) >= BUNDLE_NAME_SIZE)
        return error_set(err, ERROR_INVALID, "the archive has a name longer than %d bytes",
                         BUNDLE_NAME_SIZE - 1);
    if (archive_entry_is_encrypted(entry))
        return error_set(err, ERROR_CORRUPT, "the archive is encrypted");
    mode_t type = archive_entry_filetype(entry);
    if (archive_entry_hardlink(entry) || archive_entry_symlink(entry) ||
        (type != AE_IFREG && type != AE_IFDIR))
        return error_set(err, ERROR_INVALID, "the archive has a link or a special file: %.100s", path);
    return (archive_entry_size_is_set(entry) && archive_entry_size(entry) >= 0) || type == AE_IFDIR ||
           error_set(err, ERROR_INVALID, "the archive does not state the size of %.100s", path);
}

static bool check_total(uint64_t total, size_t packed, struct error *err)
{
    if (total > BUNDLE_BYTES_MAX)
        return error_set(err, ERROR_INVALID, "the archive unpacks to more than %d MiB",
                         BUNDLE_BYTES_MAX >> 20);
    return total <= BUNDLE_FREE_BYTES || total / BUNDLE_RATIO_MAX <= packed ||
           error_set(err, ERROR_INVALID, "the archive unpacks to more than %d times its size",
                     BUNDLE_RATIO_MAX);
}

static bool take_entry(struct bundle *ret, struct archive_entry *entry, size_t index, struct error *err)
{
    if (index == BUNDLE_ENTRIES_MAX)
        return error_set(err, ERROR_INVALID, "the archive has more than %d entries", BUNDLE_ENTRIES_MAX);
    if (!check_entry(entry, err))
        return false;
    if (archive_entry_filetype(entry) == AE_IFDIR)
        return true;
    const char *name = base_name(path_of(entry));
    if (strncmp(name, "._", 2) == 0) /* what macOS adds to each file */
        return true;
    struct bundle_file *file = &ret->file[ret->count++];
    snprintf(file->name, sizeof file->name, "%s", name);
    file->index = index;
    file->bytes = (size_t)archive_entry_size(entry);
    return true;
}

bool bundle_list(struct bytes bytes, struct bundle *ret, struct error *err)
{
    _cleanup_(close_reader) struct archive *reader = NULL;
    struct archive_entry *entry;
    uint64_t total = 0;
    ret->count = 0;
    if (!open_reader(bytes, &reader, err))
        return false;
    for (size_t index = 0; next(reader, &entry, err); index++) {
        size_t before = ret->count;
        if (!take_entry(ret, entry, index, err))
            return false;
        total += ret->count > before ? ret->file[before].bytes : 0;
        if (!check_total(total, bytes.len, err))
            return false;
    }
    return !err->text[0];
}

bool bundle_find(const struct bundle *bundle, const char *name, const struct bundle_file **ret,
                 struct error *err)
{
    *ret = NULL;
    for (size_t i = 0; i < bundle->count; i++) {
        if (strcasecmp(bundle->file[i].name, name) != 0)
            continue;
        if (*ret)
            return error_set(err, ERROR_INVALID, "the archive has two files with the name %s", name);
        *ret = &bundle->file[i];
    }
    return true;
}

bool bundle_unpack(struct bytes bytes, const struct bundle_file *file, size_t max_bytes, struct buffer *ret,
                   struct error *err)
{
    _cleanup_(close_reader) struct archive *reader = NULL;
    _cleanup_(buffer_free) struct buffer out = {0};
    struct archive_entry *entry;
    if (file->bytes > max_bytes)
        return error_set(err, ERROR_TOO_LARGE, "%s in the archive has %zu bytes; the limit is %zu",
                         file->name, file->bytes, max_bytes);
    if (!open_reader(bytes, &reader, err) || !buffer_reserve(&out, file->bytes + 1, err))
        return false;
    for (size_t index = 0; index <= file->index; index++)
        if (!next(reader, &entry, err))
            return err->text[0] ? false : error_set(err, ERROR_CORRUPT, "the archive has changed");
    la_ssize_t got = 1;
    while (out.len <= file->bytes && got > 0) {
        got = archive_read_data(reader, out.ptr + out.len, file->bytes + 1 - out.len);
        out.len += got > 0 ? (size_t)got : 0;
    }
    if (got < 0)
        return refuse(reader, err);
    if (out.len != file->bytes)
        return error_set(err, ERROR_CORRUPT, "%s in the archive does not have the stated size", file->name);
    *ret = out;
    out = (struct buffer){0};
    return true;
}

/* ---- The one firmware ---- */

static bool ends_as_firmware(const char *name)
{
    static const char *const endings[] = {".bin", ".binpkg", ".img", ".ota", ".dfota", ".par", ".soc"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t len = strlen(endings[i]);
        if (strlen(name) > len && strcasecmp(name + strlen(name) - len, endings[i]) == 0)
            return true;
    }
    return false;
}

static bool find_firmware(const struct bundle *bundle, const struct bundle_file **ret,
                          struct bundle_firmware *found, struct error *err)
{
    size_t used = 0;
    *ret = NULL;
    for (size_t i = 0; i < bundle->count; i++) {
        const struct bundle_file *file = &bundle->file[i];
        if (!ends_as_firmware(file->name)) {
            if (used < sizeof found->left_out)
                used += (size_t)snprintf(found->left_out + used, sizeof found->left_out - used, "%s%s",
                                         used ? ", " : "", file->name);
            continue;
        }
        if (*ret)
            return error_set(
                err, ERROR_INVALID,
                "the archive has several firmware files, such as %.80s and %.80s: upload one of them",
                (*ret)->name, file->name);
        *ret = file;
    }
    return *ret || error_set(err, ERROR_INVALID, "the archive has no firmware file (.bin, .binpkg, .soc, …)");
}

bool bundle_take_firmware(struct bytes bytes, size_t max_bytes, struct bundle_firmware *ret_found,
                          struct buffer *ret, struct error *err)
{
    const struct bundle_file *file;
    struct bundle *bundle = malloc(sizeof *bundle);
    if (!bundle)
        return error_set(err, ERROR_INTERNAL, "no memory to read the archive");
    *ret_found = (struct bundle_firmware){.name = ""};
    bool ok = bundle_list(bytes, bundle, err) && find_firmware(bundle, &file, ret_found, err) &&
              bundle_unpack(bytes, file, max_bytes, ret, err);
    if (ok)
        snprintf(ret_found->name, sizeof ret_found->name, "%s", file->name);
    free(bundle);
    return ok;
}

/* ---- Writing ---- */

#define ZIP_VERSION 20
#define ZIP_DATE    0x21 /* 1 January 1980 */
#define LOCAL       30
#define CENTRAL     46
#define END         22

static void put_u16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

/* The 26 bytes that both heads of a file have: version, flags, method, time, date, CRC, sizes, lengths. */
static void put_common(uint8_t *at, const struct bundle_source *source)
{
    put_u16(at, ZIP_VERSION);
    put_u16(at + 8, ZIP_DATE);
    little_put_u32(at + 10, lzma_crc32(source->bytes.ptr, source->bytes.len, 0));
    little_put_u32(at + 14, (uint32_t)source->bytes.len);
    little_put_u32(at + 18, (uint32_t)source->bytes.len);
    put_u16(at + 22, strlen(source->name));
}

static bool add_local(struct buffer *out, const struct bundle_source *source, struct error *err)
{
    uint8_t head[LOCAL] = "PK\3\4";
    put_common(head + 4, source);
    return buffer_add(out, head, sizeof head, err) &&
           buffer_add(out, source->name, strlen(source->name), err) &&
           buffer_add(out, source->bytes.ptr, source->bytes.len, err);
}

static bool add_central(struct buffer *out, const struct bundle_source *source, size_t at, struct error *err)
{
    uint8_t head[CENTRAL] = "PK\1\2";
    put_u16(head + 4, ZIP_VERSION);
    put_common(head + 6, source);
    little_put_u32(head + 42, (uint32_t)at);
    return buffer_add(out, head, sizeof head, err) &&
           buffer_add(out, source->name, strlen(source->name), err);
}

bool bundle_pack(const struct bundle_source *source, size_t count, struct buffer *ret, struct error *err)
{
    _cleanup_(buffer_free) struct buffer out = {0};
    size_t at[BUNDLE_ENTRIES_MAX], total = 0;
    uint8_t end[END] = "PK\5\6";
    for (size_t i = 0; i < count; i++)
        total += source[i].bytes.len + LOCAL + CENTRAL + 2 * BUNDLE_NAME_SIZE;
    if (count > BUNDLE_ENTRIES_MAX || total > BUNDLE_BYTES_MAX)
        return error_set(err, ERROR_TOO_LARGE, "the files are too large for an archive");
    for (size_t i = 0; i < count; i++) {
        at[i] = out.len;
        if (!add_local(&out, &source[i], err))
            return false;
    }
    size_t begin = out.len;
    for (size_t i = 0; i < count; i++)
        if (!add_central(&out, &source[i], at[i], err))
            return false;
    put_u16(end + 8, count);
    put_u16(end + 10, count);
    little_put_u32(end + 12, (uint32_t)(out.len - begin));
    little_put_u32(end + 16, (uint32_t)begin);
    if (!buffer_add(&out, end, sizeof end, err))
        return false;
    *ret = out;
    out = (struct buffer){0};
    return true;
}
