/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Text on a terminal: how wide it is, and that nothing a server sends can steer the terminal. Output is
 * always UTF-8. */
#ifndef DFOTA_CTL_TEXT_H
#define DFOTA_CTL_TEXT_H

#include <stddef.h>
#include <stdio.h>

#define TEXT_COLUMNS                                                                                         \
    80 /* where prose is wrapped, on a terminal or not, so that output does not depend on it */

/* Call once before the rest. Takes the user's locale for the width of characters; C.UTF-8 where that one is
 * not UTF-8. */
void text_begin(void);

/* Columns that text_put() will take. */
size_t text_width(const char *text);

/* Prints text; control characters, those that turn the direction of writing, and bytes that are no UTF-8 come
   as \x1b or \u202e. */
void text_put(FILE *out, const char *text);

/* Prints n blanks. */
void text_blanks(FILE *out, size_t n);

/* As text_put, but wrapped at blanks and between wide characters; the cursor stands at column `indent`, where
   further lines begin too. Ends the line. */
void text_wrap(FILE *out, size_t indent, const char *text);

/* Prints JSON as it was dumped, with the same characters escaped the JSON way. */
void text_put_json(FILE *out, const char *json);

#endif
