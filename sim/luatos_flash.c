/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/luatos_flash.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "delta/container/binpkg.h"
#include "delta/container/luatos.h"
#include "delta/container/par.h"
#include "delta/container/sector.h"
#include "delta/engine.h"

__attribute__((format(printf, 3, 4))) static enum luatos_result
end(char why[LUATOS_WHY_SIZE], enum luatos_result result, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, LUATOS_WHY_SIZE, format, args);
    va_end(args);
    return result;
}

bool luatos_flash_open(const struct image *image, bool whole, struct luatos_flash *ret, struct error *err)
{
    struct bytes bytes = buffer_bytes(&image->bytes);
    struct luatos_flash flash = {.whole = whole, .magic = LUATOS_EC618};
    bool ok = true;
    if (whole)
        ok = buffer_add(&flash.system, bytes.ptr, bytes.len, err);
    else if (soc_owns(bytes))
        ok = soc_open(bytes, &flash.release, err);
    else if (binpkg_owns(bytes))
        ok = buffer_add(&flash.release.rom, bytes.ptr, bytes.len, err);
    else
        ok = error_set(err, ERROR_INVALID,
                       "a LuatOS module runs a .soc or a .binpkg, and the image is neither");
    if (ok && flash.release.facts.magic)
        flash.magic = flash.release.facts.magic;
    if (ok)
        *ret = flash;
    return ok;
}

static void drop(struct luatos_flash *flash)
{
    flash->pending = false;
    buffer_free(&flash->new_rom);
    buffer_free(&flash->script_data);
}

void luatos_flash_free(struct luatos_flash *flash)
{
    drop(flash);
    soc_free(&flash->release);
    buffer_free(&flash->system);
}

/* ---- The writer ---- */

/* The head, then the common data: written, read back, and compared by MD5. Nothing compares its length with the room. */
static enum luatos_result write_common(struct luatos_flash *flash, struct bytes package,
                                       struct luatos_file *file, char why[LUATOS_WHY_SIZE])
{
    struct error err;
    uint8_t md5[LUATOS_MD5_BYTES];
    if (package.len < LUATOS_HEAD_BYTES || !luatos_read(package, file, &err) || file->magic != flash->magic)
        return end(why, LUATOS_REFUSED, "the magic number is not that of this chip");
    if (file->crc != file->real_crc)
        return end(why, LUATOS_REFUSED, "the checksum of the head is wrong");
    if (file->common_bytes == 0)
        return LUATOS_DONE;
    if (file->common.len < file->common_bytes)
        return end(why, LUATOS_REFUSED, "the common data ends early");
    if (!luatos_md5(file->common, md5, &err) || memcmp(md5, file->common_md5, sizeof md5) != 0)
        return end(why, LUATOS_REFUSED, "the MD5 of the common data is wrong");
    if (!buffer_add(&flash->script_data, file->common.ptr, file->common.len, &err))
        return end(why, LUATOS_REFUSED, "%s", err.text);
    return LUATOS_DONE;
}

/* The change of the core: its hash, its length, and whether the core that runs is its base. */
static enum luatos_result write_core(struct luatos_flash *flash, const struct luatos_file *file,
                                     char why[LUATOS_WHY_SIZE])
{
    struct error err;
    struct par par;
    if (file->sdk_bytes == 0)
        return file->common_bytes ? LUATOS_DONE : end(why, LUATOS_REFUSED, "the package is empty");
    if (file->sdk.len < file->sdk_bytes)
        return end(why, LUATOS_REFUSED, "the change of the core ends early");
    if (!par_owns(file->sdk) || !par_read(file->sdk, &par, &err) || !par_check(&par, &err))
        return end(why, LUATOS_REFUSED, "the hash of the change of the core is wrong");
    if (file->sdk.len > PAR_MODULE_MAX)
        return end(why, LUATOS_REFUSED, "the change of the core is larger than %d bytes", PAR_MODULE_MAX);
    if (!engine_apply(buffer_bytes(&flash->release.rom), file->sdk, IMAGE_MAX_BYTES, &flash->new_rom, &err))
        return end(why, LUATOS_REFUSED, "the change of the core: %s", err.text);
    return LUATOS_DONE;
}

enum luatos_result luatos_flash_write(struct luatos_flash *flash, struct bytes package,
                                      char why[LUATOS_WHY_SIZE])
{
    struct luatos_file file;
    struct error err;
    drop(flash);
    if (flash->whole) {
        flash->pending = package.len > 0 && buffer_add(&flash->script_data, package.ptr, package.len, &err);
        return flash->pending ? LUATOS_DONE : end(why, LUATOS_REFUSED, "the package is empty");
    }
    enum luatos_result result = write_common(flash, package, &file, why);
    if (result == LUATOS_DONE)
        result = write_core(flash, &file, why);
    if (result != LUATOS_DONE) {
        drop(flash);
        return result;
    }
    flash->pending = true;
    if (file.rest.len > 0)
        return end(
            why, LUATOS_REFUSED,
            "%zu bytes follow the package: the library reports an error, and the next start applies the package",
            file.rest.len);
    return LUATOS_DONE;
}

