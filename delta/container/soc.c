/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/container/soc.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "base/cleanup.h"
#include "base/package_format.h"
#include "delta/container/bundle.h"
#include "base/chip.h"
#include "delta/container/luadb.h"
#include "delta/container/luatos.h"

#define INFO           "info.json"
#define SETTINGS       "luat_conf_bsp.h" /* the settings of the build */
#define SCRIPT         "script.bin"
#define INFO_MAX       (64 << 10)
#define SETTINGS_MAX   (256 << 10)
#define ROM_MAX        (64 << 20)
#define SCRIPT_MAX     (16 << 20)
#define EC618_KEPT_END 0x304000 /* the end of the area in which an EC618 keeps a packed script */

/* ---- info.json ---- */

/* A member by the names of its path, or NULL. */
static const json_t *member(const json_t *info, const char *const path[])
{
    for (; info && *path; path++)
        info = json_object_get(info, *path);
    return info;
}
#define MEMBER(info, ...) member(info, (const char *const[]){__VA_ARGS__, NULL})

static bool read_text(const json_t *value, const char *name, char ret[SOC_TEXT_SIZE], struct error *err)
{
    const char *text = json_string_value(value);
    if (!text || !text[0] || strlen(text) >= SOC_TEXT_SIZE)
        return error_set(err, ERROR_INVALID, INFO " of the .soc has no usable %s", name);
    snprintf(ret, SOC_TEXT_SIZE, "%s", text);
    return true;
}

/* Numbers in texts are hexadecimal, with and without 0x. Missing: 0. */
static bool read_hex(const json_t *value, const char *name, uint32_t *ret, struct error *err)
{
    const char *text = json_string_value(value);
    char *end;
    *ret = 0;
    if (!value)
        return true;
    errno = 0;
    unsigned long number = text && isxdigit((unsigned char)text[0]) ? strtoul(text, &end, 16) : 0;
    if (!text || !isxdigit((unsigned char)text[0]) || *end || errno || number > UINT32_MAX)
        return error_set(err, ERROR_INVALID, INFO " of the .soc has no hexadecimal number in %s", name);
    *ret = (uint32_t)number;
    return true;
}

static bool check_areas(const struct soc_facts *facts, struct error *err)
{
    if (!facts->script_address || !facts->script_bytes || !facts->kept_address)
        return error_set(err, ERROR_INVALID,
                         INFO
                         " of the .soc does not state the place of the script: script_addr, full_addr and "
                         "the size of rom.fs.script");
    if ((uint64_t)facts->script_address + facts->script_bytes != facts->kept_address)
        return error_set(
            err, ERROR_INVALID,
            INFO " of the .soc contradicts itself: %u KB at script_addr %x do not end at full_addr %x",
            facts->script_bytes >> 10, facts->script_address, facts->kept_address);
    return luatos_magic_of(facts->chip) != LUATOS_EC618 || facts->kept_address < EC618_KEPT_END ||
           error_set(err, ERROR_INVALID, INFO " of the .soc has a full_addr behind the flash of scripts: %x",
                     facts->kept_address);
}

/* As read_hex(), but a number that is not a text is taken for missing: templates have such. */
static bool read_hint(const json_t *value, const char *name, uint32_t *ret, struct error *err)
{
    return read_hex(json_is_string(value) ? value : NULL, name, ret, err);
}

/* The size of the area that keeps a packed script, where the file states enough: see soc_kept_limit(). */
static bool read_kept(const json_t *info, struct soc_facts *ret, struct error *err)
{
    uint32_t delta, files, files_too;
    if (!read_hint(MEMBER(info, "fota", "fota_len"), "fota.fota_len", &delta, err) ||
        !read_hint(MEMBER(info, "download", "fs_addr"), "download.fs_addr", &files, err) ||
        !read_hint(MEMBER(info, "rom", "fs", "filesystem", "offset"), "rom.fs.filesystem.offset", &files_too,
                   err))
        return false;
    if (!delta || files != files_too || files < ret->kept_address)
        return true;
    if (delta > files - ret->kept_address)
        return error_set(err, ERROR_INVALID,
                         INFO
                         " of the .soc contradicts itself: the %u KB of fota_len do not fit between "
                         "full_addr %x and the file system at %x",
                         delta >> 10, ret->kept_address, files);
    uint32_t bytes = files - delta - ret->kept_address;
    if (bytes <= ret->script_bytes)
        ret->kept_bytes = bytes;
    return true;
}

