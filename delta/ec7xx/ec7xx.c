/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/ec7xx/ec7xx.h"

#include <inttypes.h>
#include <string.h>
#include "base/cleanup.h"
#include "delta/ec618/package.h"
#include "delta/ec7xx/make.h"
#include "delta/ec7xx/module.h"
#include "delta/ec7xx/rules.h"

#define FLASH_4MB (4U << 20)

bool ec7xx_owns(struct bytes package)
{
    struct luatos_file head;
    struct par par;
    struct bytes archive = package;
    uint32_t stated;
    struct error unwanted;
    if (luatos_owns(package))
        return luatos_read(package, &head, &unwanted) && head.magic != LUATOS_EC618;
    if (wrapper_at_owns(package) && !wrapper_at_read(package, &archive, &stated, &unwanted))
        return false;
    return par_read(archive, &par, &unwanted) && ec7xx_rules_hold_for(&par);
}

/* ---- Making ---- */

static bool make_part(const void *how, enum ec618_slot slot, struct par_source *source,
                      struct buffer *payload, struct error *err)
{
    const struct ec7xx_making *making = how;
    const struct ec7xx_options options = {.effort = making->effort};
    enum ec7xx_order order;
    struct error why;
    if (!ec7xx_payload_make(source->old, source->new, options, payload, &order, &why))
        return error_set(err, why.code, "%s: %.400s", par_attribute_name(source->attribute), why.text);
    source->reverse = order == EC7XX_BACKWARD;
    if (slot == EC618_AP && making->has_load_address)
        source->load_address = making->load_address;
    return true;
}

static bool make_archive(const void *how, const struct par_source *source, size_t count, struct buffer *ret,
                         struct error *err)
{
    const struct ec7xx_making *making = how;
    return par_make_ec7xx(source, count, making->chip && making->chip->has_8mb, ret, err);
}

/* ---- Applying ---- */

/* A raw image is the part that the only package changes; its base hash tells whether that is right. */
static bool find_slot(const struct ec618_image *old, const struct par *par, const struct par_part *part,
                      enum ec618_slot *ret, struct error *err)
{
    *ret = EC618_AP;
    if (!old->is_binpkg)
        return par->parts == 1 ||
               error_set(err, ERROR_INVALID,
                         "the archive changes AP and CP, and the old image is only one part");
    return ec618_image_find_slot(old, part->attribute, ret, err);
}

static bool check_zone(const struct ec618_image *old, enum ec618_slot slot, size_t new_bytes,
                       struct error *err)
{
    if (!old->is_binpkg)
        return true;
    uint32_t zone = old->binpkg.entry[old->entry[slot]].flash_bytes;
    return new_bytes <= zone ||
           error_set(err, ERROR_TOO_LARGE,
                     "the new %s has %zu bytes; its zone in the module's flash has %" PRIu32,
                     ec618_slot_name(slot), new_bytes, zone);
}

static bool apply_part(const struct ec618_image *old, const struct par *par, unsigned int place,
                       size_t max_bytes, enum ec618_slot *ret_slot, struct buffer *ret, struct error *err)
{
    const struct par_part *part = &par->part[place];
    if (part->new_bytes > max_bytes)
        return error_set(err, ERROR_TOO_LARGE, "the new image would have %" PRIu32 " bytes; the limit is %zu",
                         part->new_bytes, max_bytes);
    return find_slot(old, par, part, ret_slot, err) && check_zone(old, *ret_slot, part->new_bytes, err) &&
           ec7xx_module_apply(old->part[*ret_slot], part, ret, err);
}

static bool check(const struct par *par, struct error *err)
{
    if (!ec7xx_rules_hold_for(par))
        return error_set(err, ERROR_CANNOT_APPLY, "the archive is not for an EC7xx");
    return ec7xx_rules_check(par, err);
}

/* ---- The functions of the family ---- */

static const struct chip_functions functions = {
    .name = "an EC7xx",
    .magic = LUATOS_EC7XX,
    .make_part = make_part,
    .write = make_archive,
    .check = check,
    .apply_part = apply_part,
};

/* A raw image is AP or CP, as `making` states. The load address has no effect on the module. */
static void name_raw_part(struct ec618_image *image, const struct ec7xx_making *making)
{
    if (image->is_binpkg)
        return;
    image->raw_attribute = making->raw_is_cp ? PAR_CP : PAR_AP;
    image->load_address[EC618_AP] = making->raw_is_cp ? EC7XX_CP_ADDRESS : EC7XX_AP_ADDRESS;
}

/* *chip is the chip that the caller knows, or NULL. Then it becomes that of the images, if they tell the exact chip. */
static bool find_chip(const struct ec618_image *old, const struct ec618_image *new,
                      const struct ec7xx_chip **chip, struct error *err)
{
    const char *of_old, *of_new;
    if (!ec618_image_chip(old, &of_old, err) || !ec618_image_chip(new, &of_new, err))
        return false;
    if (of_old && of_new && !chip_may_be(of_old, of_new))
        return error_set(err, ERROR_INVALID, "the old image is for the chip %s and the new image for %s",
                         of_old, of_new);
    const char *found = of_old && ec7xx_chip_find(of_old) ? of_old : of_new;
    if (*chip && found && !chip_may_be((*chip)->name, found))
        return error_set(err, ERROR_INVALID, "the images are for the chip %s, not for %s", found,
                         (*chip)->name);
    if (!*chip && found)
        *chip = ec7xx_chip_find(found);
    return true;
}

