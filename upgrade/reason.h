/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A reason is a code with parameters, so that it can be worded in the language of its reader. It is kept in one form
   everywhere, also in the database: a JSON array of the code and the parameters, on one line.

       ["campaign-paused","spring",["gate-silent","1","3","2"]]

   A parameter that is a reason itself is an array too. Any other text is plain: a reason that an older version stored in
   English, or the words of an admin. Plain text is shown as it is. Pure. */
#ifndef DFOTA_UPGRADE_REASON_H
#define DFOTA_UPGRADE_REASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"
#include "upgrade/reason_table.h"

#define REASON_SIZE       480  /* a reason as it is kept, with NUL */
#define REASON_TEXT_SIZE  1200 /* a reason in words, with NUL */
#define REASON_PARAMS_MAX 5

enum reason_code {
#define X(symbol, code, english, chinese) symbol,
    REASONS(X)
#undef X
        REASON_CODE_COUNT
};

enum reason_language { REASON_ENGLISH, REASON_CHINESE };

/* ---- To make a reason ---- */

struct reason_value {
    enum { REASON_VALUE_END, REASON_VALUE_TEXT, REASON_VALUE_NUMBER } kind;
    const char *text; /* a reason is nested */
    uint64_t number;
};

#define R_TEXT(text_)                                                                                        \
    {                                                                                                        \
        REASON_VALUE_TEXT, (text_), 0                                                                        \
    }
#define R_NUMBER(number_)                                                                                    \
    {                                                                                                        \
        REASON_VALUE_NUMBER, NULL, (uint64_t)(number_)                                                       \
    }
#define R_END                                                                                                \
    {                                                                                                        \
        REASON_VALUE_END, NULL, 0                                                                            \
    }

/* A code and its parameters, as two arguments of a call: REASON(REASON_PACKAGE_FAILED, R_TEXT(hop),
   R_TEXT(error)). */
#define REASON(...)                                                                                          \
    REASON_FIRST_(__VA_ARGS__, R_END), (const struct reason_value[])                                         \
    {                                                                                                        \
        REASON_REST_(__VA_ARGS__, R_END)                                                                     \
    }
#define REASON_FIRST_(first, ...) first
#define REASON_REST_(first, ...)  __VA_ARGS__

/* Writes a reason to out. If it is too long, its longest parameters are cut after a whole character; a
   nested reason is worded in English before it is cut. Bytes that are not clean UTF-8 become blanks. size:
   at least 128. */
void reason_write(char *out, size_t size, enum reason_code code, const struct reason_value *values);

/* ---- To read a reason ---- */

struct reason {
    enum reason_code code;
    unsigned count;
    struct slice
        param[REASON_PARAMS_MAX]; /* nested: a reason; else the text of a JSON string, with escapes */
    bool nested[REASON_PARAMS_MAX];
};

/* False, for plain text: *ret is undefined. The slices point into text. */
bool reason_parse(struct slice text, struct reason *ret);
/* `text` is a reason with this code. */
bool reason_is(const char *text, enum reason_code code);
/* The reason in words; plain text is copied. A text that is too long is cut after a whole character.
   Returns out. */
const char *reason_text(const char *text, enum reason_language language, char out[REASON_TEXT_SIZE]);

/* ---- The table ---- */

const char *reason_code_name(enum reason_code code); /* "campaign-paused" */
bool reason_code_parse(struct slice name, enum reason_code *ret);
const char *reason_template(enum reason_code code, enum reason_language language);
unsigned reason_param_count(enum reason_code code);

#endif
