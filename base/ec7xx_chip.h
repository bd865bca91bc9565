/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The chips of the EC7xx family, and how long a delta archive may be for each. The limits are those of the
   vendor's packer. The zones of AP and CP are in the .binpkg. The size of the flash is inferred from the places in
   which applications of that chip keep a package. */
#ifndef DFOTA_BASE_EC7XX_CHIP_H
#define DFOTA_BASE_EC7XX_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

#endif
