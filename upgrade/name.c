#include "upgrade/name.h"

#include <stdio.h>
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
    struct version script;
    bool any = false;
    if (core->count == 0 || !version_parse(text, &script) || core->count + script.count > VERSION_PARTS_MAX)
        return;
    for (unsigned i = 0; i < script.count; i++)
        any |= script.part[i] != 0;
    for (unsigned i = 0; any && i < script.count; i++)
        core->part[core->count++] = script.part[i];
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

    if (!slice_ends(rest, "_CSDK_EC618") || !slice_split(&rest, '_', &part) || !version_parse(part, &in_name) ||
        !version_parse(said->version, &version) || version_compare(&version, &in_name) != 0)
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

bool name_needs_format(const char *firmware)
{
    for (size_t i = 0; i < sizeof own_updater / sizeof *own_updater; i++)
        if (strstr(firmware, own_updater[i]))
            return true;
    return false;
}
