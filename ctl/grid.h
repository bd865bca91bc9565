/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A table of pairs: one row for each version that an upgrade starts from, one column for each version that
   it leads to. A table wider than the page is printed in blocks of columns. */
#ifndef DFOTA_CTL_GRID_H
#define DFOTA_CTL_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct grid_cell {
    char text[24]; /* "": empty */
    bool loud;     /* printed in red if colours are on */
};

struct grid {
    const char *corner;       /* heading of the column of labels */
    const char *const *label; /* [count], in order */
    size_t count;
    const struct grid_cell *cell; /* [count * count], row by row; only cells above the diagonal are printed */
};

/* A line is wider than `columns` only if a single column with its label is. */
void grid_print(FILE *out, const struct grid *grid, size_t columns, bool colour);

#endif
