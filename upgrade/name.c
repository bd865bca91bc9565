/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/name.h"

#include <stdio.h>
#include <strings.h>

/* What released files end in; of several that fit the first is dropped, so the longer stands before the shorter. */
static const char *const endings[] = {".dfota.bin", ".binpkg", ".bin", ".dfota",
                                      ".par",       ".ota",    ".soc", ".img"};

static bool is_dots(struct slice text)
{
    return slice_is(text, ".") || slice_is(text, "..");
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

static struct slice drop_ending(struct slice text)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t len = strlen(endings[i]);
        if (text.len > len && strncasecmp(text.ptr + text.len - len, endings[i], len) == 0)
            return (struct slice){text.ptr, text.len - len};
    }
    return text;
}

bool name_is_file(struct slice text)
{
    return drop_ending(text).len < text.len;
}

static bool is_digits(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0;
}

/* "V1138": the first such part, not at the beginning. */
static bool is_marked(struct slice part, size_t at)
{
    return at > 0 && slice_starts(part, "V") && is_digits((struct slice){part.ptr + 1, part.len - 1});
}

/* "1103.1.2", "V1.2": a lone number is none, it may be a chip or a board. */
static bool is_dotted(struct slice part, size_t at)
{
    struct version version;
    (void)at;
    return version_parse(part, &version) && version.count > 1;
}

/* The first part between underscores that is such a version. */
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

/* What remains of text without this part and one underscore beside it. */
static bool name_without(struct slice text, struct slice part, char out[FIRMWARE_NAME_SIZE])
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
        return error_set(err, ERROR_BAD_NAME, "a name is 1 to 100 bytes of UTF-8 without control characters");
    text = drop_ending(text);
    if (!find_part(text, is_marked, &part) && !find_part(text, is_dotted, &part))
        return error_set(err, ERROR_BAD_VERSION, "no version stands in the name '%.*s'", (int)text.len,
                         text.ptr);
    if (!version_parse(part, &name.version))
        return error_set(err, ERROR_BAD_VERSION, "'%.*s' is too long for a version", (int)part.len, part.ptr);
    if (!name_without(text, part, name.firmware))
        return error_set(err, ERROR_BAD_NAME, "'%.*s' without its version is no firmware name", (int)text.len,
                         text.ptr);
    *ret = name;
    return true;
}

/* ---- File names ---- */

/* "(1)", "[1]" at the end, with what opens it; 0: there is none. */
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

/* What a browser or a file manager adds to a second file of the same name. */
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
        name_is_file((struct slice){text.ptr, dot - 1})) /* wget's .bin.1 */
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
        text = drop_copy(drop_ending(text));
    } while (text.len < before);
    return text;
}

static bool is_between(char c)
{
    return c == '_' || c == '-' || c == '@' || c == ' ';
}

/* "v1", "V1.5.0", "1.5.0"; a lone number is a version only behind a v. */
static bool is_loose(struct slice part)
{
    struct version version;
    bool marked = part.len > 1 && (part.ptr[0] == 'v' || part.ptr[0] == 'V');
    struct slice digits = {part.ptr + marked, part.len - marked};
    return digits.len > 0 && digits.ptr[0] >= '0' && digits.ptr[0] <= '9' &&
           version_parse(digits, &version) && (marked || version.count > 1);
}

/* A part such as rc1 behind a version: 1.5.0-rc1 comes before 1.5.0, and no order is known for it. */
static bool is_preview(struct slice part)
{
    static const char *const words[] = {"rc", "alpha", "beta", "dev", "pre", "snapshot"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (part.len >= strlen(words[i]) && strncasecmp(part.ptr, words[i], strlen(words[i])) == 0) {
            struct slice rest = {part.ptr + strlen(words[i]), part.len - strlen(words[i])};
            if (rest.len == 0 || is_digits(rest) || rest.ptr[0] == '.')
                return true;
        }
    return false;
}

/* The only such part; *ret_alone false where there are several, or a preview stands behind it. */
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

static bool say_both(const char *why, struct slice text, struct error *err)
{
    return error_set(
        err, ERROR_BAD_VERSION,
        "%s the file name '%.*s': say firmware and version (dfotactl: --firmware NAME --version V; API: PUT "
        "…/firmware/NAME/images/V)",
        why, (int)(text.len < 120 ? text.len : 120), text.ptr);
}

bool name_parse_file(struct slice text, struct full_name *ret, struct error *err)
{
    struct slice whole = text, part;
    struct full_name name;
    bool alone;

    text = drop_all_endings(text);
    if (name_parse_full(text, ret, err))
        return true;
    if (err->code == ERROR_BAD_NAME && text.len > 0 && text.len < FIRMWARE_NAME_SIZE &&
        slice_is_clean_utf8(text))
        return say_both("firmware and version are not clear from", whole, err);
    if (err->code != ERROR_BAD_VERSION)
        return false;
    if (!find_loose(text, &part, &alone))
        return say_both("no version stands in", whole, err);
    struct slice digits = part;
    if (part.ptr[0] == 'v' || part.ptr[0] == 'V')
        digits = (struct slice){part.ptr + 1, part.len - 1};
    if (!alone)
        return say_both("the version is not clear from", whole, err);
    if (!version_parse(digits, &name.version) || !name_without(text, part, name.firmware))
        return say_both("firmware and version are not clear from", whole, err);
    for (size_t len = strlen(name.firmware); len > 1 && is_between(name.firmware[len - 1]); len--)
        name.firmware[len - 1] = '\0';
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
                         "neither a version such as 1162 or V1162 nor the full name of one of firmware '%s'",
                         firmware);
    if (strcmp(name.firmware, firmware) != 0)
        return error_set(err, ERROR_WRONG_FIRMWARE, "this names firmware '%s', not '%s'", name.firmware,
                         firmware);
    *ret = name.version;
    return true;
}