/* ---- The bootloader ---- */

static enum luatos_result put_script(struct luatos_flash *flash, struct sector_plain *plain,
                                     char why[LUATOS_WHY_SIZE])
{
    const struct soc_facts *facts = &flash->release.facts;
    if (facts->has_areas && plain->address != facts->script_address)
        return end(why, LUATOS_DEAD, "the script is written to %x, over other flash: its place is %x",
                   plain->address, facts->script_address);
    if (facts->has_areas && plain->bytes.len > facts->script_bytes)
        return end(why, LUATOS_DEAD,
                   "the script has %zu bytes and its area %u: it is written over other flash",
                   plain->bytes.len, facts->script_bytes);
    buffer_free(&flash->release.script);
    flash->release.script = plain->bytes;
    plain->bytes = (struct buffer){0};
    return LUATOS_DONE;
}

static enum luatos_result put_sectors(struct luatos_flash *flash, char why[LUATOS_WHY_SIZE])
{
    struct bytes rest = buffer_bytes(&flash->script_data);
    const struct soc_facts *facts = &flash->release.facts;
    if (facts->kept_bytes && rest.len > facts->kept_bytes)
        return end(why, LUATOS_DEAD,
                   "the packed script has %zu bytes and its place %u: it is written over other flash",
                   rest.len, facts->kept_bytes);
    enum luatos_result result = LUATOS_DONE;
    while (result == LUATOS_DONE && rest.len > 0) {
        struct luatos_sector sector;
        struct sector_plain plain = {0};
        struct error err;
        if (!luatos_sector_read(rest, &sector, &err) || sector.magic != flash->magic ||
            sector.plain_bytes == 0 || sector.plain_bytes == sector.packed_bytes)
            return end(why, LUATOS_DEAD,
                       "the bootloader refuses the script: the old script stays with this core");
        if (!sector_unpack(&rest, &plain, &err))
            return end(why, LUATOS_DEAD,
                       "it restarts for ever: the bootloader erased the script area, and %s", err.text);
        result = put_script(flash, &plain, why);
        buffer_free(&plain.bytes);
    }
    return result;
}

enum luatos_result luatos_flash_start(struct luatos_flash *flash, char why[LUATOS_WHY_SIZE])
{
    enum luatos_result result = LUATOS_DONE;
    if (!flash->pending)
        return end(why, LUATOS_REFUSED, "no package is complete: the old system starts");
    if (flash->whole) {
        buffer_free(&flash->system);
        flash->system = flash->script_data;
        flash->script_data = (struct buffer){0};
    } else {
        if (flash->new_rom.len) {
            buffer_free(&flash->release.rom);
            flash->release.rom = flash->new_rom;
            flash->new_rom = (struct buffer){0};
        }
        result = put_sectors(flash, why);
    }
    drop(flash);
    return result;
}

/* ---- What runs ---- */

static bool same_entry(const struct binpkg *a, const struct binpkg *b, const char *type)
{
    const struct binpkg_entry *one = binpkg_find(a, type), *other = binpkg_find(b, type);
    return one && other ? bytes_equal(one->image, other->image) : one == other;
}

static bool same_rom(struct bytes a, struct bytes b)
{
    struct binpkg one, other;
    struct error err;
    return bytes_equal(a, b) || (binpkg_read(a, &one, &err) && binpkg_read(b, &other, &err) &&
                                 same_entry(&one, &other, "AP") && same_entry(&one, &other, "CP"));
}

static bool runs_script(const struct luatos_flash *flash, struct bytes package)
{
    struct luatos_file file;
    struct sector_plain plain = {0};
    struct error err;
    if (!luatos_read(package, &file, &err) || file.sdk.len || !file.common.len ||
        !sector_unpack(&file.common, &plain, &err))
        return false;
    bool same = bytes_equal(buffer_bytes(&plain.bytes), buffer_bytes(&flash->release.script));
    buffer_free(&plain.bytes);
    return same;
}

bool luatos_flash_runs(const struct image *image, void *cls)
{
    const struct luatos_flash *flash = cls;
    struct bytes bytes = buffer_bytes(&image->bytes), rom = buffer_bytes(&flash->release.rom);
    struct soc soc;
    struct error err;
    if (flash->whole)
        return bytes_equal(bytes, buffer_bytes(&flash->system));
    if (luatos_owns(bytes))
        return runs_script(flash, bytes);
    if (!soc_owns(bytes))
        return same_rom(rom, bytes);
    if (!soc_open(bytes, &soc, &err))
        return false;
    bool same =
        same_rom(rom, buffer_bytes(&soc.rom)) &&
        (soc.script.len == 0 || bytes_equal(buffer_bytes(&soc.script), buffer_bytes(&flash->release.script)));
    soc_free(&soc);
    return same;
}
