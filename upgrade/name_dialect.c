/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/name_dialect.h"

#include <stdio.h>

/* libfota3 sends the parts of PROJECT_LuatOS-SoC_BSP and of CORE.x.y.z as separate parameters. BSP is its
   parameter model. Its first edition sends everything after PROJECT as core_name. */
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

/* Appends the numbers of the script's version to the core. AT firmware has no script and sends 0.0.0. */
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
    if (any && version_parse(slice_of(both), &joined)) /* false: too long for a version */
        *core = joined;
}

/* AT firmware in KEY mode and LuatOS-Air send the core in core_version, the script's version in version. */
static bool resolve_core(const struct dialect_version *said, struct full_name *ret)
{
    if (said->firmware_name.len == 0 || !slice_is(said->dfota, "1") || said->core_version.len == 0)
        return false;
    version_parse(said->core_version, &ret->version);
    add_script(said->version, &ret->version);
    return slice_copy(said->firmware_name, ret->firmware, sizeof ret->firmware);
}

/* EC618 CSDK also writes its version into the name: "1.0.3_pump_CSDK_EC618" is pump_CSDK_EC618. */
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

bool name_dialect_resolve(const struct dialect_version *said, struct full_name *ret)
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

bool name_dialect_drop_middle(const struct version *version, struct version *ret)
{
    if (version->count != 4)
        return false;
    *ret = (struct version){.part = {version->part[0], version->part[1], version->part[3]}, .count = 3};
    return true;
}

bool name_dialect_core_id(struct slice file_name, uint64_t *ret)
{
    static const char mark[] = "LuatOS-SoC_V", ending[] = ".soc";
    const char *at = file_name.len ? memmem(file_name.ptr, file_name.len, mark, sizeof mark - 1) : NULL;
    if (!at || !slice_ends(file_name, ending))
        return false;
    struct slice rest = {at + sizeof mark - 1,
                         file_name.len - (size_t)(at - file_name.ptr) - (sizeof mark - 1)};
    struct slice core, model, kind, more;
    rest.len -= sizeof ending - 1;
    return slice_split(&rest, '_', &core) && slice_split(&rest, '_', &model) &&
           slice_split(&rest, '_', &kind) && !slice_split(&rest, '_', &more) && slice_u64(kind, ret) &&
           *ret <= INT32_MAX;
}

void name_dialect_script_version(struct slice own, const struct version *target,
                                 char out[NAME_DIALECT_SCRIPT_SIZE])
{
    struct version script = {.count = 0}, said;
    int width[VERSION_PARTS_MAX] = {0};
    struct slice part;
    size_t used = 0;

    for (unsigned i = 1; i < target->count; i++)
        script.part[script.count++] = target->part[i];
    if (script.count == 0) { /* a core: the script stays */
        if (!slice_is_clean_utf8(own) || !slice_copy(own, out, NAME_DIALECT_SCRIPT_SIZE))
            out[0] = '\0';
        return;
    }
    if (version_parse(own, &said)) {
        if (said.count == 3 && script.count == 2)
            script = (struct version){{script.part[0], said.part[1], script.part[1]}, 3};
        for (unsigned i = 0; said.count == script.count && slice_split(&own, '.', &part); i++)
            width[i] = part.len < 10 ? (int)part.len : 0;
    }
    out[0] = '\0';
    for (unsigned i = 0; i < script.count; i++)
        used += (size_t)snprintf(out + used, NAME_DIALECT_SCRIPT_SIZE - used, "%s%0*u", i ? "." : "",
                                 width[i], script.part[i]);
}
