/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/chip.h"

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

const char *chip_of_product(const char *product)
{
    size_t len = strcspn(product, "_");
    const char *found = NULL;
    if (len == strlen(CHIP_EC618) && strncasecmp(product, CHIP_EC618, len) == 0)
        return CHIP_EC618;
    for (size_t i = 0; i < ec7xx_chip_count; i++) {
        const char *name = ec7xx_chip_table[i].name;
        if (len >= CUT_LETTERS && strncasecmp(product, name, len) == 0)
            found = found ? CHIP_EC7XX : name;
    }
    return found;
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
    *ret = is_exact || !by_product ? by_type : by_product;
    return true;
}
