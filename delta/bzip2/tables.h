/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The Huffman stage of one bzip2 block: how many tables, which groups of symbols use which, and code lengths
   chosen for what data, tables and selectors cost together. */
#ifndef DFOTA_DELTA_BZIP2_TABLES_H
#define DFOTA_DELTA_BZIP2_TABLES_H

#include <stddef.h>
#include <stdint.h>
#include "delta/bzip2/symbols.h"

#define BZIP_TABLES_MIN 2
#define BZIP_TABLES_MAX 6
#define BZIP_CODE_MAX   20 /* bits */
#define BZIP_GROUP      50 /* symbols that share a selector */
#define BZIP_GROUPS_MAX ((BZIP_LARGE_BLOCK + 1 + BZIP_GROUP - 1) / BZIP_GROUP)

struct bzip_tables {
    unsigned int tables;
    uint8_t length[BZIP_TABLES_MAX][BZIP_ALPHABET_MAX]; /* of the codes: every table is a prefix code */
    uint8_t selector[BZIP_GROUPS_MAX];
    size_t groups;
    size_t bits; /* of tables, selectors and data */
};

enum bzip_effort {
    BZIP_ROUGH, /* only to compare ways to cut: within a few per cent of the next */
    BZIP_QUICK,
    BZIP_GOOD,
    BZIP_BEST,
};

void bzip_tables_choose(const struct bzip_symbols *symbols, enum bzip_effort effort, struct bzip_tables *ret);

#endif
