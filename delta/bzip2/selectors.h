/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Chooses the table of each group of symbols, so that the coded symbols and the selectors together are
   smallest. A selector costs the place of its table in a move-to-front order, so this is a shortest path
   over all orders. */
#ifndef DFOTA_DELTA_BZIP2_SELECTORS_H
#define DFOTA_DELTA_BZIP2_SELECTORS_H

#include <stddef.h>
#include <stdint.h>
#include "delta/bzip2/tables.h"

#define BZIP_BIT   64 /* costs are in this fraction of a bit */
#define BZIP_LANES 8  /* BZIP_TABLES_MAX, rounded up to what a processor adds at once */

/* cost[g][t] is the cost of group g with table t. Returns the cost of data and selectors: the minimum for
   a small block, nearly the minimum for a large block. */
uint64_t bzip_selectors_choose(uint16_t (*cost)[BZIP_LANES], size_t groups, unsigned int tables,
                               uint8_t *selector);

/* The same, but takes the cheapest table for each group separately: nearly as good, and a hundred times
   faster. */
uint64_t bzip_selectors_guess(uint16_t (*cost)[BZIP_LANES], size_t groups, unsigned int tables,
                              uint8_t *selector);

size_t bzip_selectors_bits(const uint8_t *selector, size_t groups);

/* Returns the place of the table in the move-to-front order and moves the table to the front. */
unsigned int bzip_selectors_place(uint8_t *order, uint8_t table);

#endif
