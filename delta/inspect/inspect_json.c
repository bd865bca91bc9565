/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/inspect/inspect_json.h"

#include <stdarg.h>
#include <string.h>
#include "base/chip.h"
#include "delta/container/binpkg.h"
#include "delta/ec618/rules.h"
#include "delta/inspect/inspect_list.h"
#include "delta/inspect/mangled.h"
#include "delta/container/luadb.h"
#include "delta/container/par.h"
#include "delta/container/sector.h"
#include "delta/container/soc.h"
#include "delta/recognise/recognise.h"
#include "delta/container/wrapper.h"

#define CP_FLASH 0x80000000U /* in the address of a sector */

/* The beginning of release names of AT firmware. */
static const char maker[] = "AirM2M_";

struct brief {
    struct bytes file;
    const struct recognised *is;
    const char *kind, *role, *format;
    char summary[160];
    bool wrong, odd;
    bool production;                 /* a .binpkg with more than bootloader, AP and CP */
    struct luatos_versions versions; /* only a LuatOS file */
    bool changes_core;
    struct soc_facts release;                       /* only a .soc; chip "": not one */
    char chip[sizeof((struct soc_facts *)0)->chip]; /* of an image; "": not known */
    uint32_t script_address, script_bytes, script_bits,
        packed_bytes; /* of a .soc or a LuatOS file; 0: no script, not known */
    struct error why_wrong, why_odd;
};

static void say(struct brief *brief, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct brief *brief, const char *format, ...)
{
    va_list arguments;
    size_t used = strlen(brief->summary);
    va_start(arguments, format);
    vsnprintf(brief->summary + used, sizeof brief->summary - used, format, arguments);
    va_end(arguments);
}

/* ---- Each kind of file ---- */

/* Checks only what must hold for every such file: length and hash. */
static bool entry_is_whole(const struct binpkg_entry *entry, struct error *err)
{
    struct sha256 hash;
    char name[sizeof entry->name];
    inspect_clean(entry->name, name, sizeof name);
    if (entry->image.len != entry->image_bytes)
        return error_set(err, ERROR_CORRUPT, "it is cut off: its part %s has %zu bytes, not %u", name,
                         entry->image.len, entry->image_bytes);
    sha256_of(entry->image.ptr, entry->image.len, &hash);
    return !entry->has_hash || sha256_equal(&hash, &entry->hash) ||
           error_set(err, ERROR_CORRUPT, "it is damaged: its part %s does not have the stated SHA-256", name);
}

/* What the image says exactly, else what the release says. */
static void tell_chip(struct brief *brief, const char *type, const char *product)
{
    const char *chip = NULL;
    if (!chip_of_image(type, product, &chip, &brief->why_odd))
        brief->odd = true;
    snprintf(brief->chip, sizeof brief->chip, "%s", chip ? chip : type);
}

static void tell_binpkg(struct brief *brief)
{
    struct binpkg binpkg;
    char name[65];
    if (!binpkg_read(brief->file, &binpkg, &brief->why_odd)) {
        brief->odd = true;
        return;
    }
    for (unsigned int i = 0; i < binpkg.entries; i++) {
        const struct binpkg_entry *entry = &binpkg.entry[i];
        say(brief, "%s%s %u bytes", i ? ", " : ": ", inspect_clean(entry->name, name, sizeof name),
            entry->image_bytes);
        brief->wrong = brief->wrong || !entry_is_whole(entry, &brief->why_wrong);
        brief->production |= strcmp(entry->type, "BL") != 0 && strcmp(entry->type, "AP") != 0 &&
                             strcmp(entry->type, "CP") != 0;
    }
    tell_chip(brief, "", binpkg.product);
    brief->odd = !brief->wrong && !binpkg_check(&binpkg, &brief->why_odd);
}

static void tell_ec7xx_image(struct brief *brief)
{
    snprintf(brief->chip, sizeof brief->chip, "%s", CHIP_EC7XX);
}

static void tell_soc(struct brief *brief)
{
    struct soc soc;
    struct binpkg binpkg;
    if (!soc_open(brief->file, &soc, &brief->why_wrong)) {
        brief->wrong = true;
        return;
    }
    struct bytes script = buffer_bytes(&soc.script), rom = buffer_bytes(&soc.rom);
    brief->release = soc.facts;
    brief->script_address = soc.script.len ? soc.facts.script_address : 0;
    brief->script_bytes = (uint32_t)script.len;
    brief->script_bits = luadb_bits(script);
    say(brief, " for %.20s: core %s", soc.facts.chip,
        soc.facts.core[0] ? soc.facts.core : "of a version that is not stated");
    if (script.len)
        say(brief, ", a script of %zu bytes", script.len);
    brief->odd = !binpkg_read(rom, &binpkg, &brief->why_odd) || !binpkg_check(&binpkg, &brief->why_odd);
    tell_chip(brief, soc.facts.chip, brief->odd ? "" : binpkg.product);
    soc_free(&soc);
}

