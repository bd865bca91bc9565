/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Reads one line of the dialogue between a module and its host. Pure; slices are borrowed. */
#ifndef DFOTA_UPGRADE_AT_LINE_H
#define DFOTA_UPGRADE_AT_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"
#include "upgrade/name.h"

#define AT_ARGS_MAX 5

typedef bool at_char_function(char c);

struct at_args { /* values between commas, without blanks and quotes around them */
    struct slice arg[AT_ARGS_MAX];
    unsigned count;
};

/* Not visible ASCII: noise on the line while the module restarts, and marks of terminal programs. */
bool at_is_noise(char c);
struct slice at_trim_begin(struct slice text, at_char_function *drop);
struct slice at_trim_end(struct slice text, at_char_function *drop);

/* The line without blanks around it, and without a time stamp in brackets before it. */
struct slice at_line_text(struct slice raw);

bool at_is(struct slice text, const char *word);       /* upper and lower case are equal */
bool at_number(struct slice text, long *ret);          /* at most six digits; may begin with a minus */
void at_split(struct slice rest, struct at_args *ret); /* values after AT_ARGS_MAX are dropped */

/* Reads "2024/08/23,06:52:50+32,0" as UTC in milliseconds. The text is local time, with its difference from
   UTC in quarters of an hour. False if it is not a time, or before 2010: a module without the time prints
   such years. */
bool at_network_time(const struct at_args *said, int64_t *ret);

/* Reads what a module prints as its version: one word that is not the name of a file. */
bool at_name(struct slice word, struct full_name *ret);

#endif
