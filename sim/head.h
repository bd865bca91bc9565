/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Parses the head of an answer as strictly as the strictest module. */
#ifndef DFOTA_SIM_HEAD_H
#define DFOTA_SIM_HEAD_H

#include <stdbool.h>
#include "base/slice.h"
#include "sim/fetch.h"

#define HEAD_MAX_BYTES 700 /* some clients have no larger buffer */

/* `head` ends with its blank line. `resumes`: of the answer to a request for the rest, which is refused with 416 and
   without a Content-Length. Sets status, length, range and is_json of *answer. False: some module in
   the field cannot handle this head; *ret_why is the reason (static text). */
bool head_parse(struct slice head, bool resumes, struct fetch_answer *answer, const char **ret_why);

#endif
