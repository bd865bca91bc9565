/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The names of chips: which chip a release, a .binpkg or a model is for, and how long a delta archive may be for each
   chip of the EC7xx family. The limits are those of the vendor's packer. The zones of AP and CP are in the
   .binpkg. The size of the flash is inferred from the places in which applications of that chip keep a package. */
#ifndef DFOTA_BASE_CHIP_H
#define DFOTA_BASE_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

#define CHIP_EC618 "ec618"
#define CHIP_EC7XX "ec7xx" /* a chip of this family; which one is not known */

struct ec7xx_chip {
    const char *name;
    uint32_t archive_bytes; /* the longest .par */
    bool has_8mb;           /* of flash; otherwise at most 4 MB */
};

extern const struct ec7xx_chip ec7xx_chip_table[];
extern const size_t ec7xx_chip_count;

const struct ec7xx_chip *ec7xx_chip_find(const char *name); /* in upper or lower case; NULL: unknown */

/* The chip with the shortest .par: what fits there fits every chip. */
const struct ec7xx_chip *ec7xx_chip_smallest(void);

/* The chip with the longest .par of those with 4 MB of flash or less. */
const struct ec7xx_chip *ec7xx_chip_largest_4mb(void);

struct chip_model {
    const char *model, *chip; /* `chip` is CHIP_EC618, or a name of ec7xx_chip_table */
};

/* Only models whose chip the vendor's pages, tests or tools state. */
extern const struct chip_model chip_model_table[];
extern const size_t chip_model_count;

/* The chip that a name means, in upper or lower case: CHIP_EC618, CHIP_EC7XX, or a name of ec7xx_chip_table. `name` is
   a family, a chip, or a model with or without the version of its hardware (`Air780EPM_A11`): all that the vendor's
   tools write to chip.type of a .soc. NULL: unknown. */
const char *chip_of_name(const char *name);

/* The chip that the name of a firmware means, as above: a word of it is a model, with or without "Air", or a chip, with or
   without "EC" (`AirM2M_780EPM_LTE_AT`, `pump_EC718P`). A model that has only digits needs "Air" before it or "AirM2M"
   in the name. Of several chips, the one with the least room; an EC618 among them counts as that. NULL: no such word. */
const char *chip_in_name(const char *firmware);

/* The chip of the product name in a .binpkg (`EC718HM_PRD`), as above. Older builds cut the chip to six letters, so
   `EC718P_PRD` is an EC718P, EC718PV or EC718PM: CHIP_EC7XX. NULL: unknown, or no product name. */
const char *chip_of_product(const char *product);

/* Whether some chip that the product name of a .binpkg may mean has 8 MB of flash; or 4 MB or less, if not `has_8mb`.
   True for a name that means no chip of the EC7xx family. */
bool chip_product_may_have(const char *product, bool has_8mb);

/* The chip of an image, from chip.type of its .soc and the product name of its .binpkg; "" for what it does not have.
   *ret is the more exact one, or NULL when neither says a known chip. ERROR_INVALID: they contradict each other. */
bool chip_of_image(const char *type, const char *product, const char **ret, struct error *err)
    __attribute__((warn_unused_result));

/* Whether the product name of a .binpkg may mean that chip, which is a name of ec7xx_chip_table. True for a name that means
   no chip of the EC7xx family. */
bool chip_product_may_be(const char *product, const char *chip);

/* Whether two results of the functions above can be the same chip. False if one of them is NULL. */
bool chip_may_be(const char *one, const char *other);

#endif
