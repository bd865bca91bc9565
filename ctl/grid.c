/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/grid.h"

#include "base/text.h"

#define GAP   2 /* blanks between columns */
#define LOUD  "\033[31m"
#define PLAIN "\033[0m"

static const struct grid_cell *cell_of(const struct grid *grid, size_t row, size_t column)
{
    return &grid->cell[row * grid->count + column];
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t column_width(const struct grid *grid, size_t column)
{
    size_t width = text_width(grid->label[column]);
    for (size_t row = 0; row < column; row++)
        width = larger(width, text_width(cell_of(grid, row, column)->text));
    return width;
}

/* One after the last column that fits on a line that starts with column `first`. */
static size_t block_end(const struct grid *grid, size_t first, size_t left, size_t columns)
{
    size_t end = first + 1, used = left + GAP + column_width(grid, first);
    for (size_t width; end < grid->count; end++, used += width) {
        width = GAP + column_width(grid, end);
        if (used + width > columns)
            break;
    }
    return end;
}

/* Right-aligned. *pending counts blanks that are not yet printed: they are printed only before text, so
   that no line ends with blanks. */
static void put(FILE *out, const char *text, size_t width, bool loud, size_t *pending)
{
    size_t own = text_width(text);
    *pending += GAP + (width > own ? width - own : 0);
    if (!own)
        return;
    text_blanks(out, *pending);
    *pending = 0;
    fputs(loud ? LOUD : "", out);
    text_put(out, text);
    fputs(loud ? PLAIN : "", out);
}

static size_t put_label(FILE *out, const char *label, size_t left)
{
    size_t width = text_width(label);
    text_put(out, label);
    return left > width ? left - width : 0;
}

static void print_block(FILE *out, const struct grid *grid, size_t first, size_t end, size_t left,
                        bool colour)
{
    size_t pending = put_label(out, grid->corner, left);
    for (size_t column = first; column < end; column++)
        put(out, grid->label[column], column_width(grid, column), false, &pending);
    putc('\n', out);
    for (size_t row = 0; row + 1 < end; row++) {
        pending = put_label(out, grid->label[row], left);
        for (size_t column = first; column < end; column++) {
            const struct grid_cell *cell = cell_of(grid, row, column);
            put(out, row < column ? cell->text : "", column_width(grid, column), colour && cell->loud,
                &pending);
        }
        putc('\n', out);
    }
}

void grid_print(FILE *out, const struct grid *grid, size_t columns, bool colour)
{
    size_t left = text_width(grid->corner);
    for (size_t row = 0; row + 1 < grid->count; row++) /* no upgrade starts from the last version */
        left = larger(left, text_width(grid->label[row]));
    for (size_t first = 1, end; first < grid->count; first = end) {
        end = block_end(grid, first, left, columns);
        if (first > 1)
            putc('\n', out);
        print_block(out, grid, first, end, left, colour);
    }
}