static bool refuse_unknown_chip(struct error *err)
{
    return error_set(err, ERROR_INVALID,
                     "the images are for a chip with 8 MB of flash, and do not tell which: "
                     "name the chip");
}

/* The head of an archive tells whether the flash has 4 or 8 MB. */
static bool check_product(const struct ec618_image *image, const struct ec7xx_chip *chip, struct error *err)
{
    const char *product = image->is_binpkg ? image->binpkg.product : "";
    if (chip_product_may_have(product, chip && chip->has_8mb))
        return !chip || chip_product_may_be(product, chip->name) ||
               error_set(err, ERROR_INVALID, "the product name %s is not of the chip %s", product,
                         chip->name);
    return chip ? error_set(err, ERROR_INVALID,
                            "the product name %s is of a chip with %d MB of flash, and %s has %d MB", product,
                            chip->has_8mb ? 4 : 8, chip->name, chip->has_8mb ? 8 : 4)
                : refuse_unknown_chip(err);
}

static bool check_flash(const struct ec618_image *image, const struct ec7xx_chip *chip, struct error *err)
{
    for (unsigned int slot = 0; slot < EC618_SLOTS; slot++) {
        if (!image->is_binpkg || !image->has[slot])
            continue;
        uint64_t end =
            (uint64_t)image->load_address[slot] + image->binpkg.entry[image->entry[slot]].flash_bytes;
        if (end <= FLASH_4MB || (chip && chip->has_8mb))
            continue;
        return chip ? error_set(err, ERROR_INVALID, "%s ends at 0x%" PRIx64 ", and the flash of %s has 4 MB",
                                ec618_slot_name(slot), end, chip->name)
                    : refuse_unknown_chip(err);
    }
    return check_product(image, chip, err);
}

static bool check_zones(const struct ec618_image *old, const struct ec618_image *new, struct error *err)
{
    for (unsigned int slot = 0; slot < EC618_SLOTS; slot++)
        if (old->has[slot] && !check_zone(old, slot, new->part[slot].len, err))
            return false;
    return true;
}

bool ec7xx_make(enum wrapper wrapper, struct bytes old, struct bytes new, const struct ec7xx_making *making,
                struct buffer *ret, struct error *err)
{
    _cleanup_(ec618_image_free) struct ec618_image from = {0};
    _cleanup_(ec618_image_free) struct ec618_image to = {0};
    if (!package_open_both(old, new, &from, &to, err))
        return false;
    name_raw_part(&from, making);
    name_raw_part(&to, making);
    struct ec7xx_making known = *making;
    return find_chip(&from, &to, &known.chip, err) && check_flash(&from, known.chip, err) &&
           check_flash(&to, known.chip, err) && check_zones(&from, &to, err) &&
           package_make(&functions, wrapper, &from, &to, &known, ret, err);
}

bool ec7xx_apply(struct bytes old, struct bytes package, size_t max_bytes, struct buffer *ret,
                 struct error *err)
{
    return package_apply(&functions, old, package, max_bytes, ret, err);
}

/* ---- Room ---- */

/* What an image tells about its module. */
struct told {
    const struct ec7xx_chip *chip; /* NULL: not exactly */
    char product[BINPKG_PRODUCT_SIZE];
};

static void read_told(struct bytes bytes, struct told *ret)
{
    _cleanup_(ec618_image_free) struct ec618_image image = {0};
    struct error unwanted;
    const char *name = NULL;
    *ret = (struct told){.chip = NULL};
    if (!ec618_image_open(bytes, "", &image, &unwanted))
        return;
    if (image.is_binpkg)
        memcpy(ret->product, image.binpkg.product, sizeof ret->product);
    if (ec618_image_chip(&image, &name, &unwanted) && name)
        ret->chip = ec7xx_chip_find(name);
}

/* A module looks for the packages of an archive at another place when its flash has another size. */
static bool check_archive_flash(const struct par *par, const struct told *told,
                                const struct ec7xx_chip *named, struct error *err)
{
    bool has_8mb = par->progress_bytes != PAR_PROGRESS_BYTES;
    const struct ec7xx_chip *chip = told->chip ? told->chip : named;
    if (chip ? chip->has_8mb == has_8mb : chip_product_may_have(told->product, has_8mb))
        return true;
    return error_set(err, ERROR_INVALID, "the archive is for a chip with %d MB of flash, and %s has %d MB",
                     has_8mb ? 8 : 4, chip ? chip->name : told->product, has_8mb ? 4 : 8);
}

static const struct ec7xx_chip *with_less_room(const struct ec7xx_chip *one, const struct ec7xx_chip *other)
{
    if (!one || !other)
        return one ? one : other;
    return one->archive_bytes < other->archive_bytes ? one : other;
}

bool ec7xx_fits_module(struct bytes package, struct bytes old, const struct ec7xx_chip *named,
                       struct error *err)
{
    bool is_script;
    struct par par;
    struct told told;
    if (!package_read(&functions, package, &par, &is_script, err))
        return false;
    if (is_script)
        return true;
    read_told(old, &told);
    return check_archive_flash(&par, &told, named, err) &&
           ec7xx_rules_check_length(&par, with_less_room(told.chip, named), err);
}
