/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Chooses the code lengths of one Huffman table of bzip2, so that the coded symbols and the table
   together are smallest. */
#ifndef DFOTA_DELTA_BZIP2_LENGTHS_H
#define DFOTA_DELTA_BZIP2_LENGTHS_H

#include <stddef.h>
#include <stdint.h>
#include "delta/bzip2/tables.h"

/* `count` has the occurrences of each of `alphabet` symbols. *length becomes a prefix code for all of
   them. `steps` is the number of halvings in the search for the price of code space; 8 are good, 14 are
   exact. */
void bzip_lengths_choose(const uint32_t *count, unsigned int alphabet, unsigned int steps, uint8_t *length);

size_t bzip_lengths_table_bits(const uint8_t *length, unsigned int alphabet);

#endif