/* libfota3 sends what the others join: PROJECT_LuatOS-SoC_BSP, whose BSP it calls model (its first edition
   sends all behind PROJECT as core_name), and CORE.x.y.z. */
static bool resolve_turnkey(const struct dialect_version *said, struct full_name *ret)
{
    const char *join = said->core_name.len ? "_" : said->model.len ? "_LuatOS-SoC_" : "";
    struct slice script = said->script_name, core = said->core_name.len ? said->core_name : said->model;
    char firmware[2 * FIRMWARE_NAME_SIZE + 16], version[2 * VERSION_TEXT_SIZE];

    if (said->firmware_name.len > 0 || !name_is_firmware(script) || core.len >= FIRMWARE_NAME_SIZE)
        return false;
    snprintf(firmware, sizeof firmware, "%.*s%s%.*s", (int)script.len, script.ptr, join, (int)core.len,
             core.len ? core.ptr : "");
    if (!name_is_firmware(slice_of(firmware)) ||
        !slice_copy(slice_of(firmware), ret->firmware, sizeof ret->firmware))
        return false;
    if (!slice_copy(said->core_version, version, VERSION_TEXT_SIZE))
        return true;
    size_t len = said->core_version.len;
    version[len] = '.';
    if (slice_copy(said->script_version, version + len + 1, VERSION_TEXT_SIZE))
        version_parse(slice_of(version), &ret->version);
    return true;
}

/* The parts of a script's version behind those of the core; AT firmware has no script and says 0.0.0. */
static void add_script(struct slice text, struct version *core)
{
    struct version script, joined;
    char first[VERSION_TEXT_SIZE], second[VERSION_TEXT_SIZE], both[2 * VERSION_TEXT_SIZE];
    bool any = false;
    if (core->count == 0 || !version_parse(text, &script))
        return;
    for (unsigned i = 0; i < script.count; i++)
        any |= script.part[i] != 0;
    version_format(core, first);
    version_format(&script, second);
    snprintf(both, sizeof both, "%s.%s", first, second);
    if (any && version_parse(slice_of(both), &joined)) /* else together they are too long for a version */
        *core = joined;
}

/* AT firmware in KEY mode and LuatOS-Air say their core in core_version and the script's version beside it. */
static bool resolve_core(const struct dialect_version *said, struct full_name *ret)
{
    if (said->firmware_name.len == 0 || !slice_is(said->dfota, "1") || said->core_version.len == 0)
        return false;
    version_parse(said->core_version, &ret->version);
    add_script(said->version, &ret->version);
    return slice_copy(said->firmware_name, ret->firmware, sizeof ret->firmware);
}

/* EC618 CSDK writes its version also into the name: "1.0.3_pump_CSDK_EC618" is pump_CSDK_EC618. */
static bool resolve_csdk(const struct dialect_version *said, struct full_name *ret)
{
    struct slice rest = said->firmware_name, part;
    struct version version, in_name;

    if (!slice_ends(rest, "_CSDK_EC618") || !slice_split(&rest, '_', &part) ||
        !version_parse(part, &in_name) || !version_parse(said->version, &version) ||
        version_compare(&version, &in_name) != 0)
        return false;
    ret->version = version;
    return name_is_firmware(rest) && slice_copy(rest, ret->firmware, sizeof ret->firmware);
}

static bool resolve_plain(const struct dialect_version *said, struct full_name *ret)
{
    struct error err;
    if (said->firmware_name.len == 0 || !slice_copy(said->firmware_name, ret->firmware, sizeof ret->firmware))
        return false;
    if (!name_parse_version_of(said->version, ret->firmware, &ret->version, &err))
        ret->version.count = 0;
    return true;
}

bool name_resolve_dialect(const struct dialect_version *said, struct full_name *ret)
{
    static bool (*const rules[])(const struct dialect_version *said, struct full_name *ret) = {
        resolve_turnkey, resolve_core, resolve_csdk, resolve_plain};

    if (said->firmware_name.len > 0 && !name_is_firmware(said->firmware_name))
        return false;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct full_name name = {.version.count = 0};
        if (rules[i](said, &name)) {
            *ret = name;
            return true;
        }
    }
    return false;
}

bool name_drop_middle(const struct version *version, struct version *ret)
{
    if (version->count != 4)
        return false;
    *ret = (struct version){.part = {version->part[0], version->part[1], version->part[3]}, .count = 3};
    return true;
}

void name_script_version(struct slice own, const struct version *target, char out[SCRIPT_VERSION_SIZE])
{
    struct version script = {.count = 0}, said;
    int width[VERSION_PARTS_MAX] = {0};
    struct slice part;
    size_t used = 0;

    for (unsigned i = 1; i < target->count; i++)
        script.part[script.count++] = target->part[i];
    if (version_parse(own, &said)) {
        if (said.count == 3 && script.count == 2)
            script = (struct version){{script.part[0], said.part[1], script.part[1]}, 3};
        for (unsigned i = 0; said.count == script.count && slice_split(&own, '.', &part); i++)
            width[i] = part.len < 10 ? (int)part.len : 0;
    }
    out[0] = '\0';
    for (unsigned i = 0; i < script.count; i++)
        used += (size_t)snprintf(out + used, SCRIPT_VERSION_SIZE - used, "%s%0*u", i ? "." : "", width[i],
                                 script.part[i]);
}
