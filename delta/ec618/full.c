/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec618/full.h"

#include <string.h>
#include "base/cleanup.h"
#include "delta/container/luatos.h"
#include "delta/container/sector.h"
#include "delta/container/wrapper.h"
#include "delta/ec618/image.h"

#define USER_MARK 0x113A695DU /* of the vendor's packer; no module reads it */

static const struct {
    uint32_t address;
    size_t bytes_max;
} slots[EC618_SLOTS] = {
    [EC618_AP] = {EC618_LOAD_ADDRESS, EC618_FULL_AP_MAX},
    [EC618_CP] = {LUATOS_CP_FLASH, EC618_FULL_CP_MAX},
};

/* ---- The image ---- */

struct full_image { /* ec618_image_free(&image) */
    struct ec618_image image;
    enum ec618_slot order[EC618_SLOTS]; /* as in the .binpkg */
};

static bool check_entries(const struct binpkg *binpkg, struct error *err)
{
    for (unsigned int i = 0; i < binpkg->entries; i++) {
        const char *type = binpkg->entry[i].type;
        if (strcmp(type, "BL") != 0 && strcmp(type, "AP") != 0 && strcmp(type, "CP") != 0)
            return error_set(err, ERROR_INVALID,
                             "entry %u of the .binpkg is neither bootloader, AP nor CP, so this is not the "
                             "firmware of a CSDK application",
                             i + 1);
    }
    return true;
}

static bool check_slot(const struct ec618_image *image, enum ec618_slot slot, struct error *err)
{
    const char *name = ec618_slot_name(slot);
    size_t bytes = image->part[slot].len, bytes_max = slots[slot].bytes_max;
    if (!image->has[slot] || bytes == 0)
        return error_set(err, ERROR_INVALID, "the image has no %s, and a full package needs AP and CP", name);
    if (image->load_address[slot] != (slots[slot].address & ~LUATOS_CP_FLASH))
        return error_set(err, ERROR_INVALID, "%s is for the address %x, not %x", name,
                         image->load_address[slot], slots[slot].address & ~LUATOS_CP_FLASH);
    return bytes <= bytes_max || error_set(err, ERROR_TOO_LARGE,
                                           "%s has %zu bytes, and a module that takes full packages has room "
                                           "for %zu",
                                           name, bytes, bytes_max);
}

static bool check_image(struct full_image *full, struct error *err)
{
    const struct ec618_image *image = &full->image;
    if (!image->is_binpkg)
        return error_set(err, ERROR_INVALID,
                         "a full package is made from a .binpkg: a raw image does not contain the CP");
    if (image->is_soc && (image->soc.facts.has_areas || image->soc.script.len > 0))
        return error_set(err, ERROR_INVALID,
                         "the image is a release of LuatOS, which cannot take a full package");
    if (!check_entries(&image->binpkg, err) || !check_slot(image, EC618_AP, err) ||
        !check_slot(image, EC618_CP, err))
        return false;
    bool ap_first = image->entry[EC618_AP] < image->entry[EC618_CP];
    full->order[0] = ap_first ? EC618_AP : EC618_CP;
    full->order[1] = ap_first ? EC618_CP : EC618_AP;
    return true;
}

static bool open_image(struct bytes bytes, struct full_image *ret, struct error *err)
{
    if (!ec618_image_open(bytes, "the image", &ret->image, err))
        return false;
    if (check_image(ret, err))
        return true;
    ec618_image_free(&ret->image);
    return false;
}

/* ---- Verifying ---- */

static bool check_head(const struct luatos_file *head, struct error *err)
{
    static const uint8_t zeros[sizeof head->versions.base];
    if (head->sdk_bytes > 0 || head->common_bytes == 0)
        return error_set(err, ERROR_CORRUPT, "a full package has only common data");
    return memcmp(head->versions.base, zeros, sizeof zeros) == 0 ||
           error_set(err, ERROR_CORRUPT, "a full package allows every base, and its head names one");
}

static bool check_sector(struct bytes *common, const struct ec618_image *image, enum ec618_slot slot,
                         struct error *err)
{
    const char *name = ec618_slot_name(slot);
    struct sector_plain plain;
    if (common->len == 0)
        return error_set(err, ERROR_CORRUPT, "the package has no %s", name);
    if (!sector_unpack(common, &plain, err))
        return false;
    bool ok = plain.magic == LUATOS_EC618 && plain.address == slots[slot].address;
    if (!ok)
        error_set(err, ERROR_CORRUPT, "the package writes to %x where it should write %s to %x",
                  plain.address, name, slots[slot].address);
    else if (!bytes_equal(buffer_bytes(&plain.bytes), image->part[slot]))
        ok = error_set(err, ERROR_INVALID, "the package does not contain the %s of the image", name);
    buffer_free(&plain.bytes);
    return ok;
}

static bool verify(struct bytes package, const struct full_image *full, struct error *err)
{
    struct luatos_file head;
    if (!luatos_owns_full(package))
        return error_set(err, ERROR_INVALID, "this is not a full package for an EC618");
    if (package.len > EC618_FULL_PACKAGE_MAX)
        return error_set(err, ERROR_TOO_LARGE, "the full package has %zu bytes, and a module has room for %d",
                         package.len, EC618_FULL_PACKAGE_MAX);
    if (!luatos_read(package, &head, err) || !luatos_check(&head, err) || !check_head(&head, err))
        return false;
    struct bytes common = head.common;
    for (unsigned int i = 0; i < EC618_SLOTS; i++)
        if (!check_sector(&common, &full->image, full->order[i], err))
            return false;
    return common.len == 0 || error_set(err, ERROR_CORRUPT, "the package writes more than AP and CP");
}

bool ec618_full_verify(struct bytes package, struct bytes image, struct error *err)
{
    struct full_image full;
    if (!open_image(image, &full, err))
        return false;
    bool ok = verify(package, &full, err);
    ec618_image_free(&full.image);
    return ok;
}

/* ---- Making ---- */

static bool pack(const struct full_image *full, struct buffer *ret, struct error *err)
{
    static const struct luatos_versions versions = {.main = {[4] = LUATOS_MAIN_FULL}, .app = USER_MARK};
    _cleanup_(buffer_free) struct buffer common = {0};
    for (unsigned int i = 0; i < EC618_SLOTS; i++) {
        enum ec618_slot slot = full->order[i];
        if (!sector_pack(&common, LUATOS_EC618, slots[slot].address, full->image.part[slot], err))
            return false;
    }
    return wrapper_luatos_add(ret, LUATOS_EC618, &versions, buffer_bytes(&common), (struct bytes){NULL, 0},
                              err);
}

bool ec618_full_make(struct bytes image, struct buffer *ret, struct error *err)
{
    _cleanup_(buffer_free) struct buffer package = {0};
    struct full_image full;
    struct error why;
    if (!open_image(image, &full, err))
        return false;
    bool ok = pack(&full, &package, err);
    if (ok && !verify(buffer_bytes(&package), &full, &why))
        ok = error_set(err, why.code == ERROR_TOO_LARGE ? ERROR_TOO_LARGE : ERROR_INTERNAL, "%s", why.text);
    ec618_image_free(&full.image);
    if (!ok)
        return false;
    *ret = package;
    package = (struct buffer){0};
    return true;
}
