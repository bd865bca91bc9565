/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One line of what a module and its host say to each other, and what may stand in it. Pure; slices are
 * borrowed. */
#ifndef DFOTA_UPGRADE_AT_LINE_H
#define DFOTA_UPGRADE_AT_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"
#include "upgrade/name.h"

#define AT_ARGS_MAX 5

struct at_args { /* values between commas, without blanks and quotes around them */
    struct slice arg[AT_ARGS_MAX];
    unsigned count;
};

/* What a line picks up while the module restarts, and the marks of terminal programs: all that is no visible
 * ASCII. */
bool at_is_noise(char c);
struct slice at_trim_begin(struct slice text, bool (*drop)(char c));
struct slice at_trim_end(struct slice text, bool (*drop)(char c));

/* The line without blanks around it and without a time stamp in brackets before it. */
struct slice at_line_text(struct slice raw);

bool at_is(struct slice text, const char *word);       /* in upper or lower case */
bool at_number(struct slice text, long *ret);          /* of at most six digits, perhaps with a minus */
void at_split(struct slice rest, struct at_args *ret); /* what is behind AT_ARGS_MAX values is left out */

/* "2024/08/23,06:52:50+32,0" as UTC in milliseconds: local time, and how far it is from UTC in quarters of an
   hour. False for what is none, and for years before 2010, which a module tells that does not know the time.
 */
bool at_network_time(const struct at_args *said, int64_t *ret);

/* What a module prints for its version: one word, and no file's name. */
bool at_name(struct slice word, struct full_name *ret);

#endif
