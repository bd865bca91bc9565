/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/name_file.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

bool name_file_is(struct slice text)
{
    return name_drop_ending(text).len < text.len;
}

/* The length of "(1)" or "[1]" at the end; 0: none. */
static size_t bracket_len(struct slice text)
{
    size_t digits = 0, len = text.len;
    if (len < 3 || (text.ptr[len - 1] != ')' && text.ptr[len - 1] != ']'))
        return 0;
    while (digits + 2 < len && digits < 4 && text.ptr[len - 2 - digits] >= '0' &&
           text.ptr[len - 2 - digits] <= '9')
        digits++;
    char open = text.ptr[len - 1] == ')' ? '(' : '[';
    return digits > 0 && text.ptr[len - 2 - digits] == open ? digits + 2 : 0;
}

/* Drops the mark that a browser or a file manager adds to the name of a copy. */
static struct slice drop_copy(struct slice text)
{
    static const char *const marks[] = {" - copy", "-copy", "_copy", " copy", " - kopie", " - 副本", "~"};
    size_t len = bracket_len(text), dot = text.len;
    for (size_t i = 0; len == 0 && i < sizeof marks / sizeof *marks; i++)
        if (text.len > strlen(marks[i]) &&
            strncasecmp(text.ptr + text.len - strlen(marks[i]), marks[i], strlen(marks[i])) == 0)
            len = strlen(marks[i]);
    while (len == 0 && dot > 0 && text.len - dot < 3 && text.ptr[dot - 1] >= '0' && text.ptr[dot - 1] <= '9')
        dot--;
    if (len == 0 && dot > 1 && dot < text.len && text.ptr[dot - 1] == '.' &&
        name_file_is((struct slice){text.ptr, dot - 1})) /* wget: .bin.1 */
        len = text.len - dot + 1;
    text.len -= len;
    while (len > 0 && text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

static struct slice drop_all_endings(struct slice text)
{
    size_t before;
    do {
        before = text.len;
        text = drop_copy(name_drop_ending(text));
    } while (text.len < before);
    return text;
}

static bool is_between(char c)
{
    return c == '_' || c == '-' || c == '@' || c == ' ';
}

/* "v1", "V1.5.0", "1.5.0". A single number is a version only after a v. */
static bool is_loose(struct slice part)
{
    struct version version;
    bool marked = part.len > 1 && (part.ptr[0] == 'v' || part.ptr[0] == 'V');
    struct slice digits = {part.ptr + marked, part.len - marked};
    return digits.len > 0 && digits.ptr[0] >= '0' && digits.ptr[0] <= '9' &&
           version_parse(digits, &version) && (marked || version.count > 1);
}

/* A part such as rc1 after a version. 1.5.0-rc1 comes before 1.5.0, and versions here have no such order. */
static bool is_preview(struct slice part)
{
    static const char *const words[] = {"rc", "alpha", "beta", "dev", "pre", "snapshot"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (part.len >= strlen(words[i]) && strncasecmp(part.ptr, words[i], strlen(words[i])) == 0) {
            struct slice rest = {part.ptr + strlen(words[i]), part.len - strlen(words[i])};
            if (rest.len == 0 || name_is_digits(rest) || rest.ptr[0] == '.')
                return true;
        }
    return false;
}

/* *ret_alone is false if there are several such parts, or if a preview follows. */
static bool find_loose(struct slice text, struct slice *ret, bool *ret_alone)
{
    bool found = false;
    *ret_alone = true;
    for (size_t begin = 0, end; begin <= text.len; begin = end + 1) {
        for (end = begin; end < text.len && !is_between(text.ptr[end]); end++)
            ;
        struct slice part = {text.ptr + begin, end - begin};
        if (found && begin == (size_t)(ret->ptr - text.ptr) + ret->len + 1 && is_preview(part))
            *ret_alone = false;
        if (!is_loose(part))
            continue;
        *ret_alone = *ret_alone && !found;
        *ret = part;
        found = true;
    }
    return found;
}

static bool refuse(struct slice file_name, const char *why, struct error *err)
{
    return error_set(
        err, ERROR_BAD_VERSION,
        "the file name '%.*s' %s: name firmware and version (dfotactl: --firmware NAME --version V; "
        "API: PUT …/firmware/NAME/images/V)",
        (int)(file_name.len < 120 ? file_name.len : 120), file_name.ptr, why);
}

/* PROJECT_1.2.3_LuatOS-SoC_V1114_EC618_FULL, a release of LuatOS for production: its devices report the firmware
   PROJECT_LuatOS-SoC_EC618 and the version 1114.1.3. */
static bool read_luatos(struct slice text, struct full_name *ret)
{
    static const char mark[] = "_LuatOS-SoC_V";
    const char *at = memmem(text.ptr, text.len, mark, sizeof mark - 1), *end = text.ptr + text.len;
    if (!at)
        return false;
    const char *script = memrchr(text.ptr, '_', (size_t)(at - text.ptr)), *core = at + sizeof mark - 1;
    const char *board = memchr(core, '_', (size_t)(end - core));
    struct version own, of_core;
    if (!script || script == text.ptr || !board || board + 1 == end ||
        !version_parse((struct slice){script + 1, (size_t)(at - script - 1)}, &own) || own.count != 3 ||
        !version_parse((struct slice){core, (size_t)(board - core)}, &of_core) || of_core.count != 1)
        return false;
    const char *last = memchr(board + 1, '_', (size_t)(end - board - 1));
    int len = snprintf(ret->firmware, sizeof ret->firmware, "%.*s_LuatOS-SoC_%.*s", (int)(script - text.ptr),
                       text.ptr, (int)((last ? last : end) - board - 1), board + 1);
    ret->version = (struct version){.part = {of_core.part[0], own.part[0], own.part[2]}, .count = 3};
    return len > 0 && (size_t)len < sizeof ret->firmware;
}

bool name_file_is_production(struct slice text)
{
    struct full_name name;
    return read_luatos(drop_all_endings(text), &name);
}

/* The file of a core alone. Its devices report the name of their project too. */
static bool is_core(struct slice text)
{
    return slice_starts(text, "LuatOS-SoC_V");
}

bool name_file_parse(struct slice text, struct full_name *ret, struct error *err)
{
    struct slice whole = text, part;
    struct full_name name;
    bool alone;

    text = drop_all_endings(text);
    if (is_core(text) && slice_is_clean_utf8(text))
        return refuse(whole, "is of a core alone, and devices report PROJECT_LuatOS-SoC_BSP and CORE.X.Z",
                      err);
    if (slice_is_clean_utf8(text) && text.len > 0 && read_luatos(text, ret))
        return true;
    if (name_parse_full(text, ret, err))
        return true;
    if (err->code == ERROR_BAD_NAME && text.len > 0 && text.len < FIRMWARE_NAME_SIZE &&
        slice_is_clean_utf8(text))
        return refuse(whole, "does not clearly show firmware and version", err);
    if (err->code != ERROR_BAD_VERSION)
        return false;
    if (!find_loose(text, &part, &alone))
        return refuse(whole, "contains no version", err);
    struct slice digits = part;
    if (part.ptr[0] == 'v' || part.ptr[0] == 'V')
        digits = (struct slice){part.ptr + 1, part.len - 1};
    if (!alone)
        return refuse(whole, "does not clearly show the version", err);
    if (!version_parse(digits, &name.version) || !name_cut_part(text, part, name.firmware))
        return refuse(whole, "does not clearly show firmware and version", err);
    for (size_t len = strlen(name.firmware); len > 1 && is_between(name.firmware[len - 1]); len--)
        name.firmware[len - 1] = '\0';
    *ret = name;
    return true;
}
