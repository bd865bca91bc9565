/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A small language that selects devices:

       version<1147 and tag=north and last_seen>7d
       not (tag=lab or tag=spare) and firmware="Pump station"

   A condition is FIELD OPERATOR VALUE. "not" binds closer than "and", "and" closer than "or". A value with
   blanks or brackets is in double quotes. FILTER_FIELDS names the fields. Operators: = != < <= > >=; texts,
   tags and yes/no have = and != only. The value of an age is a number with s, m, h or d: last_seen>7d
   selects devices that were seen more than 7 days ago, or never. "never" is the age of what did not happen,
   and "none" the version of a device that has not reported one. Comparisons with < or > are false for a
   version "none".

   A filter is parsed once, and then compared with any number of devices. Pure: no clock, no I/O. */
#ifndef DFOTA_UPGRADE_FILTER_H
#define DFOTA_UPGRADE_FILTER_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "base/slice.h"
#include "upgrade/version.h"

#define FILTER_TEXT_MAX  500 /* bytes */
#define FILTER_STEPS_MAX 64  /* conditions, and, or, not */
#define FILTER_DEPTH_MAX 16  /* brackets and "not" inside of each other */

/* Name, kind, member of struct filter_subject. */
#define FILTER_FIELDS(X)                                                                                     \
    X("version", VERSION, version) /* the confirmed version */                                               \
    X("asked", VERSION, asked)     /* the version that it asked from last */                                 \
    X("tag", TAG, tags)            /* tag=north: it has this tag */                                          \
    X("firmware", TEXT, firmware)                                                                            \
    X("device", TEXT, device) /* the id without its kind */                                                  \
    X("note", TEXT, note)                                                                                    \
    X("grade", TEXT, grade) /* of the confirmed version */                                                   \
    X("last_seen", AGE, last_seen_ms)                                                                        \
    X("first_seen", AGE, first_seen_ms)                                                                      \
    X("confirmed", AGE, confirmed_ms) /* when the version was reported */                                    \
    X("code", NUMBER, code)           /* of the last answer */                                               \
    X("check_ins", NUMBER, check_ins)                                                                        \
    X("blocked", FLAG, blocked)   /* by the loop guard */                                                    \
    X("claim", FLAG, claim)       /* a claim contradicts the confirmed version */                            \
    X("held_out", FLAG, held_out) /* of all campaigns */

struct filter_subject {            /* one device. Texts are not NULL */
    struct version version, asked; /* count 0: none */
    const char *tags, *firmware, *device, *note, *grade;
    int64_t last_seen_ms, first_seen_ms, confirmed_ms; /* UTC; 0: never */
    int64_t code, check_ins;
    bool blocked, claim, held_out;
};

enum filter_operator {
    FILTER_EQUAL,
    FILTER_NOT_EQUAL,
    FILTER_LESS,
    FILTER_LESS_OR_EQUAL,
    FILTER_MORE,
    FILTER_MORE_OR_EQUAL
};

struct filter {     /* made by filter_parse(); it can be copied */
    unsigned count; /* steps; 0: the filter selects every device */
    struct filter_step {
        enum filter_step_kind { FILTER_IS, FILTER_AND, FILTER_OR, FILTER_NOT } kind;
        uint8_t field; /* of FILTER_IS: the line of FILTER_FIELDS, from 0 */
        enum filter_operator op;
        struct version version; /* count 0: none */
        int64_t number;         /* a number, 0 or 1, or an age in milliseconds; -1: never */
        uint16_t begin, len;    /* of a text: where it is in `text` */
    } step[FILTER_STEPS_MAX];   /* operands before their operator */
    char text[FILTER_TEXT_MAX + 1];
};

/* An empty text selects every device. ERROR_INVALID: the message names the position, in characters from 1. */
bool filter_parse(struct slice text, struct filter *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Whether the filter selects the device. */
bool filter_selects(const struct filter *filter, const struct filter_subject *subject, int64_t now_ms);

/* "version, asked, tag, …" Static storage. */
const char *filter_field_names(void);

#endif
