/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/name.h"

#include <stdio.h>
#include <strings.h>

/* The endings of released files. A longer ending comes before a shorter one: the first that fits is
   dropped. */
static const char *const endings[] = {".dfota.bin", ".binpkg", ".bin", ".dfota", ".par",
                                      ".ota",       ".soc",    ".img", ".zip",   ".7z"};

static bool is_dots(struct slice text)
{
    return slice_is(text, ".") || slice_is(text, "..");
}

bool name_is_variant(struct slice text)
{
    if (text.len == 0 || text.len >= VARIANT_SIZE || is_dots(text))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '-'))
            return false;
    }
    return true;
}

void name_write_build(const char *version, const char *variant, char out[BUILD_NAME_SIZE])
{
    if (variant[0])
        snprintf(out, BUILD_NAME_SIZE, "%s (%s)", version, variant);
    else
        snprintf(out, BUILD_NAME_SIZE, "%s", version);
}

bool name_is_product_key(struct slice text)
{
    if (text.len == 0 || text.len >= PRODUCT_KEY_SIZE || is_dots(text))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
              c == '_' || c == '-'))
            return false;
    }
    return true;
}

bool name_is_firmware(struct slice text)
{
    if (text.len == 0 || text.len >= FIRMWARE_NAME_SIZE || is_dots(text))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (memchr("/?&#", text.ptr[i], 4))
            return false;
    return slice_is_clean_utf8(text);
}

struct slice name_drop_ending(struct slice text)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t len = strlen(endings[i]);
        if (text.len > len && strncasecmp(text.ptr + text.len - len, endings[i], len) == 0)
            return (struct slice){text.ptr, text.len - len};
    }
    return text;
}

bool name_is_digits(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0;
}

/* "V1138", not at the beginning. */
static bool is_marked(struct slice part, size_t at)
{
    return at > 0 && slice_starts(part, "V") && name_is_digits((struct slice){part.ptr + 1, part.len - 1});
}

/* "1103.1.2", "V1.2". A single number is not a version: it may be the name of a chip or a board. */
static bool is_dotted(struct slice part, size_t at)
{
    struct version version;
    (void)at;
    return version_parse(part, &version) && version.count > 1;
}

/* Finds the first part between underscores for which is_version() is true. */
static bool find_part(struct slice text, bool (*is_version)(struct slice part, size_t at), struct slice *ret)
{
    struct slice rest = text, part;
    while (slice_split(&rest, '_', &part)) {
        if (is_version(part, (size_t)(part.ptr - text.ptr))) {
            *ret = part;
            return true;
        }
    }
    return false;
}

bool name_cut_part(struct slice text, struct slice part, char out[FIRMWARE_NAME_SIZE])
{
    size_t before = (size_t)(part.ptr - text.ptr), after = before + part.len;
    if (before > 0)
        before--;
    else if (after < text.len)
        after++;
    size_t len = before + text.len - after;
    if (len >= FIRMWARE_NAME_SIZE)
        return false;
    memcpy(out, text.ptr, before);
    memcpy(out + before, text.ptr + after, text.len - after);
    out[len] = '\0';
    return name_is_firmware(slice_of(out));
}

bool name_parse_full(struct slice text, struct full_name *ret, struct error *err)
{
    struct full_name name;
    struct slice part;

    if (text.len == 0 || text.len > FIRMWARE_NAME_SIZE + VERSION_TEXT_SIZE + 12 || !slice_is_clean_utf8(text))
        return error_set(err, ERROR_BAD_NAME,
                         "a name has 1 to 100 bytes of UTF-8 without control characters");
    text = name_drop_ending(text);
    if (!find_part(text, is_marked, &part) && !find_part(text, is_dotted, &part))
        return error_set(err, ERROR_BAD_VERSION, "the name '%.*s' contains no version", (int)text.len,
                         text.ptr);
    if (!version_parse(part, &name.version))
        return error_set(err, ERROR_BAD_VERSION, "'%.*s' is too long for a version", (int)part.len, part.ptr);
    if (!name_cut_part(text, part, name.firmware))
        return error_set(err, ERROR_BAD_NAME, "'%.*s' without its version is not a valid firmware name",
                         (int)text.len, text.ptr);
    *ret = name;
    return true;
}

bool name_parse_version_of(struct slice text, const char *firmware, struct version *ret, struct error *err)
{
    struct full_name name;

    if (version_parse(text, ret))
        return true;
    if (!name_parse_full(text, &name, err))
        return error_set(err, ERROR_BAD_VERSION,
                         "this is neither a version, such as 1162 or V1162, nor a full name of firmware '%s'",
                         firmware);
    if (strcmp(name.firmware, firmware) != 0)
        return error_set(err, ERROR_WRONG_FIRMWARE, "this is a version of firmware '%s', not of '%s'",
                         name.firmware, firmware);
    *ret = name.version;
    return true;
}
