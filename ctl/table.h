/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* JSON of the API for people: a list is printed as a table with aligned columns, an object as a page of
   labels. A view describes the columns, so a command needs no code to print. */
#ifndef DFOTA_CTL_TABLE_H
#define DFOTA_CTL_TABLE_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

enum table_kind {
    TABLE_TEXT,     /* a string; true and false as yes and no; a list of strings with blanks between them */
    TABLE_NUMBER,   /* right-aligned in a table */
    TABLE_TIME,     /* milliseconds since 1970, shown as 2026-11-22 12:26:19Z */
    TABLE_DURATION, /* milliseconds, shown as 2 d 3 h, 4 min 5 s, 6.7 s */
    TABLE_HASH,     /* the first 12 digits in a table, all digits on a page */
};

struct table_column {
    const char *heading;
    const char *key; /* member of the item; "last_answer.code" is a member of an object in it */
    enum table_kind kind;
};

#define TABLE_COUNT(columns) (sizeof(columns) / sizeof(columns)[0])

struct table_view {
    const struct table_column *columns;
    size_t count;
    const char *note_key;  /* member with a string or a list of strings, printed under the row; NULL: none */
    const char *note_mark; /* printed before each string */
};

/* What is null or absent is shown as "-". An empty list is shown as the headings and "(none)". */
void table_print(FILE *out, const json_t *items, const struct table_view *view);

/* The list as CSV (RFC 4180). The first line has the keys. Times are 2026-11-22 12:26:19Z, hashes have all
   digits, null is empty. */
void table_print_csv(FILE *out, const json_t *items, const struct table_view *view);

/* One line per column, with its label; long text is wrapped. The notes follow. */
void table_print_page(FILE *out, const json_t *object, const struct table_view *view);

/* Prints a note, wrapped, with `mark` before each string. note: a string, a list of strings, null or NULL. */
void table_print_note(FILE *out, size_t indent, const char *mark, const json_t *note);

/* The text that is shown for a value; owned by the caller. */
char *table_value(const json_t *object, const char *key, enum table_kind kind);

/* The member with this key; a key with dots names a member of a nested object. NULL: there is none.
   Borrowed. */
const json_t *table_find(const json_t *object, const char *key);

#endif
