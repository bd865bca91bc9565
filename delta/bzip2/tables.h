/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The Huffman stage of one bzip2 block: the number of tables, the table of each group of symbols, and the
   code lengths, so that data, tables and selectors together are smallest. */
#ifndef DFOTA_DELTA_BZIP2_TABLES_H
#define DFOTA_DELTA_BZIP2_TABLES_H

#include <stddef.h>
#include <stdint.h>
#include "delta/bzip2/symbols.h"

#define BZIP_TABLES_MIN 2
#define BZIP_TABLES_MAX 6
#define BZIP_CODE_MAX   20 /* bits */
#define BZIP_GROUP      50 /* number of symbols that share a selector */
#define BZIP_GROUPS_MAX ((BZIP_LARGE_BLOCK + 1 + BZIP_GROUP - 1) / BZIP_GROUP)

struct bzip_tables {
    unsigned int tables;
    uint8_t length[BZIP_TABLES_MAX][BZIP_ALPHABET_MAX]; /* code lengths; each table is a prefix code */
    uint8_t selector[BZIP_GROUPS_MAX];
    size_t groups;
    size_t bits; /* size of tables, selectors and data */
};

enum bzip_effort {
    BZIP_ROUGH, /* only for comparing cuts: within a few per cent of BZIP_QUICK */
    BZIP_QUICK,
    BZIP_GOOD,
    BZIP_BEST,
};

void bzip_tables_choose(const struct bzip_symbols *symbols, enum bzip_effort effort, struct bzip_tables *ret);

#endif
