/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/ec7xx_chip.h"

#include <strings.h>

const struct ec7xx_chip ec7xx_chip_table[] = {
    {"ec716s", 217088, false}, {"ec718s", 217088, false},  {"ec716e", 331776, false},
    {"ec718p", 331776, false}, {"ec718pv", 331776, false}, {"ec718pm", 360448, false},
    {"ec718um", 479232, true}, {"ec718hm", 479232, true},  {"ec718u", 950272, true},
};

const size_t ec7xx_chip_count = sizeof ec7xx_chip_table / sizeof ec7xx_chip_table[0];

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
