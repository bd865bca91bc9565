#include "upgrade/name.h"

#include <strings.h>

/* What released files end in; of several that fit the first is dropped, so the longer stands before the shorter. */
static const char *const endings[] = {".dfota.bin", ".binpkg", ".bin", ".dfota", ".par", ".ota", ".soc", ".img"};

/* Firmware whose modules bring an updater of their own. */
static const char *const own_updater[] = {"AirM2M_", "EC618"};

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
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' ||
              c == '-'))
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
        return error_set(err, ERROR_BAD_VERSION, "no version stands in the name '%.*s'", (int)text.len, text.ptr);
    if (!version_parse(part, &name.version))
        return error_set(err, ERROR_BAD_VERSION, "'%.*s' is too long for a version", (int)part.len, part.ptr);
    if (!name_without(text, part, name.firmware))
        return error_set(err, ERROR_BAD_NAME, "'%.*s' without its version is no firmware name", (int)text.len, text.ptr);
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
                         "neither a version such as 1162 or V1162 nor the full name of one of firmware '%s'", firmware);
    if (strcmp(name.firmware, firmware) != 0)
        return error_set(err, ERROR_WRONG_FIRMWARE, "this names firmware '%s', not '%s'", name.firmware, firmware);
    *ret = name.version;
    return true;
}

/* AT firmware in KEY mode and LuatOS-Air ask for a core: `version` is then that of a script, and of none (0.0.0). */
static bool resolve_core(const struct dialect_version *said, struct full_name *ret)
{
    if (!slice_is(said->dfota, "1") || said->core_version.len == 0)
        return false;
    version_parse(said->core_version, &ret->version);
    return slice_copy(said->firmware_name, ret->firmware, sizeof ret->firmware);
}

/* EC618 CSDK writes its version also into the name: "1.0.3_pump_CSDK_EC618" is pump_CSDK_EC618. */
static bool resolve_csdk(const struct dialect_version *said, struct full_name *ret)
{
    struct slice rest = said->firmware_name, part;
    struct version version, in_name;

    if (!slice_ends(rest, "_CSDK_EC618") || !slice_split(&rest, '_', &part) || !version_parse(part, &in_name) ||
        !version_parse(said->version, &version) || version_compare(&version, &in_name) != 0)
        return false;
    ret->version = version;
    return name_is_firmware(rest) && slice_copy(rest, ret->firmware, sizeof ret->firmware);
}

static bool resolve_plain(const struct dialect_version *said, struct full_name *ret)
{
    struct error err;
    if (!slice_copy(said->firmware_name, ret->firmware, sizeof ret->firmware))
        return false;
    if (!name_parse_version_of(said->version, ret->firmware, &ret->version, &err))
        ret->version.count = 0;
    return true;
}

bool name_resolve_dialect(const struct dialect_version *said, struct full_name *ret)
{
    static bool (*const rules[])(const struct dialect_version *said, struct full_name *ret) = {
        resolve_core, resolve_csdk, resolve_plain};

    if (!name_is_firmware(said->firmware_name))
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

bool name_needs_format(const char *firmware)
{
    for (size_t i = 0; i < sizeof own_updater / sizeof *own_updater; i++)
        if (strstr(firmware, own_updater[i]))
            return true;
    return false;
}
