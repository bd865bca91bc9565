/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A table of pairs as a vendor prints it: a row for each version that an upgrade leads from, a column for each that it
   leads to. Where it is wider than a page it is printed in blocks of columns. */
#ifndef DFOTA_CTL_GRID_H
#define DFOTA_CTL_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct grid_cell {
    char text[24]; /* "": blank */
    bool loud;     /* in another colour, where there are colours */
};

struct grid {
    const char *corner;       /* above the names of the rows */
    const char *const *label; /* [count], in order */
    size_t count;
    const struct grid_cell *cell; /* [count * count], row by row; only those above the diagonal are shown */
};

/* No line is wider than `columns`, but for a single column that is. */
void grid_print(FILE *out, const struct grid *grid, size_t columns, bool colour);

#endif
