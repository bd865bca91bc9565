/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A small language that selects devices, campaigns, rows of the ledger, or what else has fields:

       version<1147 and tag=north and last_seen>7d
       not (tag=lab or tag=spare) and firmware in ("Pump station", valve)
       name like "spring*" and created_at>=2026-11-01

   A condition is FIELD OPERATOR VALUE. "not" binds closer than "and", "and" closer than "or". A value with
   blanks, commas or brackets is in double quotes. Operators by kind of the field:

       text      = !=          a text
       tags      = !=          tag=north: it has this tag
       version   = != < <= > >=    "none": it has no version
       time      = != < <= > >=    an age, a time, or "never"
       number    = != < <= > >=    "none": it has no number
       flag      = !=          yes or no (true, false)
       all       in (A, B), not in (A, B): equal to one of them, to none
       text, tags    like "PATTERN", not like: * is any text, ? one character; ASCII letters in any case

   An age is a number with s, m, h or d: last_seen>7d selects what was seen more than 7 days ago, or never. A
   time is a text of RFC 3339, a date, or milliseconds since 1970: created_at>2026-11-01 selects what is
   newer. What never happened is older than each age, but neither before nor after a time. Comparisons with <
   or > are false for a version or number "none".

   A filter is parsed once, and then compared with any number of subjects. Pure: no clock, no I/O. The cost of
   a comparison is at most FILTER_STEPS_MAX times the product of the lengths of pattern and text. */
#ifndef DFOTA_UPGRADE_FILTER_H
#define DFOTA_UPGRADE_FILTER_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/slice.h"
#include "upgrade/version.h"

#define FILTER_TEXT_MAX  500 /* bytes */
#define FILTER_STEPS_MAX 64  /* conditions, values in (…), and, or, not */
#define FILTER_DEPTH_MAX 16  /* brackets and "not" inside of each other */

enum filter_kind {
    FILTER_VERSION,
    FILTER_TAGS, /* a list of words with one blank between them (upgrade/tag.h) */
    FILTER_TEXT,
    FILTER_TIME,
    FILTER_NUMBER,
    FILTER_FLAG
};

struct filter_value {       /* of one field of a subject */
    struct version version; /* count 0: none */
    const char *text;       /* of a text or tags: not NULL */
    int64_t number;         /* a number; 0 or 1; a time: UTC in milliseconds, 0: never */
    bool is_none;           /* of a number */
};

struct filter_field {
    const char *name;
    enum filter_kind kind;
};

struct filter_language { /* what a filter can ask; static storage */
    const struct filter_field *fields;
    unsigned count; /* at most 256 */
    /* Stores the value of field number `field`. Before, *ret is zero, and its text "". */
    void (*read)(const void *subject, unsigned field, struct filter_value *ret);
};

enum filter_operator {
    FILTER_EQUAL,
    FILTER_NOT_EQUAL,
    FILTER_LIKE,
    FILTER_LESS,
    FILTER_LESS_OR_EQUAL,
    FILTER_MORE,
    FILTER_MORE_OR_EQUAL
};

struct filter { /* made by filter_parse(); it can be copied */
    const struct filter_language *language;
    unsigned count; /* steps; 0: the filter selects everything */
    struct filter_step {
        enum filter_step_kind { FILTER_IS, FILTER_AND, FILTER_OR, FILTER_NOT } kind;
        uint8_t field; /* of FILTER_IS */
        enum filter_operator op;
        bool is_time;           /* `number` is a time, not an age */
        bool is_none;           /* "none" or "never" */
        struct version version; /* count 0: none */
        int64_t number;         /* a number, 0 or 1, a time, or an age in milliseconds */
        uint16_t begin, len;    /* of a text: where it is in `text` */
    } step[FILTER_STEPS_MAX];   /* operands before their operator */
    char text[FILTER_TEXT_MAX + 1];
};

/* An empty text selects everything. ERROR_INVALID: the message names the position, in characters from 1. */
bool filter_parse(struct slice text, const struct filter_language *language, struct filter *ret,
                  struct error *err) __attribute__((warn_unused_result));

/* Whether the filter selects the subject, which its language can read. */
bool filter_selects(const struct filter *filter, const void *subject, int64_t now_ms);

#endif
