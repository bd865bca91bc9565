/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/firmware_limit.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/package_format.h"
#include "server/config/recipe.h"
#include "server/core/log.h"

#define ADVICE                                                                                               \
    "name it in the configuration (key chip of [firmware NAME]), or, for a chip with 4 MB of flash, set "    \
    "max_package_bytes to its limit"

static bool is_by_chip(const char *format)
{
    const struct package_format *row = package_format_find(format);
    return row && row->chip == PACKAGE_CHIP_EC7XX;
}

/* The bytes of the wrapper that count: the head of AT firmware. */
static int64_t wrapper_bytes(const char *format)
{
    return package_format_find(format)->max_bytes - PACKAGE_FORMAT_EC7XX_ARCHIVE_MAX;
}

/* ---- The chip ---- */

static void consider(struct firmware_limit *limit, const struct ec7xx_chip *chip, const char *source)
{
    if (!chip || (limit->chip && limit->chip->archive_bytes <= chip->archive_bytes))
        return;
    limit->chip = chip;
    limit->source = source;
}

/* The text is what an image says: a chip, a family, or a model. */
static const struct ec7xx_chip *exact_chip(const char *text)
{
    const char *chip = chip_of_name(text);
    return chip ? ec7xx_chip_find(chip) : NULL;
}

/* The image says that its chip is of the family, but not which one. */
static bool is_inexact(const char *text)
{
    const char *chip = chip_of_name(text);
    return chip && strcmp(chip, CHIP_EC7XX) == 0;
}

/* Images tell the chip if each of them that says anything tells the exact one. An image that tells only the family may be
   of a chip with less room than the others. */
static void consider_images(struct firmware_limit *limit, const struct firmware_chip *list, size_t count)
{
    bool is_told = limit->chip;
    for (size_t i = 0; i < count; i++) {
        consider(limit, exact_chip(list[i].text), "an image of the firmware");
        limit->has_inexact |= !is_told && is_inexact(list[i].text);
    }
    limit->by_images = !is_told && limit->chip;
}

bool firmware_limit_find(const struct config *config, struct db *db, const struct firmware *firmware,
                         struct firmware_limit *ret, struct error *err)
{
    _cleanup_(cleanup_free) struct firmware_chip *list = NULL;
    size_t count;
    *ret = (struct firmware_limit){.by_chip = is_by_chip(firmware->format)};
    if (!ret->by_chip)
        return true;
    if (!firmware_chips(db, firmware->id, &list, &count, err))
        return false;
    consider(ret, recipe_chip_by_config(firmware_section_of(config, firmware->name)),
             "the configuration (chip)");
    consider(ret, recipe_chip_by_name(firmware->name), "the name of the firmware");
    consider_images(ret, list, count);
    const struct ec7xx_chip *least = ec7xx_chip_smallest(), *counts = ret->chip ? ret->chip : least;
    ret->usual = ret->has_inexact ? least->archive_bytes : counts->archive_bytes;
    /* Packages for a chip that is not known are made for 4 MB of flash. */
    ret->most =
        (ret->chip ? ret->chip : ec7xx_chip_largest_4mb())->archive_bytes + wrapper_bytes(firmware->format);
    return true;
}

/* ---- Settings ---- */

static bool refuse(const struct firmware_limit *limit, struct error *err)
{
    if (!limit->chip)
        return error_set(
            err, ERROR_INVALID,
            "the chip is not known, and a chip that takes more than %lld bytes has 8 MB of flash, which is "
            "part of a package: name the chip in the configuration (key chip of [firmware NAME])",
            (long long)limit->most);
    return error_set(
        err, ERROR_INVALID,
        "modules with the chip %s take at most %lld bytes, and %s says that chip: set max_package_bytes to "
        "at most this value",
        limit->chip->name, (long long)limit->most, limit->source);
}

/* Nobody has set a limit that fits the chip. */
static bool needs_limit(const struct firmware *firmware, const struct firmware_limit *limit,
                        const struct limit_wish *wish)
{
    bool is_new = !is_by_chip(wish->before) && (firmware->max_package_bytes == DEFAULT_MAX_PACKAGE_BYTES ||
                                                firmware->max_package_bytes > limit->usual);
    return wish->resets || is_new || firmware->max_package_bytes > limit->most;
}

bool firmware_limit_settle(const struct config *config, struct db *db, const struct limit_wish *wish,
                           struct firmware *firmware, struct error *err)
{
    struct firmware_limit limit;
    if (wish->given)
        firmware->max_package_bytes = wish->given;
    else if (wish->resets)
        firmware->max_package_bytes = DEFAULT_MAX_PACKAGE_BYTES;
    if (!firmware_limit_find(config, db, firmware, &limit, err))
        return false;
    if (!limit.by_chip)
        return true;
    if (wish->given)
        return wish->given <= limit.most || refuse(&limit, err);
    if (needs_limit(firmware, &limit, wish))
        firmware->max_package_bytes = limit.usual;
    return true;
}

/* ---- Sentences ---- */

static void note_known(const struct firmware *firmware, const struct firmware_limit *limit,
                       char out[FIRMWARE_LIMIT_NOTE_SIZE])
{
    const char *how = firmware->max_package_bytes < limit->chip->archive_bytes ? "lower than that"
                      : firmware->max_package_bytes > limit->most              ? "above that"
                                                                               : "that";
    snprintf(out, FIRMWARE_LIMIT_NOTE_SIZE,
             "the limit of %lld bytes is %s of the chip %s (%lld bytes), and %s says that chip%s",
             (long long)firmware->max_package_bytes, how, limit->chip->name,
             (long long)limit->chip->archive_bytes, limit->source,
             limit->has_inexact ? ", but another one may be for a chip with less room" : "");
}