static bool read_areas(const json_t *info, struct soc_facts *ret, struct error *err)
{
    json_int_t kilobytes = json_integer_value(MEMBER(info, "rom", "fs", "script", "size"));
    json_int_t bits = json_integer_value(MEMBER(info, "script", "bitw"));
    ret->has_areas = true;
    ret->bits = bits == 32 || bits == 64 ? (unsigned int)bits : 0;
    ret->script_bytes = kilobytes > 0 && kilobytes <= SCRIPT_MAX >> 10 ? (uint32_t)kilobytes << 10 : 0;
    if (!read_hex(MEMBER(info, "download", "script_addr"), "download.script_addr", &ret->script_address,
                  err) ||
        !read_hex(MEMBER(info, "fota", "full_addr"), "fota.full_addr", &ret->kept_address, err) ||
        !check_areas(ret, err))
        return false;
    uint32_t magic = luatos_magic_of(ret->chip);
    if (magic == LUATOS_EC618)
        ret->kept_bytes = EC618_KEPT_END - ret->kept_address;
    return magic != LUATOS_EC7XX || read_kept(info, ret, err);
}

static bool read_facts(const json_t *info, struct soc *ret, struct error *err)
{
    const json_t *script = MEMBER(info, "script", "file");
    snprintf(ret->script_name, sizeof ret->script_name, "%s", SCRIPT);
    return read_text(MEMBER(info, "chip", "type"), "chip.type", ret->facts.chip, err) &&
           read_text(MEMBER(info, "rom", "file"), "rom.file", ret->rom_name, err) &&
           (!script || read_text(script, "script.file", ret->script_name, err)) &&
           read_hex(MEMBER(info, "fota", "magic_num"), "fota.magic_num", &ret->facts.magic, err);
}

/* ---- The files ---- */

struct reading {
    struct bytes bytes;
    struct bundle bundle;
    const struct bundle_file *info, *settings, *rom, *script;
};

static bool unpack(const struct reading *reading, const struct bundle_file *file, size_t max_bytes,
                   struct buffer *ret, struct error *err)
{
    return !file || bundle_unpack(reading->bytes, file, max_bytes, ret, err);
}

static bool find_files(struct reading *reading, const struct soc *soc, struct error *err)
{
    const struct bundle *bundle = &reading->bundle;
    if (!bundle_find(bundle, soc->rom_name, &reading->rom, err) ||
        !bundle_find(bundle, soc->script_name, &reading->script, err) ||
        !bundle_find(bundle, SETTINGS, &reading->settings, err))
        return false;
    if (!reading->rom)
        return error_set(err, ERROR_INVALID, "the .soc does not have the file %s that its " INFO " names",
                         soc->rom_name);
    return (reading->rom != reading->info && reading->rom != reading->settings &&
            reading->rom != reading->script && reading->script != reading->info &&
            (!reading->script || reading->script != reading->settings)) ||
           error_set(err, ERROR_INVALID, INFO " of the .soc names one file twice");
}

/* The core's version: #define LUAT_BSP_VERSION "V1114". */
static void read_core(struct bytes settings, char ret[SOC_TEXT_SIZE])
{
    static const char name[] = "LUAT_BSP_VERSION";
    const char *at = settings.len ? memmem(settings.ptr, settings.len, name, sizeof name - 1) : NULL;
    const char *end = at ? (const char *)settings.ptr + settings.len : NULL;
    size_t len = 0;
    ret[0] = '\0';
    if (!at)
        return;
    at += sizeof name - 1;
    while (at < end && (isblank((unsigned char)*at) || *at == '"' || *at == 'V' || *at == 'v'))
        at++;
    while (at + len < end && len < SOC_TEXT_SIZE - 1 && isdigit((unsigned char)at[len]))
        len++;
    memcpy(ret, at, len);
    ret[len] = '\0';
}

static void list_rest(const struct reading *reading, char *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < reading->bundle.count && used < size; i++) {
        const struct bundle_file *file = &reading->bundle.file[i];
        if (file != reading->info && file != reading->rom && file != reading->script &&
            file != reading->settings)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", file->name);
    }
}

/* A CSDK project has the same info.json, in which only rom.file is its own. */
static bool is_luatos(const struct reading *reading, const struct soc *soc)
{
    return reading->script || reading->settings || strncasecmp(soc->rom_name, "luatos", 6) == 0;
}

static bool check_script(const struct soc *soc, struct error *err)
{
    const struct soc_facts *facts = &soc->facts;
    unsigned int bits = luadb_bits(buffer_bytes(&soc->script));
    if (!facts->has_areas || soc->script.len == 0)
        return true;
    if (soc->script.len > facts->script_bytes)
        return error_set(err, ERROR_INVALID, "the script of the .soc has %zu bytes, and its area has %u",
                         soc->script.len, facts->script_bytes);
    return !bits || !facts->bits || bits == facts->bits ||
           error_set(err, ERROR_INVALID,
                     "the script of the .soc is compiled for %u bits, and its core has %u", bits,
                     facts->bits);
}

