/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The command line of a program, from one table of options: the table says how arguments are read, where
   their values go, and what --help prints. Main thread only (getopt). */
#ifndef DFOTA_BASE_OPTIONS_H
#define DFOTA_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/error.h"

/* The kind of a value, and the type of the member that receives the value. */
enum options_kind {
    OPTIONS_FLAG,   /* no value; bool, set to true */
    OPTIONS_TEXT,   /* any text; const char *, borrowed from argv */
    OPTIONS_WORD,   /* one of the words in `argument`, such as "yes|no"; const char *, borrowed from argv */
    OPTIONS_NUMBER, /* whole number from `least` to `most`; uint64_t */
    OPTIONS_OTHER,  /* what `read` makes of the text */
};

/* Reads one value into its member. `text` lies in argv and may be overwritten. On failure err->text
   continues a sentence that begins with the option's name: "takes VERSION=FILE, not 'x'". */
typedef bool options_read(char *text, void *member, struct error *err);

struct options_row {
    const char *name;     /* without dashes */
    char letter;          /* of the short form; 0: none */
    const char *argument; /* name of the value in help; NULL with OPTIONS_FLAG */
    const char *help;
    enum options_kind kind;
    size_t member;        /* offset of the member in the struct that options_parse() fills */
    uint64_t least, most; /* OPTIONS_NUMBER */
    options_read *read;   /* OPTIONS_OTHER */
    bool repeats;         /* may be given more than once */
};

#define OPTIONS_MAX 128

struct options_table {
    const struct options_row *rows;
    size_t count;      /* at most OPTIONS_MAX */
    const bool *takes; /* [i]: rows[i] takes part; NULL: all rows */
    bool stop_at_word; /* options end at the first word; else words and options may be mixed */
};

struct options_result {
    bool given[OPTIONS_MAX]; /* [i]: rows[i] was given */
    char **words;            /* what is left of argv, NULL-terminated; argv is reordered */
};

/* Reads the options in argv; argv[0] is skipped. "--" ends the options. A long name may be shortened as
   long as the name is unique. Members of options that are not given stay as they are. ERROR_BAD_REQUEST
   names the option and says what it takes: unknown, without its value, with a wrong value, or given twice. */
bool options_parse(const struct options_table *table, int argc, char **argv, void *target,
                   struct options_result *ret, struct error *err) __attribute__((warn_unused_result));

/* Prints one entry of help for each row that takes part, in lines of at most 80 columns. The help texts of
   all rows of a table begin in the same column. */
void options_print_help(FILE *out, const struct options_table *table);

#endif
