/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Code lengths of one Huffman table of bzip2, for the least sum of coded symbols and of the table itself. */
#ifndef DFOTA_DELTA_BZIP2_LENGTHS_H
#define DFOTA_DELTA_BZIP2_LENGTHS_H

#include <stddef.h>
#include <stdint.h>
#include "delta/bzip2/tables.h"

/* `count` occurrences of each of `alphabet` symbols; *length becomes a prefix code over all of them. Steps:
   so many halvings in the search for the right price of code space; 8 are good, 14 exact. */
void bzip_lengths_choose(const uint32_t *count, unsigned int alphabet, unsigned int steps, uint8_t *length);

size_t bzip_lengths_table_bits(const uint8_t *length, unsigned int alphabet);

#endif
