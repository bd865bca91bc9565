/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Times as they are typed on the command line. */
#ifndef DFOTA_CTL_WHEN_H
#define DFOTA_CTL_WHEN_H

#include <stdint.h>

#include "ctl/failure.h"

/* 2026-11-22 (with date_alone), 2026-11-22T10:00:00Z, "2026-11-22 10:00:00Z", or milliseconds since 1970; *ret_ms is UTC. `what` is the option,
   for the sentence that refuses: another form, a day that no calendar has, seconds, a year before 2000 or after 2199. */
bool when_read(const char *text, const char *what, bool date_alone, int64_t *ret_ms, struct failure *fail);

#endif
