/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Times on the command line. */
#ifndef DFOTA_CTL_WHEN_H
#define DFOTA_CTL_WHEN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

/* Reads 2026-11-22T10:00:00Z, "2026-11-22 10:00:00Z", milliseconds since 1970 or, with allow_date,
   2026-11-22; *ret_ms is UTC. Refuses a day that does not exist, a year before 2000 or after 2199, and
   seconds or microseconds instead of milliseconds. err->text continues a sentence that begins with the
   option's name (base/options.h). */
bool when_read(const char *text, bool allow_date, int64_t *ret_ms, struct error *err);

#endif
