/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The head of an answer, read as strictly as the strictest module. */
#ifndef DFOTA_SIM_HEAD_H
#define DFOTA_SIM_HEAD_H

#include <stdbool.h>
#include "base/slice.h"
#include "sim/fetch.h"

#define HEAD_MAX_BYTES 700 /* some clients have no larger buffer */

/* `head` ends with its blank line. False with the reason (static text) when a module in the field would
   stumble over it; else status, length, range and is_json are set. */
bool head_parse(struct slice head, struct fetch_answer *answer, const char **ret_why);

#endif
