/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/chip.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define CUT_LETTERS 6 /* of the chip's name in the product name of older builds */

const struct ec7xx_chip ec7xx_chip_table[] = {
    {"ec716s", 217088, false}, {"ec718s", 217088, false},  {"ec716e", 331776, false},
    {"ec718p", 331776, false}, {"ec718pv", 331776, false}, {"ec718pm", 360448, false},
    {"ec718um", 479232, true}, {"ec718hm", 479232, true},  {"ec718u", 950272, true},
};

const size_t ec7xx_chip_count = sizeof ec7xx_chip_table / sizeof ec7xx_chip_table[0];

const struct chip_model chip_model_table[] = {
    /* vendor's product pages */
    {"Air780E", CHIP_EC618},
    {"Air780EG", CHIP_EC618},
    {"Air780EX", CHIP_EC618},
    {"Air700E", CHIP_EC618},
    {"Air600E", CHIP_EC618},
    {"Air780EP", "ec718p"},
    {"Air780EPV", "ec718pv"},
    {"Air700EAQ", "ec716e"},
    {"Air700EMQ", "ec716e"},
    {"Air700ECQ", "ec716e"}, /* they say: as Air700EAQ and Air700EMQ, but for the radio bands */
    /* what a module prints in the vendor's examples */
    {"Air780EPM", "ec718pm"},
    {"Air780EHV", "ec718hm"},
    {"Air8000", "ec718hm"},
    /* lists in the vendor's tests */
    {"Air780EGP", "ec718pm"},
    {"Air700ECP", "ec718pm"},
    {"Air780EHM", "ec718hm"},
    {"Air780EGH", "ec718hm"},
    {"Air780EGG", "ec718hm"},
    {"Air700ECH", "ec718hm"},
    /* the list of a public flash tool of a vendor's developer */
    {"Air780EHG", "ec718hm"},
};

const size_t chip_model_count = sizeof chip_model_table / sizeof chip_model_table[0];

const struct ec7xx_chip *ec7xx_chip_find(const char *name)
{
    for (size_t i = 0; i < ec7xx_chip_count; i++)
        if (strcasecmp(ec7xx_chip_table[i].name, name) == 0)
            return &ec7xx_chip_table[i];
    return NULL;
}

const struct ec7xx_chip *ec7xx_chip_smallest(void)
{
    const struct ec7xx_chip *least = ec7xx_chip_table;
    for (size_t i = 1; i < ec7xx_chip_count; i++)
        if (ec7xx_chip_table[i].archive_bytes < least->archive_bytes)
            least = &ec7xx_chip_table[i];
    return least;
}

const struct ec7xx_chip *ec7xx_chip_largest_4mb(void)
{
    const struct ec7xx_chip *most = NULL;
    for (size_t i = 0; i < ec7xx_chip_count; i++)
        if (!ec7xx_chip_table[i].has_8mb &&
            (!most || ec7xx_chip_table[i].archive_bytes > most->archive_bytes))
            most = &ec7xx_chip_table[i];
    return most;
}

/* ---- Which chip ---- */

/* Whether `text` is `name`, or `name` and then an underscore and more. */
static bool begins_with_word(const char *text, const char *name)
{
    size_t len = strlen(name);
    return strncasecmp(text, name, len) == 0 && (text[len] == '\0' || text[len] == '_');
}

const char *chip_of_name(const char *name)
{
    if (strcasecmp(name, CHIP_EC618) == 0)
        return CHIP_EC618;
    if (strcasecmp(name, CHIP_EC7XX) == 0)
        return CHIP_EC7XX;
    const struct ec7xx_chip *chip = ec7xx_chip_find(name);
    if (chip)
        return chip->name;
    for (size_t i = 0; i < chip_model_count; i++)
        if (begins_with_word(name, chip_model_table[i].model))
            return chip_model_table[i].chip;
    return NULL;
}

/* Whether the first `len` letters of a product name may be of that chip. */
static bool may_mean(const char *product, size_t len, const struct ec7xx_chip *chip)
{
    return len >= CUT_LETTERS && strncasecmp(product, chip->name, len) == 0;
}

