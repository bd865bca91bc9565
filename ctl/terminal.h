/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the terminal at a stream can show. A file or a pipe has no colour and TEXT_COLUMNS columns. */
#ifndef DFOTA_CTL_TERMINAL_H
#define DFOTA_CTL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Colours are off with NO_COLOR, and on a terminal that is "dumb" or not named by TERM. */
bool terminal_has_colour(FILE *stream);

/* At least 40. */
size_t terminal_columns(FILE *stream);

#endif