void firmware_limit_note(const struct firmware *firmware, const struct firmware_limit *limit,
                         char out[FIRMWARE_LIMIT_NOTE_SIZE])
{
    out[0] = '\0';
    if (!limit->by_chip)
        return;
    if (limit->chip)
        note_known(firmware, limit, out);
    else if (firmware->max_package_bytes <= limit->usual)
        snprintf(
            out, FIRMWARE_LIMIT_NOTE_SIZE,
            "the chip is not known, and the limit of %lld bytes fits the chip with the least room (%s). If you "
            "know the chip, " ADVICE,
            (long long)firmware->max_package_bytes, ec7xx_chip_smallest()->name);
    else
        snprintf(
            out, FIRMWARE_LIMIT_NOTE_SIZE,
            "the chip is not known, and the limit of %lld bytes was set by an admin, or for a chip that was "
            "known before: the chip with the least room (%s) takes only %lld bytes",
            (long long)firmware->max_package_bytes, ec7xx_chip_smallest()->name, (long long)limit->usual);
}

/* ---- Uploads ---- */

/* The firmware has its limit from other images, and this one may be for a chip with less room. */
static bool take_inexact(const struct firmware *firmware, const struct firmware_limit *limit,
                         struct error *err)
{
    int64_t most = ec7xx_chip_smallest()->archive_bytes + wrapper_bytes(firmware->format);
    if (!limit->by_images || limit->has_inexact || firmware->max_package_bytes <= most)
        return true;
    return error_set(
        err, ERROR_INVALID,
        "this image does not tell its exact chip, and only other images say that firmware %s is for the chip "
        "%s: name the chip in the configuration (key chip of [firmware NAME]), set max_package_bytes to at most "
        "%lld, or keep such images in another firmware",
        firmware->name, limit->chip->name, (long long)ec7xx_chip_smallest()->archive_bytes);
}

bool firmware_limit_take_image(const struct config *config, struct db *db, const struct firmware *firmware,
                               struct image *image, struct error *err)
{
    const struct ec7xx_chip *chip = exact_chip(image->chip);
    struct firmware_limit limit;
    if (!is_by_chip(firmware->format) || image_is_full(image) || (!chip && !is_inexact(image->chip)))
        return true;
    if (!firmware_limit_find(config, db, firmware, &limit, err))
        return false;
    if (!chip)
        return take_inexact(firmware, &limit, err);
    int64_t most = chip->archive_bytes + wrapper_bytes(firmware->format);
    if (firmware->max_package_bytes > most)
        return error_set(
            err, ERROR_INVALID,
            "this image is for the chip %s, whose modules take at most %lld bytes, and the limit of firmware "
            "%s is %lld: set its max_package_bytes to at most %lld, or keep such images in another firmware",
            chip->name, (long long)most, firmware->name, (long long)firmware->max_package_bytes,
            (long long)chip->archive_bytes);
    if (limit.chip && limit.chip != chip)
        image_warn(image, "this image is for the chip %s, and the firmware is for the chip %s: %s says so",
                   chip->name, limit.chip->name, limit.source);
    else if (!limit.chip && firmware->max_package_bytes < chip->archive_bytes)
        image_warn(
            image,
            "this image is for the chip %s, whose modules take %lld bytes, and the limit of the firmware is %lld: "
            "set max_package_bytes to use the rest",
            chip->name, (long long)chip->archive_bytes, (long long)firmware->max_package_bytes);
    return true;
}

/* ---- What told the chip may be gone ---- */

static bool lower(struct db *db, const struct product *product, struct firmware *firmware,
                  const struct firmware_limit *limit, struct error *err)
{
    struct log_number was, now;
    log_i64(&was, firmware->max_package_bytes);
    firmware->max_package_bytes = limit->usual;
    log_line(LOG_LEVEL_WARN, "limit-lowered", "product", product->product_key, "firmware", firmware->name,
             "chip", limit->chip ? limit->chip->name : NULL, "size_bytes", log_i64(&now, limit->usual), "was",
             was.text, "because", limit->chip ? limit->source : "the chip is not known", NULL);
    return firmware_update(db, firmware, err);
}

bool firmware_limit_lower(const struct config *config, struct db *db, const struct product *product,
                          struct firmware *firmware, struct error *err)
{
    struct firmware_limit limit;
    return firmware_limit_find(config, db, firmware, &limit, err) &&
           (!limit.by_chip || firmware->max_package_bytes <= limit.most ||
            lower(db, product, firmware, &limit, err));
}

static bool lower_product(const struct config *config, struct db *db, const struct product *product,
                          struct error *err)
{
    _cleanup_(cleanup_free) struct firmware *list = NULL;
    size_t count;
    if (!firmware_list(db, product->id, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!firmware_limit_lower(config, db, product, &list[i], err))
            return false;
    return true;
}

bool firmware_limit_lower_all(const struct config *config, struct db *db, struct error *err)
{
    _cleanup_(cleanup_free) struct product *list = NULL;
    size_t count;
    if (!product_list(db, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!lower_product(config, db, &list[i], err))
            return false;
    return true;
}