/* How many letters of the word at `at` are skipped when it begins with `prefix`. */
static size_t skip(const char *at, const char *prefix)
{
    return strncasecmp(at, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
}

static bool is_word(const char *at, size_t len, const char *word)
{
    return strlen(word) == len && strncasecmp(at, word, len) == 0;
}

/* The chip of a word of letters and digits. */
static const char *chip_of_word(const char *word, size_t len, bool of_airm2m)
{
    size_t air = skip(word, "Air"), ec = skip(word, "EC");
    if (is_word(word, len, CHIP_EC618))
        return CHIP_EC618;
    for (size_t i = 0; i < ec7xx_chip_count; i++)
        if (is_word(word + ec, len - ec, ec7xx_chip_table[i].name + strlen("ec")))
            return ec7xx_chip_table[i].name;
    for (size_t i = 0; i < chip_model_count; i++) {
        const char *model = chip_model_table[i].model + strlen("Air");
        bool has_letter = strspn(model, "0123456789") != strlen(model);
        if (is_word(word + air, len - air, model) && (has_letter || air || of_airm2m))
            return chip_model_table[i].chip;
    }
    return NULL;
}

/* Whether `chip` goes before `other`, which may be NULL. An EC618 goes before all. */
static bool goes_before(const char *chip, const char *other)
{
    const struct ec7xx_chip *one = ec7xx_chip_find(chip), *two = other ? ec7xx_chip_find(other) : NULL;
    return !other || (two && (!one || one->archive_bytes < two->archive_bytes));
}

const char *chip_in_name(const char *firmware)
{
    bool of_airm2m = strcasestr(firmware, "AirM2M") != NULL;
    const char *found = NULL;
    for (const char *at = firmware; *at;) {
        size_t len = 0;
        while (isalnum((unsigned char)at[len]))
            len++;
        const char *chip = len ? chip_of_word(at, len, of_airm2m) : NULL;
        if (chip && goes_before(chip, found))
            found = chip;
        at += len ? len : 1;
    }
    return found;
}

const char *chip_of_product(const char *product)
{
    size_t len = strcspn(product, "_");
    const char *found = NULL;
    if (len == strlen(CHIP_EC618) && strncasecmp(product, CHIP_EC618, len) == 0)
        return CHIP_EC618;
    for (size_t i = 0; i < ec7xx_chip_count; i++)
        if (may_mean(product, len, &ec7xx_chip_table[i]))
            found = found ? CHIP_EC7XX : ec7xx_chip_table[i].name;
    return found;
}

bool chip_product_may_have(const char *product, bool has_8mb)
{
    size_t len = strcspn(product, "_");
    bool is_known = false;
    for (size_t i = 0; i < ec7xx_chip_count; i++) {
        if (!may_mean(product, len, &ec7xx_chip_table[i]))
            continue;
        if (ec7xx_chip_table[i].has_8mb == has_8mb)
            return true;
        is_known = true;
    }
    return !is_known;
}

bool chip_product_may_be(const char *product, const char *chip)
{
    const struct ec7xx_chip *wanted = ec7xx_chip_find(chip);
    const char *found = chip_of_product(product);
    if (!found || strcmp(found, CHIP_EC618) == 0)
        return true;
    return wanted && may_mean(product, strcspn(product, "_"), wanted);
}

bool chip_may_be(const char *one, const char *other)
{
    if (!one || !other || strcmp(one, other) == 0)
        return one && other;
    bool has_618 = strcmp(one, CHIP_EC618) == 0 || strcmp(other, CHIP_EC618) == 0;
    return !has_618 && (strcmp(one, CHIP_EC7XX) == 0 || strcmp(other, CHIP_EC7XX) == 0);
}

bool chip_of_image(const char *type, const char *product, const char **ret, struct error *err)
{
    const char *by_type = chip_of_name(type), *by_product = chip_of_product(product);
    if (by_type && by_product && !chip_may_be(by_type, by_product))
        return error_set(err, ERROR_INVALID, "the release is for the chip %s, and its core is for %s",
                         by_type, by_product);
    bool is_exact = by_type && strcmp(by_type, CHIP_EC7XX) != 0;
    if (is_exact && !chip_product_may_be(product, by_type))
        return error_set(err, ERROR_INVALID,
                         "the release is for the chip %s, and the product name of its core is %.20s", by_type,
                         product);
    *ret = is_exact || !by_product ? by_type : by_product;
    return true;
}