static bool read_files(struct reading *reading, const json_t *info, struct soc *ret, struct error *err)
{
    if (!read_facts(info, ret, err) || !find_files(reading, ret, err) ||
        (is_luatos(reading, ret) && !read_areas(info, &ret->facts, err)) ||
        !unpack(reading, reading->rom, ROM_MAX, &ret->rom, err) ||
        !unpack(reading, reading->script, SCRIPT_MAX, &ret->script, err) ||
        !unpack(reading, reading->settings, SETTINGS_MAX, &ret->settings, err))
        return false;
    read_core(buffer_bytes(&ret->settings), ret->facts.core);
    list_rest(reading, ret->left_out, sizeof ret->left_out);
    return check_script(ret, err);
}

static bool open_soc(struct bytes bytes, struct soc *ret, struct error *err)
{
    struct reading *reading = calloc(1, sizeof *reading);
    json_t *info = NULL;
    json_error_t why;
    if (!reading)
        return error_set(err, ERROR_INTERNAL, "no memory to read the archive");
    reading->bytes = bytes;
    bool ok =
        bundle_list(bytes, &reading->bundle, err) &&
        bundle_find(&reading->bundle, INFO, &reading->info, err) &&
        (reading->info || error_set(err, ERROR_INVALID, "the archive has no " INFO ": it is not a .soc")) &&
        bundle_unpack(bytes, reading->info, INFO_MAX, &ret->info, err);
    if (ok) {
        info = json_loadb((const char *)ret->info.ptr, ret->info.len, 0, &why);
        ok = info ? read_files(reading, info, ret, err)
                  : error_set(err, ERROR_INVALID, INFO " of the .soc is not JSON: line %d: %s", why.line,
                              why.text);
    }
    json_decref(info);
    free(reading);
    return ok;
}

bool soc_open(struct bytes bytes, struct soc *ret, struct error *err)
{
    *ret = (struct soc){.left_out = ""};
    if (open_soc(bytes, ret, err))
        return true;
    soc_free(ret);
    return false;
}

void soc_free(struct soc *soc)
{
    buffer_free(&soc->info);
    buffer_free(&soc->settings);
    buffer_free(&soc->rom);
    buffer_free(&soc->script);
}

bool soc_owns(struct bytes bytes)
{
    struct bundle *bundle = bundle_owns(bytes) ? malloc(sizeof *bundle) : NULL;
    const struct bundle_file *info = NULL;
    struct error unwanted;
    bool owns = bundle && bundle_list(bytes, bundle, &unwanted) &&
                (!bundle_find(bundle, INFO, &info, &unwanted) || info);
    free(bundle);
    return owns;
}

bool soc_write(const struct soc *soc, struct buffer *ret, struct error *err)
{
    struct bundle_source source[4] = {{INFO, buffer_bytes(&soc->info)},
                                      {soc->rom_name, buffer_bytes(&soc->rom)}};
    size_t count = 2;
    if (soc->settings.len)
        source[count++] = (struct bundle_source){SETTINGS, buffer_bytes(&soc->settings)};
    if (soc->script.len)
        source[count++] = (struct bundle_source){soc->script_name, buffer_bytes(&soc->script)};
    return bundle_pack(source, count, ret, err);
}

uint32_t soc_kept_limit(const struct soc_facts *facts)
{
    return facts->kept_bytes ? facts->kept_bytes : PACKAGE_FORMAT_KEPT_AT_LEAST(facts->script_bytes);
}

static bool same_chip(const struct soc_facts *old, const struct soc_facts *new)
{
    bool other_magic = old->magic && new->magic && old->magic != new->magic;
    return !other_magic && (strcmp(old->chip, new->chip) == 0 ||
                            chip_may_be(chip_of_name(old->chip), chip_of_name(new->chip)));
}

bool soc_same_areas(const struct soc_facts *old, const struct soc_facts *new, struct error *err)
{
    if (!same_chip(old, new))
        return error_set(err, ERROR_INVALID, "the old release is for %s and the new one for %s", old->chip,
                         new->chip);
    if (!old->has_areas || !new->has_areas)
        return error_set(err, ERROR_INVALID, "the %s release does not state where its script is",
                         old->has_areas ? "new" : "old");
    if (old->script_address != new->script_address || old->script_bytes != new->script_bytes ||
        old->kept_address != new->kept_address)
        return error_set(
            err, ERROR_INVALID,
            "the releases have different script areas: %u KB at %x, and %u KB at %x. No package leads "
            "from one to the other",
            old->script_bytes >> 10, old->script_address, new->script_bytes >> 10, new->script_address);
    return !old->kept_bytes || !new->kept_bytes || old->kept_bytes == new->kept_bytes ||
           error_set(
               err, ERROR_INVALID,
               "modules of the old release keep %u bytes of a packed script, and those of the new one %u. "
               "No package leads from one to the other",
               old->kept_bytes, new->kept_bytes);
}