static void tell_par(struct brief *brief, struct bytes archive)
{
    struct par par;
    if (!par_read(archive, &par, &brief->why_wrong) || !par_check(&par, &brief->why_wrong) ||
        (ec618_rules_hold_for(&par) && !ec618_rules_check(&par, &brief->why_wrong))) {
        brief->wrong = true;
        return;
    }
    for (unsigned int i = 0; i < par.parts; i++)
        say(brief, "%s%s %u to %u bytes", i ? ", " : ": ", par_attribute_name(par.part[i].attribute),
            par.part[i].base_bytes, par.part[i].new_bytes);
}

static void tell_bare_par(struct brief *brief)
{
    tell_par(brief, brief->file);
}

static void tell_at(struct brief *brief)
{
    struct bytes archive = {0};
    if (wrapper_at_open(brief->file, &archive, &brief->why_wrong))
        tell_par(brief, archive);
    else
        brief->wrong = true;
}

/* The first sector of a file that luatos_check() has accepted. */
static void tell_script(struct brief *brief, struct bytes common)
{
    struct sector_plain plain;
    uint32_t packed = (uint32_t)common.len;
    if (!sector_unpack(&common, &plain, &brief->why_wrong)) {
        brief->wrong = true;
        return;
    }
    if (common.len > 0 || plain.address & CP_FLASH) {
        brief->wrong = !error_set(&brief->why_wrong, ERROR_CORRUPT, "it writes more than a script");
        buffer_free(&plain.bytes);
        return;
    }
    brief->packed_bytes = packed;
    brief->script_address = plain.address;
    brief->script_bytes = (uint32_t)plain.bytes.len;
    brief->script_bits = luadb_bits(buffer_bytes(&plain.bytes));
    buffer_free(&plain.bytes);
}

/* A file with a script is for a device as it is. Without a script it is a delta package for the core. */
static void tell_luatos(struct brief *brief)
{
    struct luatos_file head;
    if (!luatos_read(brief->file, &head, &brief->why_wrong)) {
        brief->wrong = true;
        return;
    }
    brief->wrong = !luatos_check(&head, &brief->why_wrong);
    brief->versions = head.versions;
    brief->changes_core = head.sdk_bytes > 0;
    say(brief, " for %s: ", head.magic == LUATOS_EC618 ? "EC618" : "EC7xx");
    if (!brief->wrong && head.common.len > 0)
        tell_script(brief, head.common);
    if (head.common_bytes > 0) {
        brief->kind = "luatos-full";
        brief->role = "full";
        say(brief, "a script of %u bytes%s", head.common_bytes, head.sdk_bytes ? ", and " : "");
    }
    if (head.sdk_bytes > 0)
        say(brief, "%u bytes that change the core", head.sdk_bytes);
    if (!brief->wrong && head.sdk.len > 0 && par_owns(head.sdk))
        tell_par(brief, head.sdk);
}

static void tell_csdk_full(struct brief *brief)
{
    struct luatos_file head;
    brief->wrong =
        !luatos_read(brief->file, &head, &brief->why_wrong) || !luatos_check(&head, &brief->why_wrong);
}

static void tell_bsdiff(struct brief *brief)
{
    if (brief->file.len >= 32)
        return;
    brief->wrong = true;
    error_set(&brief->why_wrong, ERROR_CORRUPT, "it is cut off in its header");
}

/* By the kind's name in recognise.h. Other kinds have only a summary. */
static const struct {
    const char *name;
    void (*tell)(struct brief *brief);
} teller_table[] = {
    {"binpkg", tell_binpkg},       {"soc", tell_soc},
    {"par", tell_bare_par},        {"at-par", tell_at},
    {"luatos", tell_luatos},       {"bsdiff", tell_bsdiff},
    {"csdk-full", tell_csdk_full}, {"ec7xx-image", tell_ec7xx_image},
};

/* ---- Names of releases ---- */

static bool is_name_character(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '.' || c == '-';
}

