/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* JSON of the API shown to people: a list as a table with aligned columns, one object as a page of labels.
   What stands in which column is a table itself, so a command needs no code to print. */
#ifndef DFOTA_CTL_TABLE_H
#define DFOTA_CTL_TABLE_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

enum table_kind {
    TABLE_TEXT,     /* a string, or true and false as yes and no */
    TABLE_NUMBER,   /* right-aligned in a table */
    TABLE_TIME,     /* milliseconds since 1970, shown as 2026-11-22 12:26:19Z */
    TABLE_DURATION, /* milliseconds, shown as 2 d 3 h, 4 min 5 s, 6.7 s */
    TABLE_HASH,     /* shortened to 12 digits in a table, whole on a page */
};

struct table_column {
    const char *heading;
    const char *key; /* of the item; "last_answer.code" looks into an object */
    enum table_kind kind;
};

#define TABLE_COUNT(columns) (sizeof(columns) / sizeof(columns)[0])

struct table_view {
    const struct table_column *columns;
    size_t count;
    const char *note_key;  /* a string or a list of strings printed under its row; NULL for none */
    const char *note_mark; /* printed before each of them */
};

/* Everything null or absent is shown as "-". An empty list is its headings and "(none)". */
void table_print(FILE *out, const json_t *items, const struct table_view *view);

/* The same as CSV (RFC 4180): a line of the columns' keys, times as 2026-11-22 12:26:19Z, hashes whole, null as nothing. */
void table_print_csv(FILE *out, const json_t *items, const struct table_view *view);

/* One line per column with its label, long text wrapped, then the notes. */
void table_print_page(FILE *out, const json_t *object, const struct table_view *view);

/* A note under what was printed before: wrapped, with its mark. note: string, list of strings, null or NULL.
 */
void table_print_note(FILE *out, size_t indent, const char *mark, const json_t *note);

/* The value as shown, owned by the caller. */
char *table_value(const json_t *object, const char *key, enum table_kind kind);

/* The member, also of a nested object by a dotted key; NULL when there is none. Borrowed. */
const json_t *table_find(const json_t *object, const char *key);

#endif
