/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Times on the command line. */
#ifndef DFOTA_CTL_WHEN_H
#define DFOTA_CTL_WHEN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

/* Reads what timestamp_read() reads and, with allow_date, also 2026-11-22, the begin of this day; *ret_ms
   is UTC. err->text continues a sentence that begins with the option's name (base/options.h). */
bool when_read(const char *text, bool allow_date, int64_t *ret_ms, struct error *err);

#endif
