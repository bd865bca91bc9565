/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/container/chip.h"

#include <strings.h>

const struct ec7xx_chip ec7xx_chip_table[] = {
    {"ec716s", 217088},  {"ec718s", 217088},  {"ec716e", 331776},  {"ec718p", 331776}, {"ec718pv", 331776},
    {"ec718pm", 360448}, {"ec718um", 479232}, {"ec718hm", 479232}, {"ec718u", 950272},
};

const size_t ec7xx_chip_count = sizeof ec7xx_chip_table / sizeof ec7xx_chip_table[0];

const struct ec7xx_chip *ec7xx_chip_find(const char *name)
{
    for (size_t i = 0; i < ec7xx_chip_count; i++)
        if (strcasecmp(ec7xx_chip_table[i].name, name) == 0)
            return &ec7xx_chip_table[i];
    return NULL;
}

uint32_t ec7xx_chip_most_bytes(void)
{
    uint32_t most = 0;
    for (size_t i = 0; i < ec7xx_chip_count; i++)
        if (ec7xx_chip_table[i].archive_bytes > most)
            most = ec7xx_chip_table[i].archive_bytes;
    return most;
}
