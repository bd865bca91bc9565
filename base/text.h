/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Text on a terminal: its width, wrapping, and protection from control characters in untrusted text. Output
   is always UTF-8. */
#ifndef DFOTA_BASE_TEXT_H
#define DFOTA_BASE_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Columns of a line. The width of the terminal does not matter: output is the same everywhere. */
#define TEXT_COLUMNS 80

/* Sets LC_CTYPE from the user's locale, or to C.UTF-8 if that locale is not UTF-8. Call once, before the
   other functions; without the call, characters outside ASCII are escaped. */
void text_begin(void);

/* Columns that text_put() fills. */
size_t text_width(const char *text);

/* Prints text. Control characters, characters that change the direction of writing, and bytes that are not
   UTF-8 are printed as \x1b or \u202e. */
void text_put(FILE *out, const char *text);

/* Prints n blanks. */
void text_blanks(FILE *out, size_t n);

/* As text_put(), wrapped at blanks and between wide characters, and ends the line. The cursor is at column
   `indent`; further lines begin there too. */
void text_wrap(FILE *out, size_t indent, const char *text);

/* Prints dumped JSON; escapes the same characters as \u001b. */
void text_put_json(FILE *out, const char *json);

#endif
