/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The chips of the EC7xx family, and how long a delta archive may be for each. The limits are those of the
   vendor's packer. The zones of AP and CP are in the .binpkg. */
#ifndef DFOTA_DELTA_CONTAINER_CHIP_H
#define DFOTA_DELTA_CONTAINER_CHIP_H

#include <stddef.h>
#include <stdint.h>

struct ec7xx_chip {
    const char *name;
    uint32_t archive_bytes; /* the longest .par */
};

extern const struct ec7xx_chip ec7xx_chip_table[];
extern const size_t ec7xx_chip_count;

const struct ec7xx_chip *ec7xx_chip_find(const char *name); /* in upper or lower case; NULL: unknown */

/* The longest .par of any chip, in bytes. */
uint32_t ec7xx_chip_most_bytes(void);

#endif
