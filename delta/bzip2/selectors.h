/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Which table each group of symbols uses, for the least sum of coded symbols and of the selectors themselves:
   a selector costs its table's place in a move-to-front order, so it is a shortest path over all orders. */
#ifndef DFOTA_DELTA_BZIP2_SELECTORS_H
#define DFOTA_DELTA_BZIP2_SELECTORS_H

#include <stddef.h>
#include <stdint.h>
#include "delta/bzip2/tables.h"

#define BZIP_BIT 64 /* costs are counted in so many parts of a bit */

/* cost[g][t]: of group g coded with table t. Returns the cost of data and selectors: the least there is for a
   small block, and as good as that for a large one. */
uint64_t bzip_selectors_choose(uint32_t (*cost)[BZIP_TABLES_MAX], size_t groups, unsigned int tables,
                               uint8_t *selector);

/* The same, taking for each group what is cheapest there: nearly as good and a hundred times faster. */
uint64_t bzip_selectors_guess(uint32_t (*cost)[BZIP_TABLES_MAX], size_t groups, unsigned int tables,
                              uint8_t *selector);

size_t bzip_selectors_bits(const uint8_t *selector, size_t groups);

/* Where the table stands in the move-to-front order; it comes to the front. */
unsigned int bzip_selectors_place(uint8_t *order, uint8_t table);

#endif