/* Copies the next name in *rest and moves *rest behind it. */
static bool next_release(struct bytes *rest, char ret[BRIEF_RELEASE_SIZE])
{
    const uint8_t *at;
    while (rest->len > 0 && (at = memmem(rest->ptr, rest->len, maker, sizeof maker - 1))) {
        size_t left = rest->len - (size_t)(at - rest->ptr), len = 0;
        while (len < left && is_name_character(at[len]))
            len++;
        *rest = (struct bytes){at + len, left - len};
        if (len >= BRIEF_RELEASE_SIZE || !memmem(at, len, "_V", 2))
            continue;
        memcpy(ret, at, len);
        ret[len] = '\0';
        return true;
    }
    return false;
}

static size_t find_releases(struct bytes file, char ret[BRIEF_RELEASES_MAX][BRIEF_RELEASE_SIZE])
{
    size_t count = 0;
    while (count < BRIEF_RELEASES_MAX && next_release(&file, ret[count])) {
        size_t same = 0;
        while (strcmp(ret[same], ret[count]) != 0)
            same++;
        count += same == count;
    }
    return count;
}

/* ---- JSON ---- */

/* All other than printable ASCII becomes a question mark. */
static void put_text(FILE *to, const char *text)
{
    putc('"', to);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', to);
        putc(*text >= 0x20 && *text < 0x7F ? *text : '?', to);
    }
    putc('"', to);
}

static void put_field(FILE *to, const char *name, const char *text)
{
    fprintf(to, "\"%s\":", name);
    if (text)
        put_text(to, text);
    else
        fputs("null", to);
    putc(',', to);
}

static void put_release(const struct brief *brief, FILE *to)
{
    const struct soc_facts *facts = &brief->release;
    fprintf(to, "\"script\":{\"address\":%u,\"bytes\":%u,\"packed\":%u,\"bits\":%u},\"release\":",
            brief->script_address, brief->script_bytes, brief->packed_bytes, brief->script_bits);
    if (!facts->chip[0]) {
        fputs("null,", to);
        return;
    }
    putc('{', to);
    put_field(to, "chip", facts->chip);
    put_field(to, "core", facts->core[0] ? facts->core : NULL);
    fprintf(
        to,
        "\"has_areas\":%s,\"script_address\":%u,\"script_bytes\":%u,\"kept_address\":%u,\"kept_bytes\":%u,"
        "\"bits\":%u},",
        facts->has_areas ? "true" : "false", facts->script_address, facts->script_bytes, facts->kept_address,
        facts->kept_bytes, facts->bits);
}

static void put(const struct brief *brief, FILE *to)
{
    char release[BRIEF_RELEASES_MAX][BRIEF_RELEASE_SIZE];
    size_t releases = find_releases(brief->file, release);
    putc('{', to);
    put_field(to, "kind", brief->kind);
    put_field(to, "role", brief->role);
    put_field(to, "format", brief->format);
    put_field(to, "summary", brief->summary);
    put_field(to, "wrong", brief->wrong ? brief->why_wrong.text : NULL);
    put_field(to, "odd", brief->odd ? brief->why_odd.text : NULL);
    put_field(to, "mangled", mangled_find(brief->file));
    put_field(to, "chip", brief->chip[0] ? brief->chip : NULL);
    fprintf(to, "\"production\":%s,", brief->production ? "true" : "false");
    fprintf(to, "\"changes_core\":%s,\"leads_to_core\":%u,\"allows_core\":%u,",
            brief->changes_core ? "true" : "false", brief->versions.main[0], brief->versions.base[0]);
    put_release(brief, to);
    fputs("\"releases\":[", to);
    for (size_t i = 0; i < releases; i++) {
        if (i)
            putc(',', to);
        put_text(to, release[i]);
    }
    fputs("]}\n", to);
}

bool inspect_json_file(struct bytes file, const char *format, FILE *to, struct error *err)
{
    static const char *const role[] = {
        [RECOGNISED_IMAGE] = "image", [RECOGNISED_PACKAGE] = "package", [RECOGNISED_NEITHER] = "neither"};
    struct brief brief = {.file = file, .is = recognise(file), .format = format};
    brief.kind = brief.is->name;
    brief.role = role[brief.is->role];
    say(&brief, "%s", brief.is->sentence);
    for (size_t i = 0; i < sizeof teller_table / sizeof teller_table[0]; i++)
        if (strcmp(teller_table[i].name, brief.is->name) == 0)
            teller_table[i].tell(&brief);
    put(&brief, to);
    if (fflush(to) != 0 || ferror(to))
        return error_set(err, ERROR_INTERNAL, "cannot write the result");
    return true;
}
